"""Which parts a node's backup has, and in which order they are taken.

    member's database ─► index ─► files ─► snapshots ─► journal

The order is a rule: what follows the chain is copied before the chain, so that in a
backup nothing knows more than its chain. A part that is behind catches up by itself
after a restore; one that were ahead would be a contradiction.

Left out: the passphrase files, the relayer's key (it owns nothing, a new one is made)
and the plain keys of any kind. Encrypted key files go in when asked for.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from node.backup.archive import is_plain_name
from node.backup.databases import (
    copy_sqlite,
    postgresql_parts,
    sqlite_facts,
    sqlite_size,
)
from node.backup.parts import Part, file_part
from node.config import Settings
from node.errors import InvalidConfigError
from oracle.config import MemberSettings
from oracle.config import load_settings as load_member_settings
from oracle.member.setup import DATABASE

__all__ = ["CHAIN_FOLDER", "JOURNAL", "list_parts"]

CHAIN_FOLDER = "chain"
"""The embedded chain's folder in ``data_dir``."""
JOURNAL = "journal.sqlite"
INDEX = "node.sqlite"

_INDEX_FACTS = {
    "index_block": "SELECT block_number FROM ledger_cursor",
    "index_genesis": "SELECT genesis_hash FROM ledger_cursor",
}
_MEMBER_FACTS = {
    "batches": "SELECT count(*) FROM batches",
    "readings": "SELECT count(*) FROM readings",
    "received_at": "SELECT max(received_at) FROM readings",
}
_JOURNAL_FACTS = {
    "genesis_hash": "SELECT value FROM meta WHERE key = 'genesis_hash'",
    "chain_height": "SELECT max(height) FROM blocks WHERE hash IS NOT NULL",
    "chain_hash": "SELECT hash FROM blocks WHERE hash IS NOT NULL "
    "ORDER BY height DESC LIMIT 1",
    "chain_time": "SELECT max(timestamp) FROM blocks WHERE hash IS NOT NULL",
    "waiting": "SELECT count(*) FROM transactions WHERE height IS NULL "
    "AND rejection IS NULL",
}


def list_parts(
    config: Path, settings: Settings, stack: ExitStack, *, with_keys: bool
) -> list[Part]:
    """List what a node consists of.

    Args:
        config: Its settings file.
        settings: What stands in it.
        stack: Keeps open what has to stay of one moment until all is written.
        with_keys: Whether the member's encrypted key files go in.

    Returns:
        The parts in the order in which they are to be taken.

    Raises:
        NodeError: If a part is absent or cannot be read.
    """
    parts = list(_member(settings, stack, with_keys=with_keys))
    parts += _database(
        settings.database_url, settings.data_dir / INDEX, "index", _INDEX_FACTS, stack
    )
    parts += [
        _settings("node.toml", config),
        _file("deployment.json", settings.deployment),
    ]
    if settings.history is not None:
        parts.append(_file("history.sqlite", settings.history))
    parts += _proofs(settings)
    if settings.is_embedded:
        parts += _chain(settings.data_dir / CHAIN_FOLDER, stack)
    _check_names([part.name for part in parts])
    return parts


def _check_names(names: Sequence[str]) -> None:
    """Refuse now what a restore would refuse when it is too late."""
    for name in names:
        if names.count(name) > 1:
            raise InvalidConfigError(
                f"Two files of the settings would be {name} in the backup; give key "
                "files names of their own."
            )
        if not is_plain_name(name):
            raise InvalidConfigError(
                f"File {name!r} has a name that cannot be restored; rename it without "
                "control characters, or move it away."
            )


def _member(settings: Settings, stack: ExitStack, *, with_keys: bool) -> Iterator[Part]:
    if settings.member_config is None:
        if settings.inbox_database is not None:
            yield _sqlite("inbox.sqlite", settings.inbox_database, _MEMBER_FACTS)
        return
    member = load_member_settings(settings.member_config)
    path = member.data_dir / DATABASE
    yield from _database(member.database_url, path, "member", _MEMBER_FACTS, stack)
    yield _settings("member.toml", settings.member_config)
    if with_keys:
        for key in _key_files(member):
            yield _file(f"keys/{key.name}", key)


def _key_files(member: MemberSettings) -> list[Path]:
    found = {member.key_file, member.transport_key_file}
    return sorted(path for path in found if path is not None)


def _database(
    url: str,
    path: Path,
    name: str,
    questions: Mapping[str, str],
    stack: ExitStack,
) -> list[Part]:
    """Give the parts of a database by URL, or of the file used where there is none."""
    if url.startswith("postgresql"):
        return stack.enter_context(postgresql_parts(url, name, questions))
    if url.startswith("sqlite:///"):
        path = Path(url.removeprefix("sqlite:///"))
    return [_sqlite(f"{name}.sqlite", path, questions)]


def _sqlite(name: str, path: Path, questions: Mapping[str, str]) -> Part:
    if not path.is_file():
        raise InvalidConfigError(
            f"There is no database {path} to back up; start the node once, or correct "
            "the settings."
        )

    def write(target: Path) -> dict[str, Any]:
        copy_sqlite(path, target)
        return sqlite_facts(target, questions)

    return Part(name, sqlite_size(path), write)


def _settings(name: str, path: Path) -> Part:
    """Give a settings file, and remember the folder of its relative paths."""
    part = _file(name, path)

    def write(target: Path) -> dict[str, Any]:
        part.write(target)
        return {name: str(path.resolve().parent)}

    return Part(name, part.size_hint, write)


def _file(name: str, path: Path) -> Part:
    if not path.is_file():
        raise InvalidConfigError(
            f"There is no file {path} to back up; correct the settings that name it."
        )
    return file_part(name, path)


def _proofs(settings: Settings) -> list[Part]:
    folder = settings.proof_folder
    if folder is None or not folder.is_dir():
        return []
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return [_file(f"proofs/{path.name}", path) for path in files]


def _chain(folder: Path, stack: ExitStack) -> list[Part]:
    """Give the newest snapshot and then the journal, which reaches further."""
    newest = sorted((folder / "snapshots").glob("*.snapshot"))[-1:]
    parts = [_held(f"chain/snapshots/{path.name}", path, stack) for path in newest]
    return [*parts, _sqlite(f"chain/{JOURNAL}", folder / JOURNAL, _JOURNAL_FACTS)]


def _held(name: str, path: Path, stack: ExitStack) -> Part:
    """Give a file that may be removed meanwhile: opened now, it stays readable."""
    file = stack.enter_context(path.open("rb"))

    def write(target: Path) -> dict[str, Any]:
        with target.open("wb") as copy:
            shutil.copyfileobj(file, copy)
        return {}

    return Part(name, path.stat().st_size, write)
