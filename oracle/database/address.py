"""Where a database is: a file (SQLite) or the URL of a PostgreSQL database.

Rules kept: no secret stands in an address, so that it may be shown and logged: a
password comes from a file of mode 600 that the URL names with ``passfile``, from
``~/.pgpass`` or from a client certificate. Nothing is opened here.
"""

import stat
from pathlib import Path
from typing import TypeAlias

from sqlalchemy import URL
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from oracle.errors import InvalidSettingsError

Address: TypeAlias = Path | str
"""File of an SQLite database, or an SQLAlchemy URL."""

EXAMPLE = "postgresql+psycopg://USER@HOST:5432/NAME?passfile=FILE"
DRIVERS = frozenset({"sqlite", "postgresql+psycopg"})
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def parse_address(address: Address) -> URL:
    """Read an address and refuse what cannot work or tells a secret.

    Args:
        address: File or URL.

    Returns:
        The URL.

    Raises:
        InvalidSettingsError: It is none of the two kinds, carries a password, or
            names a password file that is absent or that others may read.
    """
    if isinstance(address, Path):
        return URL.create("sqlite", database=str(address))
    try:
        url = make_url(address)
    except ArgumentError as exc:
        raise _unusable("it is no URL") from exc
    if url.drivername not in DRIVERS:
        raise _unusable(f"it names the kind {url.drivername}")
    if url.password is not None:
        message = (
            "database_url carries a password: expected a file of mode 600 named with "
            f"?passfile=FILE (a line HOST:PORT:NAME:USER:PASSWORD), as in {EXAMPLE}"
        )
        raise InvalidSettingsError(message)
    if isinstance(passfile := url.query.get("passfile"), str):
        _check_passfile(Path(passfile))
    return url


def shown(address: Address) -> str:
    """Write an address for people: the file, or server and database."""
    if isinstance(address, Path):
        return str(address)
    url = make_url(address)
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return url.set(query={}, password=None).render_as_string(hide_password=True)


def _check_passfile(path: Path) -> None:
    """Refuse what libpq would pass over in silence, and then ask for a password."""
    try:
        mode = path.stat().st_mode
    except OSError as exc:
        message = f"password file {path} cannot be read ({exc.strerror}): make it"
        raise InvalidSettingsError(message) from exc
    if mode & _OTHERS:
        message = (
            f"password file {path} has mode {stat.S_IMODE(mode):03o}, expected 600: "
            f"run chmod 600 {path}"
        )
        raise InvalidSettingsError(message)


def _unusable(reason: str) -> InvalidSettingsError:
    return InvalidSettingsError(
        f"database_url is no usable database address ({reason}): give sqlite:///PATH "
        f"or {EXAMPLE}"
    )
