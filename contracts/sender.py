"""The relayer: carries calls into blocks with a transport key.

The key owns nothing: gas is free, and what a call may do is decided by the signatures
in its data. Nonces are counted here and read anew whenever the chain knows better, as
after a restart.
"""

import threading

from coincurve import PrivateKey

from contracts.calls import GAS_LIMIT, UnsignedCall
from contracts.chain import ChainClient, Receipt
from contracts.errors import (
    ContractsError,
    RefusedRequestError,
    RevertedError,
    StaleNonceError,
)
from contracts.hashing import keccak256
from contracts.transactions import Transaction, sign_transaction
from contracts.typed_data import address_of

_HEADROOM = (6, 5)
"""An estimate holds for one state; the block may bring another."""

_KNOWN = ("already known", "already imported")
"""How engines say that they have a transaction; then it is where it should be."""


class Sender:
    """Sends calls from one transport key; thread safe.

    Args:
        client: The chain.
        key: The transport key, secp256k1.
        gas_price_wei: Price of gas; 0 on a chain without fees. [wei]
    """

    def __init__(
        self, client: ChainClient, key: PrivateKey, gas_price_wei: int = 0
    ) -> None:
        self.client = client
        self.address = address_of(key.public_key)
        self._key = key
        self._gas_price_wei = gas_price_wei
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
            if not any(sign in str(exc) for sign in _KNOWN):
                raise
        self._nonce += 1
        return keccak256(raw)

    def _sign(self, call: UnsignedCall, gas: int, nonce: int) -> bytes:
        transaction = Transaction(
            self._chain_id, nonce, self._gas_price_wei, gas, call.to, call.data
        )
        return sign_transaction(transaction, self._key)

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
