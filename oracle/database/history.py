"""The history of a database's tables: every database is brought to the newest.

Rules kept: tables are made by migrations alone; a database of a newer program is
refused before anything is touched; a whole upgrade is one transaction; nothing goes
back to an older revision, for what was acknowledged is never dropped.
"""

from importlib.resources import as_file, files
from pathlib import Path
from typing import NoReturn

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection

from oracle.errors import ConflictDatabaseError


class UnknownRevisionError(ValueError):
    """The database names a revision that this program does not have.

    Attributes:
        revision: What the database names.
    """

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"its tables are of revision {revision}, which this version does not know:"
            " install the version that wrote it, or a newer one"
        )
        self.revision = revision


def migrate(connection: Connection, package: str) -> None:
    """Bring the tables to the newest revision.

    Args:
        connection: Connection inside a write transaction, which the caller commits.
        package: Package whose folder ``migrations`` holds the history.

    Raises:
        UnknownRevisionError: The database was written by another version.
    """
    with as_file(files(package) / "migrations") as folder:
        config = _config(folder)
        config.attributes["connection"] = connection
        found = MigrationContext.configure(connection).get_current_revision()
        scripts = ScriptDirectory.from_config(config)
        if found is not None and not _is_known(scripts, found):
            raise UnknownRevisionError(found)
        if found != scripts.get_current_head():
            command.upgrade(config, "head")


def revisions(connection: Connection, package: str) -> tuple[str | None, str]:
    """Tell which revision a database is of, and which is the newest; change nothing.

    Args:
        connection: Connection to the database.
        package: Package whose folder ``migrations`` holds the history.

    Returns:
        The database's revision, None where it has no tables yet, and the newest.
    """
    with as_file(files(package) / "migrations") as folder:
        newest = ScriptDirectory.from_config(_config(folder)).get_current_head()
    found = MigrationContext.configure(connection).get_current_revision()
    return found, newest or ""


def refuse_downgrade(revision: str) -> NoReturn:
    """Say why tables stay as they are; what every migration's way back is.

    Args:
        revision: Revision that somebody wants to leave.

    Raises:
        ConflictDatabaseError: Always.
    """
    raise ConflictDatabaseError(
        f"tables of revision {revision} cannot go back to an older one, which would "
        "drop what was acknowledged: keep this version, or restore a backup that the "
        "older version made (carbon-node restore)"
    )


def _config(folder: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    return config


def _is_known(scripts: ScriptDirectory, revision: str) -> bool:
    try:
        return scripts.get_revision(revision) is not None
    except CommandError:
        return False
