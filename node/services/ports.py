"""What the node asks of others: readings of an inbox, proof packages of a member."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from node.errors import InvalidReferenceError, UnavailableMemberError
from oracle.config import MemberSettings
from oracle.errors import OracleError
from oracle.inbox.reader import StoredReading
from oracle.member.envelope import Mailroom
from oracle.member.keys import load_key
from oracle.member.setup import load_deployment
from oracle.member.transport import HttpPeers

__all__ = ["FolderProofs", "MemberProofs", "ProofSource", "ReadingSource"]

_TIMEOUT_S = 120.0


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

    def last_arrivals(self) -> Sequence[tuple[str, int]]:
        """List identifier and last arrival of every carrier ever heard. [unix s]."""
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
    """Packages that this organisation's running member builds on request.

    Args:
        settings: The member's settings; the request is signed with its key.
    """

    def __init__(self, settings: MemberSettings) -> None:
        self._settings = settings

    def package(self, statement: bytes) -> bytes:
        """Ask the member for the package of a statement."""
        try:
            return self._ask(statement)
        except OracleError as exc:
            raise UnavailableMemberError(
                f"The member gives no proof package of statement 0x{statement.hex()} "
                f"({exc}); check that it runs and has recomputed the statement."
            ) from exc

    def _ask(self, statement: bytes) -> bytes:
        settings = self._settings
        key = load_key(settings.key_file, settings.passphrase_file)
        deployment = load_deployment(settings)
        anchor = deployment.domain("ReadingAnchor")
        room = Mailroom(key.private, anchor, time.time)
        own = {key.address: settings.url}
        peers = HttpPeers(room, own, _TIMEOUT_S, settings.tls)
        try:
            return peers.ask(key.address, "package-request", statement)
        finally:
            peers.close()


def _no_package(statement: bytes) -> InvalidReferenceError:
    return InvalidReferenceError(
        f"There is no proof package of statement 0x{statement.hex()} yet; the oracle "
        "makes it once the statement is recorded."
    )
