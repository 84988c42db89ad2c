"""A real chain that takes blocks back: random reorganisations of real ledger acts.

Drives a bare anvil (``anvil_rollback``, ``anvil_reorg``), a door that no engine of the
product has. Every block carries one instruction of the park, signed beforehand for its
account's nonce, so that a branch is replayed in milliseconds and the same transaction
may come back in another block.
"""

import random
import threading
from functools import cache
from typing import Any

from coincurve import PrivateKey

from contracts.bindings.market import HALT
from contracts.calls import UnsignedCall
from contracts.enumerations import AccountStatus
from contracts.transactions import Transaction, sign_transaction
from node.services.relay import call_of

GAS = 2_000_000
DEADLINE_S = 20_000
VARIANTS = 5


class RestlessChain:
    """A park's chain whose newest blocks are never safe.

    Args:
        park: The park on a bare anvil.
        dice: Decides what happens.
        window: Most blocks above the height at the beginning.
    """

    def __init__(self, park: Any, dice: random.Random, window: int = 40) -> None:
        self._park = park
        self._dice = dice
        self._window = window
        self._deadline = park.now() + DEADLINE_S
        self._nonces = [(park.nonce("regulator"), park.nonce("bank"))]
        self.reorganisations = 0
        self._lock = threading.Lock()
        self._signed = cache(self._sign)
        # Mining by itself, anvil is still at it when it has answered already.
        park.client.request("evm_setAutomine", False)

    @property
    def blocks(self) -> int:
        """Blocks above the height at the beginning."""
        return len(self._nonces) - 1

    def grow(self, count: int) -> None:
        """Add blocks, each with one act."""
        for _ in range(count):
            raw, after = self._act(self._nonces[-1])
            self._park.client.request("eth_sendRawTransaction", raw)
            self._park.client.request("evm_mine")
            self._nonces.append(after)

    def reorganise(self, deepest: int = 12) -> int:
        """Replace the newest blocks by others, fewer, as many or more.

        Returns:
            How many blocks were taken back.
        """
        with self._lock:  # a reader that gave up waiting leaves one running
            return self._reorganise(self._dice.randint(1, deepest))

    def _reorganise(self, depth: int) -> int:
        if self.blocks < depth:
            self.grow(depth - self.blocks)
        if self._dice.random() < 0.4:
            self._replace(depth)
        else:
            self._park.client.request("anvil_rollback", depth)
            del self._nonces[-depth:]
            room = self._window - self.blocks
            self.grow(self._dice.randint(0, min(depth + 2, room)))
        self.reorganisations += 1
        return depth

    def _replace(self, depth: int) -> None:
        """Take blocks back and put as many others there, in one request."""
        nonces, pairs = self._nonces[: -depth or None], []
        for at in range(depth):
            if self._dice.random() < 0.3:  # a block without a log of ours
                nonces.append(nonces[-1])
                continue
            raw, after = self._act(nonces[-1])
            pairs.append([raw, at])
            nonces.append(after)
        self._park.client.request("anvil_reorg", depth, pairs)
        self._nonces = nonces

    def _act(self, nonces: tuple[int, int]) -> tuple[str, tuple[int, int]]:
        regulator, bank = nonces
        variant = self._dice.randrange(VARIANTS)
        if variant == 0:
            return self._signed("bank", bank, variant), (regulator, bank + 1)
        return self._signed("regulator", regulator, variant), (regulator + 1, bank)

    def _sign(self, who: str, nonce: int, variant: int) -> str:
        instruction = self._park.signed(self._build(who, nonce, variant), who)
        call = call_of(instruction)
        chain_id = self._park.deployment.chain_id
        sent = Transaction(chain_id, 0, 0, GAS, call.to, call.data)
        return f"0x{sign_transaction(sent, PrivateKey()).hex()}"

    def _build(self, who: str, nonce: int, variant: int) -> Any:
        park = self._park
        fields = {"nonce": nonce, "deadline": self._deadline}
        if variant == 0:
            receipt = f"receipt {nonce} of a branch"
            money = {"to": "steel", "fen": nonce + 1, "bank_reference": receipt}
            return park.cash("CreditReceipt", who, **money, **fields)
        if variant == 1:
            quota = {"vintage": 2024, "tonnes": nonce + 1, "document": "decision"}
            return park.quota("IssueQuota", who, **quota, **fields)
        call = self._governed(nonce, variant)
        act = {"target": call.to, "data": f"0x{call.data.hex()}"}
        mandate = park.deployment.mandates[who]
        return park.build("Call", mandate, who, **act, **fields)

    def _governed(self, nonce: int, variant: int) -> UnsignedCall:
        ledger = self._park.ledger
        if variant == 2:
            data = HALT.encode(2024, nonce % 2 == 0)
            return UnsignedCall(ledger.market.address, data)
        if variant == 3:
            status = (AccountStatus.RESTRICTED, AccountStatus.OPEN)[nonce % 2]
            return ledger.accounts.set_status(
                self._park.account("glass"), status, b"r" * 32
            )
        return ledger.market.set_reference_price(2024, 1_000 + nonce)
