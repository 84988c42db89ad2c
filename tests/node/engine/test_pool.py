from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.engine.pool import AccountState, Pool
from node.engine.transactions import SignedTransaction
from node.errors import InvalidTransactionError, UnavailableEngineError

GAS_LIMIT = 30_000_000


def make_pool(nonce: int = 0, balance: int = 0, capacity: int = 100):
    return Pool(lambda _account: AccountState(nonce, balance), GAS_LIMIT, capacity)


def transaction(sender: int, nonce: int, gas: int = 100_000):
    digest = bytes([sender]) * 16 + nonce.to_bytes(16)
    account = bytes([sender]) * 20
    return SignedTransaction(
        b"", digest, account, b"", nonce, gas, max_fee=0, value=0, data=b"", type=0
    )


class TestAdmit:
    def test_refuses_a_used_nonce(self, signer: Any):
        pool = make_pool(nonce=3)
        with pytest.raises(InvalidTransactionError, match="next nonce 3, tx nonce 2"):
            pool.admit(signer.transaction(nonce=2))

    def test_refuses_a_taken_nonce(self, signer: Any):
        pool = make_pool()
        pool.admit(signer.transaction(nonce=0))
        with pytest.raises(InvalidTransactionError, match="nonce 0 is taken"):
            pool.admit(signer.transaction(nonce=0, data=b"\x01"))

    def test_refuses_a_nonce_far_ahead(self, signer: Any):
        with pytest.raises(InvalidTransactionError, match="at most 256 ahead"):
            make_pool().admit(signer.transaction(nonce=257))

    def test_refuses_what_the_whole_queue_cannot_pay(self, signer: Any):
        pool = make_pool(balance=10)
        pool.admit(signer.transaction(nonce=0, value=6))
        with pytest.raises(InvalidTransactionError, match="balance 10 wei, queued 6"):
            pool.admit(signer.transaction(nonce=1, value=5))

    def test_frees_the_queued_cost_when_mined(self, signer: Any):
        pool = make_pool(balance=10)
        first = signer.transaction(nonce=0, value=6)
        pool.admit(first)
        pool.saw_mined(first.hash)
        pool.admit(signer.transaction(nonce=1, value=5))
        assert len(pool) == 1

    def test_is_full_at_its_capacity(self, signer: Any):
        pool = make_pool(capacity=1)
        pool.admit(signer.transaction())
        with pytest.raises(UnavailableEngineError, match="1 transactions wait"):
            pool.admit(signer.transaction())


class TestChoose:
    def test_leaves_a_nonce_gap_waiting(self, signer: Any):
        pool = make_pool()
        pool.admit(signer.transaction(nonce=1))
        assert pool.choose() == []
        pool.admit(signer.transaction(nonce=0))
        assert [each.nonce for each in pool.choose()] == [0, 1]

    def test_never_fills_a_block_beyond_its_gas(self):
        pool = make_pool()
        for sender in range(4):
            pool.admit(transaction(sender, 0, gas=10_000_000))
        assert len(pool.choose()) == 3

    def test_says_which_nonce_is_free(self, signer: Any):
        pool = make_pool()
        first = signer.transaction(nonce=0)
        pool.admit(first)
        pool.admit(signer.transaction(nonce=2))
        assert pool.pending_nonce(first.sender, 0) == 1

    @settings(max_examples=60, deadline=None)
    @given(st.randoms(use_true_random=False))
    def test_any_order_of_arrival_gives_every_nonce_once_and_in_order(self, order: Any):
        pool = make_pool()
        arrivals = [transaction(a, n) for a in (1, 2, 3) for n in range(8)]
        order.shuffle(arrivals)
        for each in arrivals:
            pool.admit(each)
        chosen = pool.choose()
        assert len(set(chosen)) == len(arrivals)
        for account in (1, 2, 3):
            nonces = [e.nonce for e in chosen if e.sender[0] == account]
            assert nonces == list(range(8))


class TestFairness:
    def test_an_early_sender_does_not_bring_its_later_transactions_forward(self):
        pool = make_pool()
        arrivals = [(1, 0), (2, 0), (1, 1), (2, 1)]
        for sender, nonce in arrivals:
            pool.admit(transaction(sender, nonce))
        chosen = [(each.sender[0], each.nonce) for each in pool.choose()]
        assert chosen == arrivals
