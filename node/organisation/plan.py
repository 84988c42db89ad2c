"""What an organisation that comes in, or goes, is to have or to lose.

    name = "foundry"
    kind = "enterprise"            # verifier, bank, park_operator, …
    initiators = ["0x…"]           # addresses of keys; one may stand in both lists
    approvers = ["0x…"]
    rights = ["send", "read"]      # of validate, deploy, send, read
    votes = false                  # whether it decides on the permissions; optional
    senders = ["0x…"]              # optional, as deployers and validators: see
    deployers = ["0x…"]            # node/gate/permissions.py
    validators = ["NodeID-…"]
    member_key = "0x…"             # optional: runs an oracle member with this key
    threshold = 4                  # optional: of the oracle then; default the least

A plan names addresses only; every key stays with its owner.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contracts.enumerations import AccountStatus, Kind
from contracts.structs import Representative
from contracts.typed_data import account_id
from node.gate.permissions import Organisation, read_organisation
from node.plan_file import read_kind, read_plan, read_representatives

__all__ = ["OnboardingPlan", "RemovalPlan", "load_plan"]

_ACCOUNT = {"kind", "initiators", "approvers", "votes", "member_key", "threshold"}


@dataclass(frozen=True, slots=True)
class OnboardingPlan:
    """An organisation that comes in."""

    permitted: Organisation
    """Its entry of the permissions file."""
    kind: Kind
    representatives: tuple[Representative, ...]
    member_key: str | None = None
    """Address of its oracle member's key; None runs none."""
    threshold: int | None = None
    """Signatures that a report needs with the new member; None is the least."""

    @property
    def name(self) -> str:
        """Its registered name."""
        return self.permitted.name

    @property
    def account(self) -> str:
        """Its account's id."""
        return account_id(self.name)


@dataclass(frozen=True, slots=True)
class RemovalPlan:
    """An organisation that goes."""

    name: str
    status: AccountStatus
    """What its account becomes."""
    reason: bytes
    """Digest of the document that gives the reason, 32 bytes."""
    threshold: int | None = None
    """Signatures that a report needs without its member; None is the least."""
    carriers: Mapping[bytes, str] = field(default_factory=dict)
    """Its active carriers: keccak256 of the identifier → identifier."""
    cutoffs: Mapping[str, int] = field(default_factory=dict)
    """Identifier → last sequence number whose readings count."""

    @property
    def account(self) -> str:
        """Its account's id."""
        return account_id(self.name)


def load_plan(path: Path) -> OnboardingPlan:
    """Read the plan of an onboarding.

    Args:
        path: TOML file.

    Returns:
        The plan, not checked against a chain.

    Raises:
        InvalidConfigError: Names the entry that is missing or wrong.
    """
    return read_plan(
        path,
        lambda entries: _plan(entries, path.name),
        "carbon-node organisation onboard",
    )


def _plan(entries: Mapping[str, Any], name: str) -> OnboardingPlan:
    kind, people = read_kind(entries), read_representatives(entries)
    votes = entries.get("votes", kind is not Kind.ENTERPRISE)
    keys = sorted(one.key for one in people) if votes else []
    rest = {key: value for key, value in entries.items() if key not in _ACCOUNT}
    return OnboardingPlan(
        read_organisation({**rest, "keys": keys}, name),
        kind,
        people,
        entries.get("member_key"),
        entries.get("threshold"),
    )
