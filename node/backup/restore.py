"""Bring a node back from a backup, into a new folder, whole or not at all.

 1. the target is absent or empty, the disk has room
 2. the archive has the given digest and is opened, every entry verified, into
    ``<target>.partial``
 3. it is the ledger that was asked for, and the same chain where that runs elsewhere
 4. settings are written for the new place; databases by URL are filled, if empty
 5. the member's memory is marked: what it may have signed since, it never signs again
 6. the folder gets its name
 7. ``fsck``: the chain is replayed, the index held against it

A run that is killed before step 6 leaves a ``.partial`` folder, which the next run
removes, and perhaps a filled database, which it refuses: empty it, or name another one.
"""

import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.chain import ChainClient
from contracts.directory import Deployment
from contracts.errors import ContractsError, UnavailableError
from node.backup.archive import Report, file_digest
from node.backup.create import require_space
from node.backup.databases import is_empty, load_postgresql
from node.backup.keys import load_identities
from node.backup.manifest import Manifest
from node.backup.settings_files import (
    MEMBER_TOML,
    NODE_TOML,
    place_member,
    place_node,
)
from node.backup.sources import CHAIN_FOLDER
from node.backup.unpack import read_backup
from node.config import load_settings
from node.engine.salvage import rebuild_witness
from node.errors import (
    ConflictArchiveError,
    InvalidArchiveError,
    UnavailableEngineError,
)
from node.fsck import check_node
from node.services.fsck import Report as Checked
from node.store.database import open_database
from oracle.config import load_settings as load_member_settings
from oracle.inbox.store import open_engine
from oracle.member.setup import DATABASE, database_of, open_memory

__all__ = ["Order", "Restored", "restore_backup"]

logger = logging.getLogger(__name__)

_PLACES = {
    "index.sqlite": "data/node.sqlite",
    "member.sqlite": f"member/data/{DATABASE}",
    "member.toml": MEMBER_TOML,
    "chain": "data/chain",
}
"""Where in the restored folder an entry of the archive goes, else where it lies."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be restored, and where to."""

    archive: Path
    target: Path
    """Folder to make."""
    identity: Path
    """File of the key that opens the archive."""
    database_url: str | None = None
    """Empty database for the index; None: the one of the settings."""
    member_database_url: str | None = None
    """Empty database for the member; None: the one of its settings."""
    deployment: Path | None = None
    """Deployment file of the ledger that is expected; None expects no certain one."""
    sha256: str | None = None
    """SHA-256 that the archive had when it was made, hexadecimal; None trusts whoever
    may write to where it lies, for anybody can encrypt to a public key."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored."""

    config: Path
    """Settings file of the restored node."""
    manifest: Manifest
    checked: Checked | None
    """What ``fsck`` found equal; None where its chain does not answer now."""


