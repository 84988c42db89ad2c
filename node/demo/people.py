"""Who acts in the demo: two representatives an organisation, each with an own key.

Keys are made at random for every run and kept as encrypted files below the demo's
folder; their passphrase is machine-made and lies beside them, readable by the owner
only. Nothing here is fit for production: there, each person keeps its own key.
"""

import secrets
from dataclasses import dataclass
from pathlib import Path

from contracts.enumerations import Kind, Rights
from contracts.plan import Organisation
from contracts.structs import Representative
from node.demo.park import ENTERPRISES
from wallet.keystore import create_key
from wallet.signers import KeySigner

PARK_OPERATOR = "park-operator"
IDENTITY_PLATFORM = "identity-platform"
AUDITOR = "auditor"
REGULATOR = "regulator"
BANK = "settlement-bank"

INSTITUTIONS = {
    PARK_OPERATOR: Kind.PARK_OPERATOR,
    IDENTITY_PLATFORM: Kind.IDENTITY_PLATFORM,
    AUDITOR: Kind.VERIFIER,
    REGULATOR: Kind.REGULATOR,
    BANK: Kind.BANK,
}
MEMBERS = (PARK_OPERATOR, IDENTITY_PLATFORM, AUDITOR, REGULATOR)
"""Organisations that run an oracle."""

SCRYPT_N = 2**14
"""Cost of a guess; enough for a machine-made passphrase of 128 bits."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The two representatives of one organisation."""

    initiator: KeySigner
    approver: KeySigner


class People:
    """Every representative of the demo.

    Args:
        folder: Where their key files are written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True)
        self.passphrase_path = folder / "passphrase"
        self.passphrase_path.touch(mode=0o600)
        self.passphrase_path.write_text(secrets.token_hex(16), "ascii")
        names = [*INSTITUTIONS, *(enterprise.name for enterprise in ENTERPRISES)]
        self._pairs = {name: self._make_pair(name) for name in names}

    def pair(self, organisation: str) -> Pair:
        """Return the representatives of an organisation by its name."""
        return self._pairs[organisation]

    def organisations(self) -> tuple[Organisation, ...]:
        """Return all organisations with the addresses of their representatives."""
        return tuple(
            Organisation(
                name,
                INSTITUTIONS.get(name, Kind.ENTERPRISE),
                (
                    Representative(pair.initiator.address, Rights.INITIATE),
                    Representative(pair.approver.address, Rights.APPROVE),
                ),
            )
            for name, pair in self._pairs.items()
        )

    def _make_pair(self, name: str) -> Pair:
        return Pair(self._make(f"{name}-first"), self._make(f"{name}-second"))

    def _make(self, label: str) -> KeySigner:
        passphrase = self.passphrase_path.read_text("ascii")
        stored = create_key(self.folder, label, passphrase, SCRYPT_N)
        return KeySigner.unlock(stored.path, passphrase)
