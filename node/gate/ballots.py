"""Which permissions file is in force: a chain of versions, each signed by the last.

    permissions-0001.toml                    pinned by its digest in the settings
    permissions-0002.toml
    permissions-0002.signatures.json         of two keys each of a quorum of version 1

Rules it keeps:

1. The first version is in force only if it has the pinned digest.
2. A later one is in force only if it names the digest of the version before and a
   quorum of that version's voters signed it, each by two of its keys.
3. A version that was once in force here is never followed by an older one: the newest
   is written down, and a folder that lacks it is refused.

Signatures are EIP-191 over a sentence that names chain, version and both digests, so
any wallet shows what is signed.
"""

import json
import logging
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from contracts.errors import ContractsError
from contracts.typed_data import recover
from node.errors import ConflictPermissionsError, InvalidConfigError
from node.gate.permissions import LEAST_KEYS, Permissions, parse_permissions
from wallet.signers import Signer, text_digest

__all__ = [
    "Ballot",
    "PermissionFolder",
    "add_vote",
    "ballot_text",
    "collect_votes",
    "file_names",
    "read_votes",
    "replace_file",
]

logger = logging.getLogger(__name__)

FORMAT = "ccl/permission-signatures/v1"
_SEEN = "in-force"
_NOTE = re.compile(r"(\d{1,9}) ([0-9a-f]{64})\n")


@dataclass(frozen=True, slots=True)
class Ballot:
    """How far a version has come."""

    proposed: Permissions
    agreed: tuple[str, ...]
    """Voters with two signatures."""
    open: tuple[str, ...]
    """Voters without."""
    quorum: int
    """How many must agree."""

    @property
    def is_carried(self) -> bool:
        """Whether a quorum has agreed."""
        return len(self.agreed) >= self.quorum


def file_names(version: int) -> tuple[str, str]:
    """Name a version's file and that of its signatures."""
    stem = f"permissions-{version:04}"
    return f"{stem}.toml", f"{stem}.signatures.json"


def ballot_text(proposed: Permissions) -> str:
    """Say what a representative signs."""
    return (
        f"Park carbon ledger, chain {proposed.chain_id}: permissions version "
        f"{proposed.version}, SHA-256 {proposed.digest.hex()}, following "
        f"{proposed.previous.hex()}"
    )


class PermissionFolder:
    """The versions of the permissions in one folder.

    Args:
        folder: Where they are.
        first: SHA-256 of version 1, 32 bytes.
        chain_id: The chain they must be for.
    """

    def __init__(self, folder: Path, first: bytes, chain_id: int) -> None:
        self.folder = folder
        self._first = first
        self._chain_id = chain_id

    def in_force(self) -> Permissions:
        """Follow the versions and return the newest that is in force.

        Raises:
            InvalidConfigError: If version 1 is absent, another one, or malformed.
            ConflictPermissionsError: If a version that was in force here is gone.
        """
        present = self._read_first()
        while (ballot := self.ballot(present)) is not None and ballot.is_carried:
            present = ballot.proposed
        self._note(present)
        return present

    def ballot(self, present: Permissions) -> Ballot | None:
        """Count the votes for the version after one, None if none is proposed.

        Raises:
            InvalidConfigError: If its file or signatures are malformed, or it does not
                follow the present version.
        """
        name, signatures = file_names(present.version + 1)
        if not (self.folder / name).exists():
            return None
        proposed = parse_permissions(_read(self.folder / name), name)
        if _place(proposed) != (present.chain_id, present.version + 1, present.digest):
            raise InvalidConfigError(
                f"Permissions file {name} does not follow version {present.version}: "
                f"expected version {present.version + 1} of chain {present.chain_id} "
                f"with previous 0x{present.digest.hex()}; propose it again."
            )
        votes = read_votes(self.folder / signatures)
        agreed = tuple(
            voter.name
            for voter in present.voters
            if len(_valid(votes, ballot_text(proposed)) & set(voter.keys)) >= LEAST_KEYS
        )
        still = tuple(v.name for v in present.voters if v.name not in agreed)
        return Ballot(proposed, agreed, still, present.quorum)

    def _read_first(self) -> Permissions:
        name, _ = file_names(1)
        first = parse_permissions(_read(self.folder / name), name)
        if first.digest != self._first or first.version != 1:
            raise InvalidConfigError(
                f"Permissions file {name} has SHA-256 0x{first.digest.hex()}, expected "
                f"0x{self._first.hex()} of the settings; take the file that the "
                "organisations agreed on at the start."
            )
        if first.chain_id != self._chain_id:
            raise InvalidConfigError(
                f"Permissions file {name} is for chain {first.chain_id}, this is chain "
                f"{self._chain_id}; take the file of this chain."
            )
        return first

    def _note(self, present: Permissions) -> None:
        """Write down the newest version, and refuse to go behind it."""
        path = self.folder / _SEEN
        version, digest = 0, ""
        if path.exists():
            noted = _NOTE.fullmatch(_read(path).decode("ascii", "replace"))
            if noted is None:
                raise ConflictPermissionsError(
                    f"File {path} no longer says which permissions were in force; put "
                    "it back, or take it away if the folder has all versions."
                )
            version, digest = int(noted[1]), noted[2]
        if (version, digest) == (present.version, present.digest.hex()):
            return
        if version >= present.version:
            raise ConflictPermissionsError(
                f"Permissions version {version} was in force here, folder {self.folder}"
                f" now ends with version {present.version} of another content; put the "
                "missing files back, which every other organisation has."
            )
        replace_file(path, f"{present.version} {present.digest.hex()}\n")
        logger.info("permissions in force version=%s", present.version)


