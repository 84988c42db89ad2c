"""What is accepted is executed: the engine never refuses what the node took."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from node.engine import EngineSettings
from node.engine.chain import Chain
from node.errors import InvalidTransactionError

ROUNDS = 60
TARGETS = [None, "0x" + 20 * "22", "0x" + 19 * "00" + "02", "0x" + 19 * "00" + "04"]


@pytest.fixture
def chain(make_settings: Callable[..., EngineSettings], make_signer: Any) -> Any:
    alloc = {make_signer(number).address: 10**15 for number in (1, 2)}
    opened = Chain(make_settings(genesis_alloc=alloc))
    yield opened
    opened.close()


def intrinsic(to: str | None, data: bytes, access: list[dict[str, Any]]) -> int:
    """Count the gas before the first opcode, independently of the product."""
    gas = 21_000 + sum(16 if byte else 4 for byte in data)
    gas += sum(2_400 + 1_900 * len(entry["storageKeys"]) for entry in access)
    return gas + (0 if to else 32_000 + 2 * -(-len(data) // 32))


def random_fields(draw: random.Random) -> dict[str, Any]:
    """Draw a transaction at and around the edges of what is valid."""
    to = draw.choice(TARGETS)
    data = bytes(draw.choice([0, draw.randrange(256)]) for _ in range(draw.choice(
        [0, 1, 31, 32, 33, 300]
    )))  # fmt: skip
    kind, price = draw.choice([0, 1, 2]), draw.choice([0, 0, 0, 1, 10**6])
    access = []
    if kind and draw.random() < 0.5:
        keys = ["0x" + draw.randbytes(32).hex() for _ in range(draw.randrange(3))]
        access = [{"address": "0x" + draw.randbytes(20).hex(), "storageKeys": keys}]
    gas = intrinsic(to, data, access) + draw.choice([-1, 0, 0, 1, 5_000, 90_000])
    fields = {"to": to, "data": data, "gas": gas, "gasPrice": price}
    fields["value"] = draw.choice([0, 0, 1, 10**14])
    if kind:
        fields["accessList"] = access
    if kind == 2:
        fields |= {"maxFeePerGas": price, "maxPriorityFeePerGas": 0}
    return fields


class TestAccepted:
    def test_is_executed_whatever_was_sent(self, chain: Chain, make_signer: Any):
        draw = random.Random(7)  # seeded cases, no secret
        signers = [make_signer(number) for number in range(1, 5)]
        accepted = refused = 0
        for _ in range(ROUNDS):
            for _ in range(6):
                signer = draw.choice(signers)
                nonce = signer.nonce
                try:
                    sent = signer.transaction(**random_fields(draw))
                    (answer,) = chain.submit([sent])
                except InvalidTransactionError as exc:
                    answer = exc
                if answer is not None:
                    signer.nonce = nonce
                    refused += 1
                accepted += answer is None
            chain.produce(allow_empty=False)
        rejected = "SELECT count(*) FROM transactions WHERE rejection IS NOT NULL"
        assert chain.journal._db.execute(rejected).fetchone() == (0,)
        assert len(chain.pool) == 0
        assert min(accepted, refused) > ROUNDS
