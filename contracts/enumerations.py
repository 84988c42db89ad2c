"""Enumerations of the contracts; the values are those on chain."""

from enum import IntEnum

NO_CUTOFF = 2**64 - 1
"""Cut-off sequence of an active carrier."""


class Kind(IntEnum):
    """What an account is."""

    NONE = 0
    ENTERPRISE = 1
    VERIFIER = 2
    REGULATOR = 3
    BANK = 4
    PARK_OPERATOR = 5
    IDENTITY_PLATFORM = 6


class AccountStatus(IntEnum):
    """What an account may do."""

    NONE = 0
    OPEN = 1
    RESTRICTED = 2
    SUSPENDED = 3
    FROZEN = 4
    CLOSED = 5


class Rights(IntEnum):
    """What a representative may do; the values are a bit set."""

    NONE = 0
    INITIATE = 1
    APPROVE = 2
    BOTH = 3


class CarrierStatus(IntEnum):
    """Where a carrier stands in its life."""

    NONE = 0
    ACTIVE = 1
    SUSPENDED = 2
    REVOKED = 3
    RETIRED = 4


class Purpose(IntEnum):
    """For what a statement is calculated."""

    ETS_DIRECT = 1
    TOTAL_WITH_INDIRECT = 2
    PRODUCT = 3
    PARK = 4


class StatementStatus(IntEnum):
    """How far a statement has come."""

    NONE = 0
    RECORDED = 1
    SUBMITTED = 2
    VERIFIED = 3
    CONFIRMED = 4
    SUPERSEDED = 5


class Opinion(IntEnum):
    """What the auditor found."""

    POSITIVE = 1
    QUALIFIED = 2
    ADVERSE = 3
