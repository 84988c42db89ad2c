"""Client of a chain: what it says of itself, and transactions handed over.

Requests travel by ``contracts.rpc``. What comes back is read strictly: an answer of
another shape, as from a line that mixes answers up, is an ``UnavailableError`` and
never passes for the chain. It signs nothing and keeps no state but its connections.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from contracts.errors import ConflictError, RefusedRequestError, UnavailableError
from contracts.hashing import address_bytes, checksum_address
from contracts.rpc import RpcClient

BlockId = int | str
"""Block number, or ``latest``, ``pending``, ``earliest``, ``finalized``."""

_NOT_YET = "unfinalized"
"""How avalanchego says that there is no such block yet, where others say null."""
_FIRST_POLL_S = 0.004
_LONGEST_POLL_S = 0.25


@dataclass(frozen=True, slots=True)
class Block:
    """A block's header, as far as anyone here needs it."""

    number: int
    hash: bytes
    parent_hash: bytes
    timestamp: int
    """Unix seconds."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a transaction."""

    tx_hash: bytes
    block_number: int
    block_hash: bytes
    succeeded: bool
    gas_used: int
    """Gas. [gas]"""
    contract_address: str | None
    """Address of the created contract."""
    logs: tuple[dict[str, Any], ...]
    """Raw logs, see ``contracts.events``."""


