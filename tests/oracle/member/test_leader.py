"""Whose turn it is, and how members that wake up late catch up."""

from oracle.member.leader import Pacemaker, leader_of


class TestLeader:
    def test_rotates_with_batches_and_rounds(self):
        assert [leader_of(seq, 0, 4) for seq in range(5)] == [0, 1, 2, 3, 0]
        assert [leader_of(2, round_, 4) for round_ in range(4)] == [2, 3, 0, 1]


class TestPacemaker:
    def test_moves_on_after_each_timeout(self):
        pacemaker = Pacemaker(2.0)
        pacemaker.begin(5, 0)
        pacemaker.start(100.0)
        assert [pacemaker.round_at(at, 4) for at in (100, 101.9, 102, 107)] == [
            *(0, 0, 1, 3)
        ]

    def test_gives_more_time_once_all_have_led_in_vain(self):
        """Rounds 0 to 3 last 2 s, 4 to 7 last 4 s, and so on up to 16 s."""
        pacemaker = Pacemaker(2.0)
        pacemaker.begin(5, 0)
        pacemaker.start(0.0)
        moments = {7.9: 3, 8.0: 4, 11.9: 4, 12.0: 5, 24.0: 8, 29.9: 8, 30.0: 9}
        assert {at: pacemaker.round_at(at, 4) for at in moments} == moments
        longest = 2.0 * 4 * (1 + 2 + 3 + 4 + 5 + 6 + 7)
        assert pacemaker.round_at(longest, 4) == 28
        assert pacemaker.round_at(longest + 15.9, 4) == 28
        assert pacemaker.round_at(longest + 16 * 1000, 4) == 1028

    def test_keeps_the_length_of_the_round_it_wakes_up_in(self):
        pacemaker = Pacemaker(2.0)
        pacemaker.begin(5, 9)
        pacemaker.start(100.0)
        assert [pacemaker.round_at(at, 4) for at in (105.9, 106.0)] == [9, 10]

    def test_stands_still_until_a_batch_is_due(self):
        pacemaker = Pacemaker(2.0)
        pacemaker.begin(5, 0)
        assert pacemaker.round_at(1000.0, 4) == 0

    def test_starts_anew_with_the_next_batch(self):
        pacemaker = Pacemaker(2.0)
        pacemaker.begin(5, 0)
        pacemaker.start(100.0)
        pacemaker.begin(6, 0)
        assert not pacemaker.is_started

    def test_never_falls_behind_its_own_vote(self):
        pacemaker = Pacemaker(2.0)
        pacemaker.begin(5, 7)
        pacemaker.start(100.0)
        assert pacemaker.round_at(100.0, 4) == 7

    def test_catches_up_with_two_peers(self):
        pacemaker = Pacemaker(2.0)
        pacemaker.begin(5, 0)
        pacemaker.start(100.0)
        pacemaker.hear(1, 5, 4)
        pacemaker.hear(2, 5, 6)
        assert pacemaker.round_at(100.5, 4) == 4

    def test_is_not_moved_by_a_single_liar(self):
        pacemaker = Pacemaker(2.0)
        pacemaker.begin(5, 0)
        pacemaker.start(100.0)
        pacemaker.hear(1, 5, 1_000_000)
        assert pacemaker.round_at(100.5, 4) == 0

    def test_ignores_claims_about_another_batch(self):
        pacemaker = Pacemaker(2.0)
        pacemaker.begin(5, 0)
        pacemaker.start(100.0)
        pacemaker.hear(1, 4, 9)
        pacemaker.hear(2, 4, 9)
        assert pacemaker.round_at(100.5, 4) == 0
