"""What can go wrong in a calculation, by what the caller can do about it.

AccountingError                      expected during normal operation
├── InvalidQuantityError             refuse: an inexact number, an unknown unit
├── InvalidDocumentError             refuse: bytes that are not in canonical form
├── InvalidRuleSetError              refuse: a rule set that is not sound
├── InvalidActivityError             refuse: activity data that do not fit the rule set
├── InvalidBoundaryError             refuse: a boundary that is not sound
├── InvalidSampleError               refuse: a register value the channel cannot show
├── UnavailableFactorError           retry with another year, region or rule set
├── UnavailableReadingsError         retry when readings of the period have arrived
└── ConflictSampleError              stop: one sequence number with two register values
"""


class AccountingError(Exception):
    """Base of all errors of this package.

    Attributes:
        where: The place: a rule set, a formula, a source, a field.
        expected: What would have been accepted.
        given: What was found.
    """

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        expected: object = None,
        given: object = None,
        advice: str = "",
    ) -> None:
        self.where = where
        self.expected = expected
        self.given = given
        text = f"{where}: {what}" if where else what
        if expected is not None:
            text += f": expected {expected}, got {given}"
        super().__init__(f"{text}; {advice}" if advice else text)


class InvalidQuantityError(AccountingError):
    """A number is not exact, a unit is unknown, or two units do not fit."""


class InvalidDocumentError(AccountingError):
    """Bytes are not canonical JSON of the expected shape."""


class InvalidRuleSetError(AccountingError):
    """A rule set is incomplete, contradicts itself or fails the unit check."""


class InvalidActivityError(AccountingError):
    """Activity data are missing, unknown, in a wrong unit or out of range."""


class InvalidBoundaryError(AccountingError):
    """A boundary names a source twice or a role that does not exist."""


class InvalidSampleError(AccountingError):
    """A sample holds a value that the register of its channel cannot show."""


class UnavailableFactorError(AccountingError):
    """No factor is in force for the key and date asked for."""


class UnavailableReadingsError(AccountingError):
    """The readings of a period do not suffice for a ledger."""


class ConflictSampleError(AccountingError):
    """A carrier signed two different values under one sequence number."""
