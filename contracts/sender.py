"""The relayer: carries calls into blocks with a transport key.

The key owns nothing but what gas costs, where it costs anything: what a call may do is
decided by the signatures in its data. Price and nonces come from the chain; nonces are
counted here and read anew whenever the chain knows better, as after a restart.
"""

import threading
import time

from coincurve import PrivateKey

from contracts.calls import GAS_LIMIT, UnsignedCall
from contracts.chain import ChainClient, Receipt
from contracts.errors import (
    ContractsError,
    RefusedRequestError,
    RevertedError,
    StaleNonceError,
)
from contracts.gas import gas_price_wei
from contracts.hashing import keccak256
from contracts.transactions import Transaction, sign_transaction
from contracts.typed_data import address_of

_HEADROOM = (6, 5)
"""An estimate holds for one state; the block may bring another."""

_KNOWN = ("already known", "already imported")
"""How engines say that they have a transaction; then it is where it should be."""

_TOO_CHEAP = ("underpriced", "less than block base fee", "below the minimum")
"""How engines say that gas costs more than was offered."""

_NO_FUNDS = "insufficient funds"
"""How engines say that an address cannot pay its gas."""

_PRICE_LIFE_S = 2.0
"""How long a price is taken as it was read. [s]"""


class Sender:
    """Sends calls from one transport key; thread safe.

    Args:
        client: The chain.
        key: The transport key, secp256k1.
    """

    def __init__(self, client: ChainClient, key: PrivateKey) -> None:
        self.client = client
        self.address = address_of(key.public_key)
        self._key = key
        self._price_wei: int | None = None
        self._price_read_s = 0.0
        self._chain_id = client.chain_id()
        self._nonce: int | None = None
        self._lock = threading.Lock()

    def send(self, call: UnsignedCall, timeout_s: float = 30.0) -> Receipt:
        """Carry a call into a block and wait for it.

        Args:
            call: What to send.
            timeout_s: How long to wait for the block. [s]

        Returns:
            The receipt of success.

        Raises:
            ContractsError: The revert, as its own class.
            UnavailableError: The chain does not answer or makes no block in time.
        """
        return self.settle(call, self.transmit(call), timeout_s)

    def transmit(self, call: UnsignedCall) -> bytes:
        """Hand a call to the chain without waiting for its block.

        Args:
            call: What to send.

        Returns:
            The transaction's hash, 32 bytes.

        Raises:
            ContractsError: The revert found by the estimate, as its own class.
            UnavailableError: The chain does not answer.
        """
        gas = call.gas_limit or self._estimate(call)
        with self._lock:
            try:
                return self._hand_over(call, gas)
            except StaleNonceError:
                self._nonce = None
                return self._hand_over(call, gas)
            except ContractsError:
                self._nonce = None
                raise

    def settle(
        self, call: UnsignedCall, tx_hash: bytes, timeout_s: float = 30.0
    ) -> Receipt:
        """Wait for a transmitted call and find out why it failed, if it did.

        Args:
            call: What was sent.
            tx_hash: Its transaction, 32 bytes.
            timeout_s: How long to wait for the block. [s]

        Returns:
            The receipt of success.

        Raises:
            ContractsError: The revert, as its own class.
            UnavailableError: The chain makes no block in time.
        """
        try:
            receipt = self.client.wait_receipt(tx_hash, timeout_s)
        except ContractsError:
            with self._lock:
                self._nonce = None
            raise
        if not receipt.succeeded:
            raise self._reason(call, receipt)
        return receipt

    def _estimate(self, call: UnsignedCall) -> int:
        gas = self.client.estimate(call.to, call.data, self.address)
        more, than = _HEADROOM
        return min(gas * more // than, max(gas, GAS_LIMIT))

    def _hand_over(self, call: UnsignedCall, gas: int) -> bytes:
        if self._nonce is None:
            self._nonce = self.client.transaction_count(self.address, "pending")
        raw = self._sign(call, gas, self._nonce)
        try:
            self.client.send_raw(raw)
        except RefusedRequestError as exc:
            if _NO_FUNDS in str(exc):
                raise self._poverty(exc) from exc
            if any(sign in str(exc) for sign in _TOO_CHEAP):
                raw = self._sign(call, gas, self._nonce, is_price_stale=True)
                self.client.send_raw(raw)
            elif not any(sign in str(exc) for sign in _KNOWN):
                raise
        self._nonce += 1
        return keccak256(raw)

    def _sign(
        self, call: UnsignedCall, gas: int, nonce: int, *, is_price_stale: bool = False
    ) -> bytes:
        price = self._gas_price_wei(is_stale=is_price_stale)
        transaction = Transaction(self._chain_id, nonce, price, gas, call.to, call.data)
        return sign_transaction(transaction, self._key)

    def _gas_price_wei(self, *, is_stale: bool) -> int:
        """Give a price that the chain takes; where gas is free it stays free."""
        is_old = time.monotonic() - self._price_read_s > _PRICE_LIFE_S
        if self._price_wei is None or is_stale or (self._price_wei and is_old):
            self._price_wei = gas_price_wei(self.client)
            self._price_read_s = time.monotonic()
        return self._price_wei

    def _poverty(self, exc: RefusedRequestError) -> RefusedRequestError:
        message = (
            f"the transport key's address {self.address} cannot pay the gas on chain "
            f"{self._chain_id}: let somebody who has funds there send it some, or use "
            f"the key that the network's genesis funds ({exc})"
        )
        return RefusedRequestError(message, address=self.address)

    def _reason(self, call: UnsignedCall, receipt: Receipt) -> ContractsError:
        """Run a failed call again on the state after its block."""
        if call.to is not None:
            try:
                self.client.call(call.to, call.data, receipt.block_number, self.address)
            except ContractsError as exc:
                return exc
        message = (
            f"transaction 0x{receipt.tx_hash.hex()} failed in block "
            f"{receipt.block_number} after {receipt.gas_used} gas, and does not fail "
            "when run again: was its gas limit too low?"
        )
        return RevertedError(message, tx_hash=receipt.tx_hash)
