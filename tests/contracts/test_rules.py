import datetime as dt
import hashlib

import pytest

from contracts import rules
from contracts.errors import InvalidInputError
from contracts.rules import LOCAL, calendar_years, default_rules, working_days


def is_working(day: dt.date) -> bool:
    low, high = working_days(day.year)
    return bool((high << 256 | low) >> (day.timetuple().tm_yday - 1) & 1)


class TestWorkingDays:
    def test_are_known_for_the_years_of_the_demo(self):
        assert set(range(2021, 2027)) <= set(calendar_years())

    @pytest.mark.parametrize(
        ("day", "expected"),
        [
            (dt.date(2022, 3, 15), True),
            (dt.date(2022, 3, 19), False),
            (dt.date(2022, 10, 3), False),
            (dt.date(2022, 10, 8), False),
            (dt.date(2021, 1, 1), False),
            (dt.date(2024, 12, 31), True),
            (dt.date(2023, 1, 2), False),
        ],
    )
    def test_are_monday_to_friday_without_holidays(self, day: dt.date, expected: bool):
        assert is_working(day) is expected

    def test_have_no_bit_beyond_the_year(self):
        for year in calendar_years():
            low, high = working_days(year)
            days = 366 if year % 4 == 0 else 365
            assert (high << 256 | low) >> days == 0
            assert 240 <= (low.bit_count() + high.bit_count()) <= 252

    def test_refuse_a_year_whose_holidays_are_not_known(self):
        with pytest.raises(InvalidInputError, match=r"2021 to 2026\), got 1999"):
            working_days(1999)


class TestDefaultRules:
    def test_hold_the_block_trade(self):
        values = {rule.name: rule.value for rule in default_rules()}
        assert values["block.min_tonnes"] == 100_000
        assert values["block.band_bps"] == 3_000
        assert (values["block.open_s"], values["block.close_s"]) == (46_800, 54_000)

    def test_mark_what_is_known_from_memory(self):
        entry = {
            "name": "x",
            "from": dt.date(2022, 1, 1),
            "value": 1,
            "article": "Article 1",
            "text": "One.",
        }
        unsure = rules._rule({**entry, "evidence": "unconfirmed"})
        sure = rules._rule({**entry, "evidence": "read"})
        assert unsure.article == "Article 1 (unconfirmed)"
        assert sure.article == "Article 1"

    def test_carry_the_digest_of_their_article(self):
        rule = next(r for r in default_rules() if r.name == "block.min_tonnes")
        text = "The quantity of a single block agreement order is 100,000 t or more."
        assert rule.article_digest == hashlib.sha256(text.encode()).digest()

    def test_start_at_local_midnight(self):
        for rule in default_rules():
            assert dt.datetime.fromtimestamp(rule.start, LOCAL).time() == dt.time()
