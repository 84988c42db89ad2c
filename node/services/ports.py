"""What the node asks of others: readings of an inbox, proof packages of a member."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import httpx

from node.errors import InvalidReferenceError, UnavailableMemberError
from oracle.inbox.reader import StoredReading

__all__ = ["FolderProofs", "MemberProofs", "ProofSource", "ReadingSource"]

_TIMEOUT_S = 30.0


class ReadingSource(Protocol):
    """Where stored readings can be looked up; an inbox's reader is one."""

    def readings_of(
        self, identifier: str, from_ts: int, to_ts: int
    ) -> Sequence[StoredReading]:
        """List readings of one carrier with from_ts ≤ ts < to_ts, by sequence."""
        ...

    def counts(self) -> dict[str, int]:
        """Count the rows of each table that operators watch."""
        ...


class ProofSource(Protocol):
    """Where proof packages come from."""

    def package(self, statement: bytes) -> bytes:
        """Give the proof package of a statement.

        Args:
            statement: Its id, 32 bytes.

        Returns:
            The package, deterministic CBOR.

        Raises:
            InvalidReferenceError: If there is none.
            UnavailableMemberError: If the source does not answer.
        """
        ...


class FolderProofs:
    """Packages in a folder, one file ``<statement in hexadecimal>.cclp`` each.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def package(self, statement: bytes) -> bytes:
        """Read the package of a statement."""
        path = self._folder / f"{statement.hex()}.cclp"
        try:
            return path.read_bytes()
        except FileNotFoundError as exc:
            raise _no_package(statement) from exc
        except OSError as exc:
            raise UnavailableMemberError(
                f"Proof package {path.name} cannot be read ({exc.strerror}); check the "
                "folder of setting proof_folder."
            ) from exc


class MemberProofs:
    """Packages that a member of the oracle serves over HTTP.

    Args:
        url: The member's address; packages are under ``/proofs/statements/<hex>``.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def package(self, statement: bytes) -> bytes:
        """Ask the member for the package of a statement."""
        url = f"{self._url}/proofs/statements/{statement.hex()}"
        try:
            answer = httpx.get(url, timeout=_TIMEOUT_S)
        except httpx.HTTPError as exc:
            raise UnavailableMemberError(
                f"The member at {self._url} does not answer; start it, or try again."
            ) from exc
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise _no_package(statement)
        if answer.is_error:
            raise UnavailableMemberError(
                f"The member at {self._url} answered with HTTP {answer.status_code}; "
                "look at its log."
            )
        return answer.content


def _no_package(statement: bytes) -> InvalidReferenceError:
    return InvalidReferenceError(
        f"There is no proof package of statement 0x{statement.hex()} yet; the oracle "
        "makes it once the statement is recorded."
    )
