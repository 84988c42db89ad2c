"""Errors of the node, by what the caller can do.

NodeError
├── InvalidTransactionError    refuse: the chain would never execute it
├── InvalidCallError           refuse: the engine answered with an error
├── InvalidAnswerError         refuse: an engine breaks the JSON-RPC rules
├── UnavailableEngineError     retry:  engine down, restarting or not installed
├── UnavailableStorageError    retry:  disk full, database locked, port taken
├── ConflictJournalError       stop:   journal, snapshots and chain disagree
├── InvalidRequestError        refuse: a parameter of a request is wrong
├── InvalidConfigError         refuse: a setting is absent, unknown or out of range
├── InvalidLoginError          refuse: a login or token proves nothing
├── InvalidAccessError         refuse: the caller has no right to it
├── InvalidReferenceError      refuse: nothing has that name or id
├── StaleInstructionError      renew:  expired, or another nonce is due
├── ConflictInstructionError   stop:   under-signed, or by the wrong people
└── ConflictLedgerError        stop:   index and chain disagree
"""


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


class ConflictJournalError(NodeError):
    """Two records of the chain disagree; a person has to decide."""


# --- store, ledger, services and API ------------------------------------------------


class InvalidRequestError(NodeError):
    """A request whose parameters cannot be served as they are."""


class InvalidConfigError(NodeError):
    """A setting that is absent, unknown or out of range."""


class InvalidLoginError(NodeError):
    """A login, or a token, that proves nothing."""


class InvalidAccessError(NodeError):
    """A caller without the right to this."""


class InvalidReferenceError(NodeError):
    """Nothing here has that name or id."""


class StaleInstructionError(NodeError):
    """An instruction whose time or nonce has passed."""


class ConflictInstructionError(NodeError):
    """An instruction that is under-signed, or signed by the wrong people."""


class ConflictLedgerError(NodeError):
    """Index and chain disagree, or the chain is another one than before."""
