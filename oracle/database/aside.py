"""Setting a damaged database aside, so that a new one can take its place.

    member.db, member.db-wal, …    ─►  member.db.damaged-1, member.db.damaged-1-wal, …
    PostgreSQL: schema public      ─►  schema damaged_1

Rules kept: nothing is deleted or changed, whether it can be read or not; what was set
aside is named, so that a person can look at it. Where a crash comes between two files
the next attempt sets the rest aside under the same number.
"""

import os
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from oracle.database.address import Address, parse_address, shown
from oracle.database.claim import FileClaim
from oracle.database.faults import fault_of
from oracle.database.witness import witness_path
from oracle.errors import ConflictDatabaseError

SUFFIXES = ("-wal", "-shm", "-journal", "")
"""Files of an SQLite database; its main one goes last, so that a crash is noticed."""


def file_of(address: Address) -> Path | None:
    """Give the file of an SQLite database, None for PostgreSQL."""
    url = parse_address(address)
    if url.get_backend_name() != "sqlite":
        return None
    return Path(str(url.database))


def set_aside(address: Address) -> str | None:
    """Put what is at an address out of the way.

    Args:
        address: Database that nobody uses.

    Returns:
        Where it is now, None if nothing was there.

    Raises:
        ConflictDatabaseError: A process uses it, or it cannot be moved.
    """
    path = file_of(address)
    if path is None:
        return _rename_schema(address)
    claim = FileClaim(path)
    try:
        return _move_files(path)
    except OSError as exc:
        message = f"{path} cannot be set aside ({exc.strerror}): check folder, rights"
        raise ConflictDatabaseError(message) from exc
    finally:
        claim.release()


def damaged_files(path: Path) -> list[Path]:
    """List what was set aside of a file, the latest first."""
    found = path.parent.glob(f"{path.name}.damaged-*")
    kept = [one for one in found if one.name.rsplit("-", 1)[1].isdigit()]
    return sorted(kept, key=lambda one: -int(one.name.rsplit("-", 1)[1]))


def _move_files(path: Path) -> str | None:
    present = [path.with_name(path.name + one) for one in SUFFIXES]
    present = [one for one in present if one.exists()]
    account = witness_path(path)
    if not present and not account.exists():
        return None
    latest = damaged_files(path)
    number = int(latest[0].name.rsplit("-", 1)[1]) + 1 if latest else 1
    target = path.with_name(f"{path.name}.damaged-{number}")
    for one in present:
        one.rename(target.with_name(target.name + one.name[len(path.name) :]))
    if account.exists():
        account.rename(witness_path(target))
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
    return str(target) if present else None


def _rename_schema(address: Address) -> str | None:
    engine = sa.create_engine(parse_address(address))
    try:
        with engine.begin() as connection:
            question = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'damaged_%'"
            number = len(connection.exec_driver_sql(question.replace("%", "%%")).all())
            name = f"damaged_{number + 1}"
            connection.exec_driver_sql(f"ALTER SCHEMA public RENAME TO {name}")
            connection.exec_driver_sql("CREATE SCHEMA public")
    except SQLAlchemyError as exc:
        said = fault_of(exc).sentence(address, exc)
        message = f"{shown(address)} cannot be set aside: {said}"
        raise ConflictDatabaseError(message) from exc
    finally:
        engine.dispose()
    return f"{shown(address)}, schema {name}"