class ChainClient(RpcClient):
    """Reads of one chain, and the transactions that others signed.

    Args:
        url: The chain's RPC address.
        timeout_s: How long one request may take. [s]
    """

    # --- reading --------------------------------------------------------------------

    def chain_id(self) -> int:
        """Give the chain's id."""
        return _number(self.request("eth_chainId"))

    def require_chain(self, chain_id: int) -> None:
        """Make sure that this is the right chain.

        Args:
            chain_id: The id expected.

        Raises:
            ConflictError: It is another chain.
        """
        given = self.chain_id()
        if given != chain_id:
            message = (
                f"expected chain {chain_id} at {self.url}, got chain {given}: "
                "check the address or the deployment file"
            )
            raise ConflictError(message, given=given, needed=chain_id)

    def block_number(self) -> int:
        """Give the height of the chain."""
        return _number(self.request("eth_blockNumber"))

    def block(self, which: BlockId = "latest") -> Block | None:
        """Read a block's header.

        Args:
            which: Number or tag.

        Returns:
            The header, None where there is no such block.
        """
        try:
            found = self.request("eth_getBlockByNumber", _block_id(which), False)
        except RefusedRequestError as exc:
            if _NOT_YET not in str(exc):
                raise
            return None
        if found is None:
            return None
        try:
            return Block(
                int(found["number"], 16),
                _bytes(found["hash"]),
                _bytes(found["parentHash"]),
                int(found["timestamp"], 16),
            )
        except (KeyError, TypeError, ValueError) as exc:
            raise _no_such_thing("a block's header", exc) from exc

    def place_of(self, number: int, block_hash: bytes) -> int:
        """Place a block that a report refers to in the order of all blocks.

        Args:
            number: Its number in the report.
            block_hash: Its hash in the report, 32 bytes.

        Returns:
            The number; another one where a ledger was moved here (``history``).
        """
        del block_hash
        return number

    def call(
        self, to: str, data: bytes, block: BlockId = "latest", sender: str | None = None
    ) -> bytes:
        """Run a function without a transaction.

        Args:
            to: The contract.
            data: Call data.
            block: The state to run on.
            sender: Who seems to call.

        Returns:
            What the function returned.

        Raises:
            ContractsError: The revert, as its own class.
        """
        call = {"to": to, "data": _hex(data)}
        if sender is not None:
            call["from"] = sender
        return _data(self.request("eth_call", call, _block_id(block)))

    def code(self, address: str) -> bytes:
        """Read the code at an address, empty where there is none."""
        return _data(self.request("eth_getCode", address, "latest"))

    def transaction_count(self, address: str, block: BlockId = "latest") -> int:
        """Give the next transaction nonce of an address."""
        count = self.request("eth_getTransactionCount", address, _block_id(block))
        return _number(count)

    def logs(
        self, from_block: int, to_block: int, addresses: Sequence[str]
    ) -> list[dict[str, Any]]:
        """Read the raw logs of some contracts.

        Args:
            from_block: First block.
            to_block: Last block, included.
            addresses: The contracts.

        Returns:
            Logs in the order of the chain.
        """
        found = self.request(
            "eth_getLogs",
            {
                "fromBlock": hex(from_block),
                "toBlock": hex(to_block),
                "address": list(addresses),
            },
        )
        if not isinstance(found, list):
            raise _no_such_thing("a list of logs", found)
        return found

    # --- transactions ---------------------------------------------------------------

    def estimate(self, to: str | None, data: bytes, sender: str) -> int:
        """Estimate a transaction's gas.

        Args:
            to: The contract; None creates one.
            data: Call data or creation code.
            sender: Who sends it.

        Returns:
            Gas. [gas]

        Raises:
            ContractsError: The revert, as its own class.
        """
        call = {"from": sender, "data": _hex(data)}
        if to is not None:
            call["to"] = to
        return _number(self.request("eth_estimateGas", call))

    def send_raw(self, transaction: bytes) -> bytes:
        """Hand over a signed transaction.

        Args:
            transaction: Its bytes.

        Returns:
            Its hash, 32 bytes.
        """
        return _data(self.request("eth_sendRawTransaction", _hex(transaction)))

    def receipt(self, tx_hash: bytes) -> Receipt | None:
        """Read a transaction's receipt.

        Args:
            tx_hash: 32 bytes.

        Returns:
            The receipt, None while it is in no block.
        """
        found = self.request("eth_getTransactionReceipt", _hex(tx_hash))
        if found is None:
            return None
        try:
            return _receipt(found)
        except (KeyError, TypeError, ValueError) as exc:
            raise _no_such_thing("a receipt", exc) from exc

    def wait_receipt(self, tx_hash: bytes, timeout_s: float = 30.0) -> Receipt:
        """Wait until a transaction is in a block.

        Args:
            tx_hash: 32 bytes.
            timeout_s: How long to wait. [s]

        Returns:
            Its receipt, of success or failure.

        Raises:
            UnavailableError: It is in no block in time.
        """
        give_up = time.monotonic() + timeout_s
        pause_s = _FIRST_POLL_S
        while (receipt := self.receipt(tx_hash)) is None:
            if time.monotonic() > give_up:
                message = (
                    f"transaction {_hex(tx_hash)} is in no block after {timeout_s} s: "
                    "does the chain make blocks?"
                )
                raise UnavailableError(message, tx_hash=tx_hash)
            time.sleep(pause_s)
            pause_s = min(pause_s * 1.5, _LONGEST_POLL_S)
        return receipt


def _number(answer: Any) -> int:
    """Read a number; a line that mixes up answers must not pass for the chain."""
    try:
        return int(answer, 16)
    except (TypeError, ValueError) as exc:
        raise _no_such_thing("a number", exc) from exc


def _data(answer: Any) -> bytes:
    """Read bytes, as strictly as a number."""
    try:
        return _bytes(answer)
    except (TypeError, ValueError) as exc:
        raise _no_such_thing("hexadecimal data", exc) from exc


def _no_such_thing(what: str, why: object) -> UnavailableError:
    message = f"expected {what} from the chain, got something else ({why}): try again"
    return UnavailableError(message)


def _receipt(found: dict[str, Any]) -> Receipt:
    created = found.get("contractAddress")
    return Receipt(
        _bytes(found["transactionHash"]),
        int(found["blockNumber"], 16),
        _bytes(found["blockHash"]),
        int(found["status"], 16) == 1,
        int(found["gasUsed"], 16),
        None if created is None else checksum_address(address_bytes(created)),
        tuple(found["logs"]),
    )


def _block_id(block: BlockId) -> str:
    return hex(block) if isinstance(block, int) else block


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
