"""JSON-RPC over HTTP: requests out, results or exceptions back, thread safe.

It translates at the seam: a chain that does not answer, or answers with something else,
is an ``UnavailableError``, a revert is the exception of ``contracts.errors`` that bears
its name. It keeps no state but its connections and does not know what is asked.
"""

import itertools
from collections.abc import Sequence
from typing import Any, Self

import httpx

from contracts.errors import (
    ContractsError,
    RefusedRequestError,
    StaleNonceError,
    UnavailableError,
    decode_revert,
)

_REVERTED = 3
"""JSON-RPC error code of a reverted call."""
_UNAVAILABLE = -32002
"""JSON-RPC error code of a resource that is not available now (EIP-1474)."""
_RETIRED_CLIENTS = 4
"""How many abandoned connection pools are kept open for threads that wait on them."""


class RpcClient:
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
        by_id = {
            answer["id"]: answer
            for answer in answers
            if isinstance(answer, dict) and isinstance(answer.get("id"), int)
        }
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
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
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


def _refusal(error: Any) -> ContractsError:
    """Turn a JSON-RPC error into the exception of what happened."""
    if not isinstance(error, dict):
        message = f"expected a JSON-RPC error from the chain, got {error!r}: try again"
        return UnavailableError(message)
    code, text = error.get("code"), str(error.get("message", ""))
    if (data := _revert_data(error.get("data"))) is not None:
        return decode_revert(data)
    if code == _REVERTED or "revert" in text:
        return decode_revert(b"")
    if "nonce" in text.lower():
        return StaleNonceError(f"the chain refused the transaction's nonce: {text}")
    if code == _UNAVAILABLE:
        return UnavailableError(f"the chain cannot answer now, try again: {text}")
    message = f"the chain refused the request with code {code}: {text}"
    return RefusedRequestError(message, code=code)


def _revert_data(data: Any) -> bytes | None:
    """Find what a contract reverted with; engines nest it in different ways."""
    if isinstance(data, dict):
        data = data.get("data")
    if not isinstance(data, str) or not data.startswith("0x"):
        return None
    try:
        return bytes.fromhex(data[2:])
    except ValueError:
        return None
