"""What went wrong in a database, in one word for both kinds.

SQLite says it by the name of an error code, PostgreSQL by an SQLSTATE; only where a
connection cannot be made there is no code, then by words.
"""

from enum import Enum
from typing import Any

from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from oracle.database.address import Address, shown


class Fault(Enum):
    """Kind of a fault; the value says what is wrong and what to do."""

    FULL = "the disk of {} is full: free space and try again"
    LOCKED = "{} is locked by another process: end it and try again"
    READ_ONLY = "{} cannot be written ({reason}): check folder and rights"
    ACCESS = "{} refuses this user ({reason}): check user, password file and rights"
    ABSENT = "{} does not exist: create the database (createdb) or correct the URL"
    UNREACHABLE = "{} cannot be reached ({reason}): start the server, check host, port"
    DUPLICATE = "another process writes to {}: run one inbox a database"
    DAMAGED = "{} is damaged ({reason}): stop, keep it and run carbon-oracle rebuild"
    OTHER = "{} does not work ({reason}): check disk and file, that the disk has room"

    def sentence(self, address: Address, error: SQLAlchemyError) -> str:
        """Say what is wrong with a database and what to do."""
        return self.value.format(shown(address), reason=_reason(error))


_BY_SQLITE_NAME = {
    "SQLITE_FULL": Fault.FULL,
    "SQLITE_BUSY": Fault.LOCKED,
    "SQLITE_LOCKED": Fault.LOCKED,
    "SQLITE_READONLY": Fault.READ_ONLY,
    "SQLITE_CANTOPEN": Fault.READ_ONLY,
    "SQLITE_CORRUPT": Fault.DAMAGED,
    "SQLITE_NOTADB": Fault.DAMAGED,
    "SQLITE_IOERR_SHORT": Fault.DAMAGED,
}
_BY_SQLSTATE = {
    "53": Fault.FULL,
    "55": Fault.LOCKED,
    "40": Fault.LOCKED,
    "25": Fault.READ_ONLY,
    "28": Fault.ACCESS,
    "42501": Fault.ACCESS,
    "3D": Fault.ABSENT,
    "08": Fault.UNREACHABLE,
    "57": Fault.UNREACHABLE,
    "23": Fault.DUPLICATE,
    "XX": Fault.DAMAGED,
    "58": Fault.DAMAGED,
}
_BY_WORDS = (
    ("full", Fault.FULL),
    ("no space", Fault.FULL),
    ("locked", Fault.LOCKED),
    ("busy", Fault.LOCKED),
    ("malformed", Fault.DAMAGED),
    ("not a database", Fault.DAMAGED),
    ("readonly", Fault.READ_ONLY),
    ("unable to open", Fault.READ_ONLY),
    ("authentication failed", Fault.ACCESS),
    ("no password supplied", Fault.ACCESS),
    ("does not exist", Fault.ABSENT),
    ("connection", Fault.UNREACHABLE),
    ("starting up", Fault.UNREACHABLE),
    ("shutting down", Fault.UNREACHABLE),
)


def fault_of(error: SQLAlchemyError) -> Fault:
    """Name what went wrong.

    Args:
        error: What SQLAlchemy raised.

    Returns:
        The kind of the fault.
    """
    if isinstance(error, IntegrityError):
        return Fault.DUPLICATE
    cause: Any = error.orig if isinstance(error, DBAPIError) else error
    name = str(getattr(cause, "sqlite_errorname", ""))
    for prefix, fault in _BY_SQLITE_NAME.items():
        if name.startswith(prefix):
            return fault
    state = str(getattr(cause, "sqlstate", None) or "")
    if state:
        by_class = _BY_SQLSTATE.get(state[:2], Fault.OTHER)
        return _BY_SQLSTATE.get(state, by_class)
    words = str(cause).lower()
    found = (fault for word, fault in _BY_WORDS if word in words)
    return next(found, Fault.OTHER)


def _reason(error: SQLAlchemyError) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else error
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    return lines[0] if lines else type(cause).__name__
