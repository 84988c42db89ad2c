"""The stages of a verification and the report that names what failed first."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from types import MappingProxyType

from contracts.structs import StatementReport

EXIT_ACCEPTED = 0
EXIT_OF_STAGE_0 = 10
"""Exit code of a failed stage is this plus the stage's number."""


class Stage(IntEnum):
    """What is checked, in this order; each builds on those before."""

    FORM = 1
    """The file is a package, in the only form of its content."""
    TRUST = 2
    """Chain, contracts and every member configuration are those of the trust file."""
    STATEMENT = 3
    """A quorum signed the statement report; document and boundary are its own."""
    BATCHES = 4
    """A quorum signed every batch report; they form one chain and one log."""
    REGISTRY = 5
    """Keys, status and channels of every carrier stand under the batches' roots."""
    READINGS = 6
    """Every reading is in its batch and signed by its carrier (checks 1 to 5)."""
    COMPLETENESS = 7
    """No reading between a carrier's first and last is missing without record."""
    RULES = 8
    """Rule sets and factors are those that the statement names."""
    RECOMPUTATION = 9
    """The calculation gives the same inputs, grams and result again."""
    REPORT = 10
    """The report says what was recomputed: boundary, period, purpose, batches."""


class Outcome(StrEnum):
    """How a stage ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_REACHED = "not_reached"


@dataclass(frozen=True, slots=True)
class Failure:
    """The first thing that did not hold."""

    subject: str
    """The reading, factor, signature, field or byte concerned."""
    expected: str
    """What would have passed."""
    given: str
    """What was found."""


@dataclass(frozen=True, slots=True)
class StageResult:
    """One stage of a verification."""

    stage: Stage
    """Which stage."""
    outcome: Outcome
    """How it ended."""
    found: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """What it found, for the reader: name → value."""
    failure: Failure | None = None
    """What failed, for a failed stage."""


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """The whole verification of one package."""

    stages: tuple[StageResult, ...]
    """All stages in order, those not reached too."""
    statement: StatementReport | None
    """Report in the package, None where the file has no form. Believe it only when
    the package is accepted."""
    package_digest: bytes
    """32 bytes, SHA-256 of the file."""
    notices: tuple[str, ...] = ()
    """What a reader must know of the recomputed figure: defaults, fall-backs, factors
    of another year, editions not in force."""
    unconfirmed: tuple[str, ...] = ()
    """What entered the figure without being confirmed at its source."""

    @property
    def is_accepted(self) -> bool:
        """True when every stage passed."""
        return all(one.outcome is Outcome.PASSED for one in self.stages)

    @property
    def failed(self) -> StageResult | None:
        """The stage that failed, None if none did."""
        for one in self.stages:
            if one.outcome is Outcome.FAILED:
                return one
        return None

    @property
    def exit_code(self) -> int:
        """0 for an accepted package, else 10 plus the number of the failed stage."""
        return EXIT_OF_STAGE_0 + self.failed.stage if self.failed else EXIT_ACCEPTED
