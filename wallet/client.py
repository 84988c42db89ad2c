"""HTTP client of a node, for key holders.

It logs in with a signed challenge when a node wants to know who asks, after checking
that the challenge is for this key, this node and this chain. Problems come back as
the node's own sentence. It never sends a key or a password.
"""

from typing import Any, Self

import httpx

from contracts.typed_data import account_id
from wallet.errors import (
    ConflictSignatureError,
    RefusedByNodeError,
    UnavailableNodeError,
)
from wallet.signers import Signer

__all__ = ["NodeClient"]

_SIGN_IN = " wants you to sign in with your Ethereum account:"
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class NodeClient:
    """A key holder's connection to a node.

    Args:
        url: Address of the node's API.
        signer: The key to log in with, None for public questions only.
        timeout_s: Longest wait for an answer. [s]

    Raises:
        UnavailableNodeError: If the address is none.
    """

    def __init__(
        self, url: str, signer: Signer | None = None, timeout_s: float = 60.0
    ) -> None:
        self.url = url.rstrip("/")
        self._signer = signer
        try:
            where = httpx.URL(self.url)
        except httpx.InvalidURL as exc:
            raise UnavailableNodeError(
                f"Node address: expected http://HOST:PORT, given {url!r}; give the "
                "node's address with --node."
            ) from exc
        self._http = httpx.Client(base_url=where, timeout=timeout_s, trust_env=False)

    def __enter__(self) -> Self:
        """Log in, where there is a key to log in with."""
        if self._signer is not None:
            self._login(self._signer)
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection and forget the token."""
        self._http.close()

    def get(self, path: str, **query: Any) -> Any:
        """Ask the node.

        Args:
            path: Path of the question.
            query: Parameters; None is left out.

        Returns:
            The JSON answer.

        Raises:
            RefusedByNodeError: If the node answers with a problem.
            UnavailableNodeError: If it does not answer.
        """
        known = {name: value for name, value in query.items() if value is not None}
        return self._ask("GET", path, params=known)

    def post(self, path: str, body: Any = None) -> Any:
        """Send something to the node; errors as in ``get``."""
        return self._ask("POST", path, json=body)

    def status(self) -> dict[str, Any]:
        """Ask for chain id, chain time and the contracts' addresses."""
        return dict(self.get("/status"))

    def account(self, account: str) -> dict[str, Any]:
        """Ask for an account with its representatives and next number."""
        return dict(self.get(f"/accounts/{account}"))

    def names(self) -> dict[str, str]:
        """Give the names of contracts and accounts, by address.

        An account's id is the hash of its name, so a false name is left out; so is one
        that would steer the terminal it is shown on.
        """
        status = self.status()
        known = {address: name for name, address in status["contracts"].items()}
        known |= {
            address: f"mandate of {name}"
            for name, address in status["mandates"].items()
        }
        if self._signer is not None:
            rows = self.get("/accounts")
            pairs = [(str(row["account"]), str(row["name"])) for row in rows]
            known |= {where: name for where, name in pairs if account_id(name) == where}
        return {where: name for where, name in known.items() if name.isprintable()}

    def _login(self, signer: Signer) -> None:
        address = signer.address
        challenge = self.post("/login/challenge", {"address": address})
        message = str(challenge["message"])
        self._check_challenge(message, address)
        signature = f"0x{signer.sign_text(message).hex()}"
        answer = {"message": message, "signature": signature}
        token = self.post("/login/answer", answer)["token"]
        self._http.headers["Authorization"] = f"Bearer {token}"

    def _check_challenge(self, message: str, address: str) -> None:
        """Sign nothing that is not a login of this key to this node and chain.

        The domain must be that of the node's address, so that nobody can pass on the
        challenge of another node; a node on this machine may have any name.
        """
        lines = message.split("\n")
        domain = lines[0].removesuffix(_SIGN_IN)
        where = httpx.URL(self.url)
        is_domain = domain == where.netloc.decode() or where.host in _LOOPBACK
        chain_id = self.status()["chain_id"]
        wanted = {address, "Version: 1", f"Chain ID: {chain_id}"}
        is_login = lines[0].endswith(_SIGN_IN) and wanted.issubset(lines)
        if not is_login or not is_domain:
            raise ConflictSignatureError(
                f"The node at {self.url} asked to sign something that is no login of "
                f"{address} there; nothing was signed, tell its operator."
            )

    def _ask(self, method: str, path: str, **content: Any) -> Any:
        try:
            answer = self._http.request(method, path, **content)
        except httpx.HTTPError as exc:
            raise UnavailableNodeError(
                f"The node at {self.url} does not answer; start it, or give its "
                "address with --node."
            ) from exc
        try:
            body = answer.json()
        except ValueError as exc:
            raise UnavailableNodeError(
                f"At {self.url} answers something that is no node of the ledger (HTTP "
                f"{answer.status_code}); give the node's address with --node."
            ) from exc
        if answer.is_error:
            raise RefusedByNodeError(answer.status_code, dict(body))
        return body
