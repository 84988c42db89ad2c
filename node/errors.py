"""Errors of the node, by what the caller can do.

NodeError
├── InvalidTransactionError    refuse: the chain would never execute it
├── InvalidCallError           refuse: the engine answered with an error
├── InvalidAnswerError         refuse: an engine breaks the JSON-RPC rules
├── UnavailableEngineError     retry:  engine down, restarting or not installed
├── UnavailableStorageError    retry:  disk full, database locked, port taken
├── UnavailableCapacityError   retry:  too many ask at a time
├── ConflictJournalError       stop:   journal, snapshots and chain disagree
├── ConflictPermissionsError   stop:   a permissions file that was in force is gone
├── InvalidRequestError        refuse: a parameter of a request is wrong
├── InvalidConfigError         refuse: a setting is absent, unknown or out of range
├── InvalidLoginError          refuse: a login or token proves nothing
├── InvalidAccessError         refuse: the caller has no right to it
├── InvalidOperatorError       refuse: the caller did not show the operators' token
├── InvalidReferenceError      refuse: nothing has that name or id
├── StaleInstructionError      renew:  expired, or another nonce is due
├── UnavailableMemberError     retry:  the member that was asked does not answer
├── ConflictInstructionError   stop:   under-signed, or by the wrong people
├── ConflictLedgerError        stop:   index and chain disagree
├── InvalidSeriesError         refuse: a meter series is not the published one
├── InvalidArchiveError        refuse: a backup or export is damaged or not openable
├── ConflictArchiveError       stop:   an archive and its source or target disagree
└── ConflictDemoError          stop:   a step of the demo did not give what it must

``problem_of`` turns each, and those of wallet and contracts, into a problem document
(RFC 9457): the one place of HTTP statuses. The type is a URN of the error's name, the
detail its sentence; facts the error carries come along, so that a program need not
read the sentence.
"""

import re
from dataclasses import dataclass
from typing import Any

from contracts import errors as chain
from wallet import errors as wallet


class NodeError(Exception):
    """Anything the node expects to go wrong in normal operation."""


class InvalidTransactionError(NodeError):
    """A raw transaction that is refused and leaves no trace."""


class InvalidCallError(NodeError):
    """The engine understood a call and refused it.

    Attributes:
        code: JSON-RPC error code.
        message: The engine's words.
        data: The engine's ``data`` member, for example revert bytes.
    """

    def __init__(self, code: int, message: str, data: object = None) -> None:
        super().__init__(f"{message} (code {code})")
        self.code = code
        self.message = message
        self.data = data


class InvalidAnswerError(NodeError):
    """An engine's answer is not what the Ethereum JSON-RPC rules ask for."""


class UnavailableEngineError(NodeError):
    """The chain's engine does not answer now; the same call may work later."""


class UnavailableStorageError(NodeError):
    """The node's disk, database or port cannot be used now."""


class UnavailableCapacityError(NodeError):
    """Too many ask at a time, or one asks for too much."""


class ConflictJournalError(NodeError):
    """Two records of the chain disagree; a person has to decide."""


class ConflictPermissionsError(NodeError):
    """The permissions here are older than those that were in force."""


# --- store, ledger, services and API ------------------------------------------------


class InvalidRequestError(NodeError):
    """A request whose parameters cannot be served as they are."""


class InvalidConfigError(NodeError):
    """A setting that is absent, unknown or out of range."""


class InvalidLoginError(NodeError):
    """A login, or a token, that proves nothing."""


class InvalidAccessError(NodeError):
    """A caller without the right to this."""


class InvalidOperatorError(NodeError):
    """A caller who did not show the operators' token."""


class InvalidReferenceError(NodeError):
    """Nothing here has that name or id."""


class StaleInstructionError(NodeError):
    """An instruction whose time or nonce has passed."""


class ConflictInstructionError(NodeError):
    """An instruction that is under-signed, or signed by the wrong people."""


class ConflictLedgerError(NodeError):
    """Index and chain disagree, or the chain is another one than before."""


class UnavailableMemberError(NodeError):
    """A member of the oracle, or its folder, does not answer now."""


class InvalidSeriesError(NodeError):
    """A meter series whose rows are not the published ones."""


class InvalidArchiveError(NodeError):
    """A backup or export that is damaged, of another form, or opened by no key."""


class ConflictArchiveError(NodeError):
    """An archive and the place it comes from or goes to contradict each other."""


class ConflictDemoError(NodeError):
    """A step of the demo that did not give what it must."""


# --- problem documents ---------------------------------------------------------------

_STATUS: tuple[tuple[type[Exception], int, str], ...] = (
    (InvalidLoginError, 401, "Login needed"),
    (InvalidOperatorError, 401, "For operators"),
    (InvalidAccessError, 403, "No right to this"),
    (InvalidReferenceError, 404, "Not found"),
    (StaleInstructionError, 409, "Overtaken"),
    (ConflictInstructionError, 409, "Signatures incomplete or contradictory"),
    (ConflictLedgerError, 500, "Index and chain disagree"),
    (ConflictJournalError, 500, "Records of the chain disagree"),
    (ConflictPermissionsError, 500, "Permissions are older than before"),
    (InvalidRequestError, 422, "Not acceptable"),
    (UnavailableCapacityError, 429, "Too many at a time"),
    (InvalidTransactionError, 422, "Not acceptable"),
    (InvalidCallError, 502, "The chain's engine refused"),
    (UnavailableMemberError, 502, "The oracle's member does not answer"),
    (UnavailableEngineError, 503, "The chain does not answer"),
    (UnavailableStorageError, 503, "The node's storage cannot be used"),
    (wallet.InvalidInstructionError, 422, "Not acceptable"),
    (wallet.ConflictSignatureError, 409, "Signatures incomplete or contradictory"),
    (wallet.StaleInstructionError, 409, "Overtaken"),
    (chain.InvalidInputError, 422, "Refused by the contract"),
    (chain.StaleError, 409, "Overtaken"),
    (chain.UnavailableError, 503, "Not now"),
    (chain.ConflictError, 409, "Refused by the contract"),
)
_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong, for a person and for a program."""

    status: int
    """HTTP status."""
    type: str
    """URN of the kind of problem."""
    title: str
    """The kind in words."""
    detail: str
    """The sentence: what, where, expected, given, what to do."""
    facts: dict[str, Any]
    """The sentence's facts."""

    def body(self) -> dict[str, Any]:
        """Write the document."""
        members = {"type": self.type, "title": self.title, "status": self.status}
        return {**members, "detail": self.detail, "facts": self.facts}


def problem_of(exc: Exception) -> Problem:
    """Describe an error.

    Args:
        exc: One of the errors of node, wallet or contracts; any other is a fault of
            the node and says nothing about its inside.

    Returns:
        The problem.
    """
    for kind, status, title in _STATUS:
        if isinstance(exc, kind):
            return Problem(status, _urn(type(exc)), title, str(exc), _facts(exc))
    detail = "The node failed in a way it did not expect; its log says more."
    return Problem(500, "urn:ccl:problem:fault", "Fault of the node", detail, {})


def _urn(kind: type[Exception]) -> str:
    name = kind.__name__.removesuffix("Error")
    return f"urn:ccl:problem:{_CAPITAL.sub('-', name).lower()}"


def _facts(exc: Exception) -> dict[str, Any]:
    facts = getattr(exc, "facts", None)
    if not isinstance(facts, dict):
        facts = {key: value for key, value in vars(exc).items() if key[0] != "_"}
    return {name: _plain(value) for name, value in facts.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if value is None or isinstance(value, bool | str):
        return value
    return str(value)
