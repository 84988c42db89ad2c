"""Organisations that agree on permissions, each by the keys of two people."""

from collections.abc import Mapping
from pathlib import Path

from node.gate.ballots import PermissionFolder, add_vote
from node.gate.drafting import begin, propose
from node.gate.permissions import Organisation
from wallet.signers import KeySigner

VALIDATES = frozenset({"validate", "read"})


class Voters:
    """Four institutions with a vote, and the folder of their permissions.

    Args:
        folder: Where the versions and, beside them, the gate's settings are.
        chain_id: The chain.
        validators: Organisation → its node; those beside the institutions have no vote.
    """

    NAMES = ("operator", "identity", "auditor", "regulator")

    def __init__(
        self, folder: Path, chain_id: int, validators: Mapping[str, str]
    ) -> None:
        self.folder = folder
        first = begin(folder / "permissions", chain_id, self._entries(validators))
        self.versions = PermissionFolder(folder / "permissions", first.digest, chain_id)
        self.settings = (
            f'chain_id = {chain_id}\npermissions = "{folder / "permissions"}"\n'
            f'permissions_first = "0x{first.digest.hex()}"\n'
        )

    def give_to(self, *homes: Path) -> None:
        """Let organisations' folders name the permissions."""
        for home in homes:
            home.mkdir(parents=True, exist_ok=True)
            (home / "gate.toml").write_text(self.settings)

    def agree(
        self,
        validators: Mapping[str, str],
        *,
        without_right: str = "",
        signing: tuple[str, ...] = NAMES[:3],
    ) -> None:
        """Propose the next version, and let some of the institutions sign it."""
        proposed = propose(self.versions, self._entries(validators, without_right))
        for name in signing:
            for part in ("first", "second"):
                add_vote(self.versions.folder, proposed, _signer(f"{name} {part}"))

    def _entries(
        self, validators: Mapping[str, str], without_right: str = ""
    ) -> list[Organisation]:
        nothing: frozenset[bytes] = frozenset()
        entries = []
        for name in (*self.NAMES, *sorted(set(validators) - set(self.NAMES))):
            keys: tuple[str, ...] = ()
            if name in self.NAMES:
                people = (_signer(f"{name} {part}") for part in ("first", "second"))
                keys = tuple(sorted(one.address.lower() for one in people))
            rights = frozenset({"read"}) if name == without_right else VALIDATES
            nodes = (validators[name],) if name in validators else ()
            entries.append(Organisation(name, rights, keys, nothing, nothing, nodes))
        return entries


def _signer(label: str) -> KeySigner:
    return KeySigner(int.from_bytes(label.encode()).to_bytes(32))
