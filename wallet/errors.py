"""What a key holder can be told.

The tree, by what the reader can do about it::

    WalletError
    ├── InvalidInstructionError   refuse: a field, unit, kind or file is wrong
    ├── InvalidKeystoreError      refuse: wrong password, broken or exposed key file
    ├── StaleInstructionError     start again: expired, or another nonce is due
    ├── ConflictSignatureError    stop: the wrong person, or the same person twice
    ├── UnavailableNodeError      retry: the node cannot be reached
    └── RefusedByNodeError        read the node's sentence: it refused the request
"""

__all__ = [
    "ConflictSignatureError",
    "InvalidInstructionError",
    "InvalidKeystoreError",
    "RefusedByNodeError",
    "StaleInstructionError",
    "UnavailableNodeError",
    "WalletError",
]


class WalletError(Exception):
    """Base of everything the wallet refuses in normal operation."""


class InvalidInstructionError(WalletError):
    """A field, a unit, a kind or a file of an instruction is not acceptable."""

    def __init__(self, where: str, expected: str, given: str, advice: str = "") -> None:
        """Keep the facts and word the sentence.

        Args:
            where: The field or file at fault.
            expected: What would have been accepted.
            given: What was given.
            advice: What to do, where it is not plain from ``expected``.
        """
        end = f"; {advice}" if advice else ""
        super().__init__(f"{where}: expected {expected}, given {given}{end}.")
        self.where = where
        self.expected = expected
        self.given = given


class InvalidKeystoreError(WalletError):
    """A key file cannot be opened, or must not be used."""


class StaleInstructionError(WalletError):
    """The instruction's time or nonce has passed."""


class ConflictSignatureError(WalletError):
    """The signature would be by the wrong person, or twice by the same one."""


class UnavailableNodeError(WalletError):
    """The node cannot be reached now."""


class RefusedByNodeError(WalletError):
    """The node answered with a problem.

    Attributes:
        status: HTTP status of the answer.
        problem: The RFC 9457 problem as the node sent it.
    """

    def __init__(self, status: int, problem: dict[str, object]) -> None:
        """Keep the problem and say its detail."""
        detail = problem.get("detail") or problem.get("title") or f"HTTP {status}"
        # Control characters of a node are not for the terminal of a key holder.
        super().__init__("".join(c if c.isprintable() else " " for c in str(detail)))
        self.status = status
        self.problem = problem