def read_votes(path: Path) -> dict[str, bytes]:
    """Read signatures: address of the key, lower case, to 64 bytes.

    Raises:
        InvalidConfigError: If the file is no such file.
    """
    if not path.exists():
        return {}
    try:
        document = json.loads(_read(path))
        votes = {
            str(key).lower(): bytes.fromhex(str(made).removeprefix("0x"))
            for key, made in document["signatures"].items()
        }
        given = document["format"]
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise InvalidConfigError(
            f"Signatures {path.name} cannot be read ({exc!r}); expected {FORMAT} "
            "with signatures by key; collect them again."
        ) from exc
    if given != FORMAT:
        raise InvalidConfigError(
            f"Signatures {path.name} have format {given!r}, expected {FORMAT}; collect "
            "them again."
        )
    return votes


def add_vote(folder: Path, proposed: Permissions, signer: Signer) -> None:
    """Sign a proposed version and add the signature to its file.

    Args:
        folder: Where the versions are.
        proposed: What is signed.
        signer: A key of a voter.
    """
    made = signer.sign_text(ballot_text(proposed))
    _merge(folder, proposed, {signer.address.lower(): made})


def collect_votes(folder: Path, proposed: Permissions, brought: Path) -> int:
    """Take over the signatures that others made elsewhere.

    Args:
        folder: Where the versions are.
        proposed: What they signed.
        brought: Their file of signatures.

    Returns:
        How many of them are valid; the others are left out.

    Raises:
        InvalidConfigError: If the file is no such file.
    """
    votes = read_votes(brought)
    valid = _valid(votes, ballot_text(proposed))
    _merge(folder, proposed, {key: votes[key] for key in valid})
    return len(valid)


def _merge(folder: Path, proposed: Permissions, more: Mapping[str, bytes]) -> None:
    path = folder / file_names(proposed.version)[1]
    votes = read_votes(path) | dict(more)
    shown = {key: f"0x{made.hex()}" for key, made in sorted(votes.items())}
    document = {"format": FORMAT, "signatures": shown}
    replace_file(path, json.dumps(document, indent=2) + "\n")


def _valid(votes: Mapping[str, bytes], text: str) -> set[str]:
    """Give the keys whose signature over a text is theirs."""
    digest = text_digest(text)
    valid = set()
    for key, made in votes.items():
        try:
            if recover(digest, made).lower() == key:
                valid.add(key)
        except ContractsError:
            logger.warning("permissions signature malformed key=%s", key)
    return valid


def _place(permissions: Permissions) -> tuple[int, int, bytes]:
    return permissions.chain_id, permissions.version, permissions.previous


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise InvalidConfigError(
            f"File {path} cannot be read ({exc.strerror}); put it there, every "
            "organisation has a copy."
        ) from exc


def replace_file(path: Path, text: str) -> None:
    """Write a file whole or not at all; two gates may share the folder.

    Args:
        path: The file.
        text: What it is to hold.

    Raises:
        InvalidConfigError: If it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    try:
        with temporary.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as exc:
        raise InvalidConfigError(
            f"File {path} cannot be written ({exc.strerror}); correct the folder's "
            "permissions, or free disk space."
        ) from exc