def restore_backup(order: Order, report: Report) -> Restored:
    """Restore a backup.

    Args:
        order: What and where to.
        report: Told of progress.

    Returns:
        What was restored.

    Raises:
        NodeError: If anything is not as it must be; until the last step nothing is
            left of it then.
    """
    identities = load_identities(order.identity)
    _require_empty(order.target)
    _require_archive(order)
    target = order.target.absolute()
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    _require_room(order.archive, target.parent)
    partial.mkdir(mode=0o700)
    try:
        manifest = read_backup(order.archive, identities, partial, report)
        _require_ledger(order, manifest)
        _arrange(partial)
        _write_settings(order, manifest, partial)
        _require_chain(partial, manifest)
        _fill_databases(partial, manifest)
        _forget_votes(partial)
        if target.exists():
            target.rmdir()
        partial.rename(target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    config = target / NODE_TOML
    return Restored(config, manifest, _checked(config))


def _checked(config: Path) -> Checked | None:
    try:
        return check_node(load_settings(config))
    except UnavailableEngineError as exc:
        logger.warning("restored, not checked yet: %s", exc)
        return None


def _require_empty(target: Path) -> None:
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ConflictArchiveError(
            f"Folder {target} is not empty and a restore overwrites nothing; name a "
            "new folder, or move the old one away."
        )


def _require_room(archive: Path, parent: Path) -> None:
    try:
        size = archive.stat().st_size
    except OSError as exc:
        raise InvalidArchiveError(
            f"Backup {archive} cannot be read ({exc.strerror}); give the right path."
        ) from exc
    require_space(parent, size)


def _require_archive(order: Order) -> None:
    """Refuse another archive than the one that was made (step 2)."""
    if order.sha256 is None or not order.archive.is_file():
        return
    found = file_digest(order.archive)
    if found != order.sha256.lower():
        raise InvalidArchiveError(
            f"Backup {order.archive} has SHA-256 {found}, expected {order.sha256}; it "
            "is another archive, nothing was restored: find the right one."
        )


def _require_ledger(order: Order, manifest: Manifest) -> None:
    """Refuse the backup of another ledger than the one that is expected (step 3)."""
    if order.deployment is None:
        return
    try:
        expected = Deployment.from_json(order.deployment.read_text("utf-8"))
    except (OSError, ContractsError) as exc:
        raise InvalidArchiveError(
            f"Deployment file {order.deployment} cannot be used ({exc})."
        ) from exc
    wanted = (expected.chain_id, expected.addresses["ReadingAnchor"])
    given = (manifest.chain_id, manifest.anchor)
    if wanted != given:
        raise ConflictArchiveError(
            f"The backup is of chain {given[0]}, ReadingAnchor {given[1]}, expected "
            f"chain {wanted[0]}, ReadingAnchor {wanted[1]}; take the backup of that "
            "ledger."
        )


def _arrange(folder: Path) -> None:
    """Move what was unpacked to where a node looks for it."""
    for name, place in _PLACES.items():
        if (folder / name).exists():
            (folder / place).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            (folder / name).rename(folder / place)
    if (folder / "data" / CHAIN_FOLDER).is_dir():
        # The journal is the chain; its witness follows from it.
        rebuild_witness(folder / "data" / CHAIN_FOLDER)
    (folder / "data").mkdir(mode=0o700, exist_ok=True)


def _write_settings(order: Order, manifest: Manifest, folder: Path) -> None:
    node, member = folder / NODE_TOML, folder / MEMBER_TOML
    text, was_in = node.read_text("utf-8"), Path(manifest.facts["node.toml"])
    node.write_text(place_node(text, was_in, folder, order.database_url), "utf-8")
    if member.exists():
        text, was_in = member.read_text("utf-8"), Path(manifest.facts["member.toml"])
        url = order.member_database_url
        member.write_text(place_member(text, was_in, folder, url), "utf-8")


def _require_chain(folder: Path, manifest: Manifest) -> None:
    """Refuse to restore beside another chain than the one that was indexed (step 3)."""
    settings = load_settings(folder / NODE_TOML)
    expected = manifest.facts.get("index_genesis")
    if not settings.rpc_url or expected is None:
        return
    with ChainClient(settings.rpc_url) as client:
        try:
            block = client.block(0)
        except UnavailableError:
            return  # fsck says it, or whoever starts the node
    found = None if block is None else block.hash.hex()
    if found != expected:
        raise ConflictArchiveError(
            f"The backup is of the chain with genesis 0x{expected}, at "
            f"{settings.rpc_url} runs the one with 0x{found}; start the right chain, "
            "or take the backup of this one."
        )


def _fill_databases(folder: Path, manifest: Manifest) -> None:
    """Load the tables of databases that are reached by URL (step 4)."""
    if (folder / "index").is_dir():
        settings = load_settings(folder / NODE_TOML)
        _require_unused(settings.database_url, "--database-url")
        open_database(settings.database_url).close()
        _load(settings.database_url, folder / "index", manifest.facts)
    if (folder / "member").is_dir() and any((folder / "member").glob("*.copy")):
        member = load_member_settings(folder / MEMBER_TOML)
        _require_unused(member.database_url, "--member-database-url")
        open_engine(database_of(member)).dispose()
        _load(member.database_url, folder / "member", manifest.facts)


def _forget_votes(folder: Path) -> None:
    """Let the member be silent where it voted after the backup (step 5)."""
    if not (folder / MEMBER_TOML).exists():
        return
    member = load_member_settings(folder / MEMBER_TOML)
    engine = open_engine(database_of(member))
    try:
        open_memory(member, engine).lose()
    finally:
        engine.dispose()


def _require_unused(url: str, option: str) -> None:
    if not url.startswith("postgresql"):
        raise ConflictArchiveError(
            f"The backup holds tables of PostgreSQL; name an empty database with "
            f"{option} postgresql+psycopg://USER@HOST/NAME."
        )
    if not is_empty(url):
        raise ConflictArchiveError(
            "The database of the settings is not empty and a restore overwrites "
            f"nothing; make a new one and name it with {option}."
        )


def _load(url: str, folder: Path, facts: Mapping[str, Any]) -> None:
    load_postgresql(url, folder, facts)
    for path in folder.glob("*.copy"):
        path.unlink()
    if folder.name == "index":
        folder.rmdir()
