"""Client of a chain: raw JSON-RPC over HTTP, one connection pool, thread safe.

It translates at the seam: a chain that does not answer is an ``UnavailableError``, a
revert is the exception of ``contracts.errors`` that bears its name. It signs nothing
and keeps no state but its connections.
"""

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import httpx

from contracts.errors import (
    ConflictError,
    ContractsError,
    RefusedRequestError,
    StaleNonceError,
    UnavailableError,
    decode_revert,
)
from contracts.hashing import address_bytes, checksum_address

BlockId = int | str
"""Block number, or ``latest``, ``pending``, ``earliest``, ``finalized``."""

_REVERTED = 3
"""JSON-RPC error code of a reverted call."""
_UNAVAILABLE = -32002
"""JSON-RPC error code of a resource that is not available now (EIP-1474)."""
_NOT_YET = "unfinalized"
"""How avalanchego says that there is no such block yet, where others say null."""
_FIRST_POLL_S = 0.004
_LONGEST_POLL_S = 0.25
_RETIRED_CLIENTS = 4


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


class ChainClient:
    """Requests to one RPC address.

    Args:
        url: The chain's RPC address.
        timeout_s: How long one request may take. [s]
    """

    def __init__(self, url: str, timeout_s: float = 10.0) -> None:
        self.url = url
        self._timeout_s = timeout_s
        self._http = httpx.Client(timeout=timeout_s, trust_env=False)
        self._retired: list[httpx.Client] = []
        self._ids = itertools.count(1)

    def __enter__(self) -> Self:
        """Use the client for a while."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close its connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        for client in (*self._retired, self._http):
            client.close()

    # --- requests -------------------------------------------------------------------

    def request(self, method: str, *params: Any) -> Any:
        """Send one request.

        Args:
            method: JSON-RPC method.
            params: Its parameters.

        Returns:
            The result as the chain gave it.

        Raises:
            UnavailableError: The chain does not answer.
            ContractsError: A revert, as its own class, or another refusal.
        """
        body = self._body(method, params)
        answer = self._post(body)
        if not isinstance(answer, dict):
            raise self._nonsense(answer)
        if "result" in answer and answer.get("id") != body["id"]:
            self._renew()
            raise self._nonsense(answer)
        return self._result(answer)

    def batch(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        """Send several requests in one message.

        Args:
            calls: Method and parameters of each.

        Returns:
            The results in the order of the calls.

        Raises:
            UnavailableError: The chain does not answer.
            ContractsError: The first refusal among the answers.
        """
        if not calls:
            return []
        bodies = [self._body(method, params) for method, params in calls]
        answers = self._post(bodies)
        if not isinstance(answers, list):
            raise self._nonsense(answers)
        by_id = {answer.get("id"): answer for answer in answers}
        if missing := [body["id"] for body in bodies if body["id"] not in by_id]:
            self._renew()
            message = (
                f"expected {len(bodies)} answers from {self.url}, "
                f"{len(missing)} are missing: try again"
            )
            raise UnavailableError(message)
        return [self._result(by_id[body["id"]]) for body in bodies]

    def _body(self, method: str, params: Sequence[Any]) -> dict[str, Any]:
        number = next(self._ids)
        return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}

    def _renew(self) -> None:
        """Leave connections on which answers are out of step with requests.

        An answer that came late or twice would push every later one back by one.
        Other threads may still be waiting on them, so they are closed a while later.
        """
        self._retired.append(self._http)
        self._http = httpx.Client(timeout=self._timeout_s, trust_env=False)
        if len(self._retired) > _RETIRED_CLIENTS:
            self._retired.pop(0).close()

    def _post(self, body: Any) -> Any:
        try:
            response = self._http.post(self.url, json=body)
        except httpx.TransportError as exc:
            message = (
                f"the chain at {self.url} does not answer "
                f"({exc or type(exc).__name__}): is its engine running?"
            )
            raise UnavailableError(message, url=self.url) from exc
        try:
            return response.json()
        except ValueError as exc:
            status = response.status_code
            message = (
                f"expected JSON-RPC from {self.url}, got HTTP status {status}: "
                "check the address, or try again later"
            )
            raise UnavailableError(message, url=self.url, status=status) from exc

    def _nonsense(self, answer: Any) -> ContractsError:
        error = answer.get("error") if isinstance(answer, dict) else None
        if error is not None:
            return _refusal(error)
        message = f"expected a JSON-RPC answer from {self.url}, got something else"
        return UnavailableError(message, url=self.url)

    def _result(self, answer: dict[str, Any]) -> Any:
        if "result" in answer:
            return answer["result"]
        if "error" not in answer:
            raise self._nonsense(answer)
        raise _refusal(answer["error"])

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
        return _bytes(self.request("eth_call", call, _block_id(block)))

    def code(self, address: str) -> bytes:
        """Read the code at an address, empty where there is none."""
        return _bytes(self.request("eth_getCode", address, "latest"))

    def transaction_count(self, address: str, block: BlockId = "latest") -> int:
        """Give the next transaction nonce of an address."""
        count = self.request("eth_getTransactionCount", address, _block_id(block))
        return int(count, 16)

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
        found: list[dict[str, Any]] = self.request(
            "eth_getLogs",
            {
                "fromBlock": hex(from_block),
                "toBlock": hex(to_block),
                "address": list(addresses),
            },
        )
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
        return int(self.request("eth_estimateGas", call), 16)

    def send_raw(self, transaction: bytes) -> bytes:
        """Hand over a signed transaction.

        Args:
            transaction: Its bytes.

        Returns:
            Its hash, 32 bytes.
        """
        return _bytes(self.request("eth_sendRawTransaction", _hex(transaction)))

    def receipt(self, tx_hash: bytes) -> Receipt | None:
        """Read a transaction's receipt.

        Args:
            tx_hash: 32 bytes.

        Returns:
            The receipt, None while it is in no block.
        """
        found = self.request("eth_getTransactionReceipt", _hex(tx_hash))
        return None if found is None else _receipt(found)

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


def _no_such_thing(what: str, exc: Exception) -> UnavailableError:
    message = f"expected {what} from the chain, got something else ({exc}): try again"
    return UnavailableError(message)


def _refusal(error: dict[str, Any]) -> ContractsError:
    """Turn a JSON-RPC error into the exception of what happened."""
    code, text = error.get("code"), str(error.get("message", ""))
    data = error.get("data")
    if isinstance(data, dict):
        data = data.get("data")
    if isinstance(data, str) and data.startswith("0x"):
        return decode_revert(_bytes(data))
    if code == _REVERTED or "revert" in text:
        return decode_revert(b"")
    if "nonce" in text.lower():
        return StaleNonceError(f"the chain refused the transaction's nonce: {text}")
    if code == _UNAVAILABLE:
        return UnavailableError(f"the chain cannot answer now, try again: {text}")
    message = f"the chain refused the request with code {code}: {text}"
    return RefusedRequestError(message, code=code)


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
