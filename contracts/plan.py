"""What a new ledger is to hold: organisations, members, streams, rules.

A plan names addresses only, never keys.
"""

from dataclasses import dataclass, field

from contracts.bindings.rulebook import Rule
from contracts.enumerations import Kind
from contracts.errors import InvalidInputError
from contracts.rules import calendar_years, default_rules
from contracts.structs import Member, Representative
from contracts.typed_data import account_id

ADMIN_DELAY_S = 172_800
"""Two days: this product's choice, unconfirmed by any rule. [s]"""

_MAX_DELAY_S = 2**32 - 1
"""Longest delay that the access manager can hold. [s]"""


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation and who speaks for it."""

    name: str
    """Registered name; the account's id follows from it."""
    kind: Kind
    representatives: tuple[Representative, ...]
    """At least two; one initiates, another approves."""

    @property
    def account(self) -> str:
        """The account's id."""
        return account_id(self.name)


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream of batches."""

    name: str
    max_silence_s: int
    """Longest pause between two batches. [s]"""


@dataclass(frozen=True, slots=True)
class DeploymentPlan:
    """Everything a new ledger starts with."""

    organisations: tuple[Organisation, ...]
    members: tuple[Member, ...]
    threshold: int
    """Members' signatures that a report needs."""
    streams: tuple[Stream, ...]
    rules: tuple[Rule, ...] = field(default_factory=default_rules)
    years: tuple[int, ...] = field(default_factory=calendar_years)
    """Years whose working days are set."""
    admin_delay_s: int = ADMIN_DELAY_S
    """Time between announcing and doing what needs the administrator. [s]"""

    @property
    def institutions(self) -> tuple[Organisation, ...]:
        """Those that govern through a mandate: all but the enterprises."""
        return tuple(o for o in self.organisations if o.kind != Kind.ENTERPRISE)

    def of_kind(self, kind: Kind) -> tuple[Organisation, ...]:
        """List the organisations of a kind.

        Args:
            kind: What they are.
        """
        return tuple(o for o in self.organisations if o.kind == kind)

    def check(self) -> None:
        """Refuse a plan that could never be carried out.

        Raises:
            InvalidInputError: An institution is missing or there twice, a name repeats,
                a member belongs to nobody of the plan, or the delay does not fit.
        """
        if not 0 <= self.admin_delay_s <= _MAX_DELAY_S:
            message = (
                f"expected an administrator's delay of 0 to {_MAX_DELAY_S} s, "
                f"got {self.admin_delay_s}"
            )
            raise InvalidInputError(message, given=self.admin_delay_s)
        for kind in (Kind.REGULATOR, Kind.IDENTITY_PLATFORM):
            if len(given := self.of_kind(kind)) != 1:
                title = kind.name.lower().replace("_", " ")
                message = f"a plan needs exactly one {title}, got {len(given)}"
                raise InvalidInputError(message, kind=kind, given=len(given))
        names = [organisation.name for organisation in self.organisations]
        if twice := {name for name in names if names.count(name) > 1}:
            message = f"every organisation has one name, repeated: {sorted(twice)}"
            raise InvalidInputError(message, names=sorted(twice))
        known = {organisation.account for organisation in self.organisations}
        for index, member in enumerate(self.members):
            if member.organisation not in known:
                message = (
                    f"member {index} is of account {member.organisation}, "
                    "expected an organisation of the plan"
                )
                raise InvalidInputError(message, index=index)
