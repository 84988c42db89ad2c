"""A client for the checks: raw JSON-RPC, one key, transactions that it follows.

Uses nothing but Ethereum JSON-RPC over HTTP, so it asks the same of every engine.
"""

import time
from functools import cached_property
from typing import Any

import httpx
from eth_account import Account
from eth_account.signers.local import LocalAccount

from contracts.hashing import checksum_address
from node.engine.conformance.bytecode import LOGGER, init_code
from node.errors import InvalidAnswerError, InvalidCallError, UnavailableEngineError

RECEIPT_TIMEOUT_S = 30.0
_POLL_S = 0.02
_CALL_TIMEOUT_S = 30.0
_PRICE_HEADROOM = 100
"""Enough for engines that make blocks at once only for tips, as avalanchego."""

Json = Any
"""A decoded JSON value."""


class Probe:
    """Asks an engine and sends it transactions.

    Args:
        url: HTTP address of the JSON-RPC service.
        key: Private key (32 bytes) of a funded account; None makes a fresh one,
            enough where gas is free.
    """

    def __init__(self, url: str, key: bytes | None = None) -> None:
        self.account: LocalAccount = Account.from_key(key) if key else Account.create()
        self._url = url
        self._http = httpx.Client(timeout=_CALL_TIMEOUT_S, trust_env=False)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def post(self, content: bytes) -> Json:
        """Return the decoded answer to any body, well formed or not."""
        headers = {"content-type": "application/json"}
        try:
            answer = self._http.post(self._url, content=content, headers=headers)
            return answer.json()
        except (httpx.HTTPError, ValueError) as exc:
            raise UnavailableEngineError(
                f"the engine at {self._url} gave no JSON answer ({exc!r}); "
                "start it, or correct the address"
            ) from exc

    def post_json(self, request: Json) -> Json:
        """Return the decoded answer to a JSON request."""
        return self.post(httpx.Request("POST", "http://x", json=request).content)

    def call(self, method: str, *params: Json) -> Json:
        """Return a method's result.

        Raises:
            InvalidCallError: If the engine answers with an error.
        """
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = self.post_json(request)
        if not isinstance(answer, dict) or answer.get("id") != 1:
            raise InvalidAnswerError(f"{method}: expected an answer with id 1")
        if "error" in answer:
            error = answer["error"]
            raise InvalidCallError(error["code"], error["message"], error.get("data"))
        return answer["result"]

    def number(self, method: str, *params: Json) -> int:
        """Return a method's result as an integer."""
        return int(self.call(method, *params), 16)

    def refusal(self, method: str, *params: Json) -> InvalidCallError:
        """Return the error that a method must answer with."""
        try:
            result = self.call(method, *params)
        except InvalidCallError as exc:
            return exc
        raise InvalidAnswerError(f"{method}: expected an error, got {result!r:.80}")

    @cached_property
    def chain_id(self) -> int:
        """The chain id that the engine names."""
        return self.number("eth_chainId")

    @cached_property
    def gas_price(self) -> int:
        """A price that the engine takes now and in the next minutes, in wei."""
        block = self.call("eth_getBlockByNumber", "latest", False)
        base = int(block.get("baseFeePerGas") or "0x0", 16)
        return max(_PRICE_HEADROOM * base, self.number("eth_gasPrice"))

    def nonce(self, tag: str = "pending") -> int:
        """Return the account's transaction count."""
        return self.number("eth_getTransactionCount", self.account.address, tag)

    def sign(self, **fields: Json) -> str:
        """Return a raw signed transaction; missing fields are filled in."""
        filled = {
            "chainId": self.chain_id,
            "gas": 100_000,
            "gasPrice": self.gas_price,
            "value": 0,
            "data": b"",
            **fields,
        }
        if "maxFeePerGas" in filled:
            del filled["gasPrice"]
        if "to" in filled:
            filled["to"] = checksum_address(bytes.fromhex(filled["to"][2:]))
        filled.setdefault("nonce", self.nonce())
        return "0x" + self.account.sign_transaction(filled).raw_transaction.hex()

    def send(self, **fields: Json) -> Json:
        """Sign and send a transaction and return its receipt."""
        return self.receipt(self.call("eth_sendRawTransaction", self.sign(**fields)))

    def receipt(self, digest: str) -> Json:
        """Wait for a receipt."""
        deadline = time.monotonic() + RECEIPT_TIMEOUT_S
        while time.monotonic() < deadline:
            found = self.call("eth_getTransactionReceipt", digest)
            if found is not None:
                return found
            time.sleep(_POLL_S)
        raise InvalidAnswerError(f"{digest}: no receipt within {RECEIPT_TIMEOUT_S} s")

    @cached_property
    def logger_deployment(self) -> Json:
        """Receipt of the deployment of a contract that stores and logs a word."""
        return self.send(data=init_code(LOGGER), gas=300_000)

    def log_word(self, word: int) -> Json:
        """Have the contract store and log a word; return the receipt."""
        address = self.logger_deployment["contractAddress"]
        return self.send(to=address, data=word.to_bytes(32))


def expect(name: str, given: Json, expected: Json) -> None:
    """Raise unless a value is the expected one.

    Raises:
        InvalidAnswerError: Naming both values.
    """
    if given != expected:
        raise InvalidAnswerError(f"{name}: expected {expected!r}, got {given!r:.120}")
