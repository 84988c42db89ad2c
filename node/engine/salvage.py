"""Mending an embedded chain's files, where one sound account of it is left.

    journal       witness       what is done
    sound         sound, same   nothing
    sound         behind        the witness is written anew from the journal
    older         sound         the journal is built anew from the witness
    damaged       sound         the journal is built anew from the witness
    damaged       damaged       refused: a backup is needed
    they tell different histories   refused: a person has to decide

Snapshots that are damaged or nobody vouches for are moved away; one beyond both
accounts is a refusal. Nothing is ever deleted: what is replaced goes to the folder
``set-aside``. Killed at any moment, it can be run again.
"""

import os
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from node.engine.audit import audit_pages, audit_records
from node.engine.chain import lock_folder
from node.engine.examine import Examination, examine
from node.engine.journal import FILE_NAME, Journal
from node.engine.records import BEFORE_FIRST
from node.engine.snapshots import sync_folder
from node.engine.witness import FILE_NAME as WITNESS_NAME
from node.engine.witness import WitnessLog, read_witness
from node.errors import ConflictJournalError

__all__ = ["rebuild_journal", "rebuild_witness", "salvage"]

_SCRATCH = "rebuild.partial"


def salvage(folder: Path) -> list[str]:
    """Mend what is safe to mend, and prove it by opening the journal.

    Args:
        folder: The engine's data folder; the engine must be stopped.

    Returns:
        What was done, a sentence each; empty if there was nothing to do.

    Raises:
        ConflictJournalError: If no sound account of the whole chain is left.
        UnavailableStorageError: If the folder is in use or cannot be written.
    """
    lock = lock_folder(folder)
    try:
        found = examine(folder)
        _require_one_history(found)
        aside = folder / "set-aside" / time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        done = _mend_accounts(found, aside)
        done += _mend_snapshots(found, aside)
        Journal(folder / FILE_NAME).close()
    finally:
        os.close(lock)
    return done


def rebuild_journal(folder: Path, aside: Path) -> None:
    """Build the journal anew from the witness.

    Args:
        folder: The engine's data folder.
        aside: Where the old journal goes; created if absent.
    """
    scratch = folder / _SCRATCH
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    made = Journal(scratch / FILE_NAME)
    try:
        made.load(read_witness(folder / WITNESS_NAME))
    finally:
        made.close()
    for suffix in ("", "-wal", "-shm"):
        _set_aside(folder / (FILE_NAME + suffix), aside)
    (scratch / FILE_NAME).replace(folder / FILE_NAME)
    shutil.rmtree(scratch)
    sync_folder(folder)


def rebuild_witness(folder: Path) -> None:
    """Write the witness anew from a sound journal, as after restoring it alone.

    Args:
        folder: The engine's data folder.

    Raises:
        ConflictJournalError: If the journal is not sound.
    """
    path, made = folder / FILE_NAME, folder / f"{WITNESS_NAME}.partial"
    made.unlink(missing_ok=True)
    log = WitnessLog(made, BEFORE_FIRST, 0)
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            audit_pages(db, path)
            for record in audit_records(db, path):
                log.append(record)
        log.confirm()
    finally:
        log.close()
    made.replace(folder / WITNESS_NAME)
    sync_folder(folder)


def _require_one_history(found: Examination) -> None:
    journal, witness = found.journal, found.witness
    shorter = min(journal.records, witness.records)
    if found.common < shorter:
        raise ConflictJournalError(
            f"journal and witness in {found.folder} tell different histories from "
            f"record {found.common + 1} on: one is of another chain; put back the two "
            "files that belong together, or restore a backup"
        )
    _require_sound_account(found)
    height = max(journal.height, witness.height)
    for seen in found.snapshots:
        if seen.height is not None and seen.height > height:
            raise ConflictJournalError(
                f"{seen.path} is of block {seen.height}, but journal and witness end "
                f"at block {height}: both are older copies, or the snapshot is of "
                "another chain; restore a backup, or move the snapshot away to accept "
                "the loss knowingly"
            )


def _require_sound_account(found: Examination) -> None:
    journal, witness = found.journal, found.witness
    is_journal_newest = journal.fault is None and journal.records >= witness.records
    is_witness_whole = witness.fault is None and witness.records >= max(
        found.synced, journal.records
    )
    if not journal.records and not witness.records:
        raise ConflictJournalError(
            f"neither {FILE_NAME} nor {WITNESS_NAME} in {found.folder} holds a chain: "
            "name the right folder, or restore a backup"
        )
    if not is_journal_newest and not is_witness_whole:
        why = "; ".join(fault for fault in (journal.fault, witness.fault) if fault)
        raise ConflictJournalError(
            f"no whole account of the chain is left in {found.folder}: the journal is "
            f"sound up to record {journal.records}, the witness up to record "
            f"{witness.records} ({why or 'both are shorter than they were'}); restore "
            "a backup"
        )


def _mend_accounts(found: Examination, aside: Path) -> list[str]:
    journal, witness, folder = found.journal, found.witness, found.folder
    if journal.fault is not None or journal.records < witness.records:
        rebuild_journal(folder, aside)
        sentence = (
            f"built {FILE_NAME} anew from {WITNESS_NAME}: {witness.records} records up "
            f"to block {witness.height}; the old one is in {aside}; after a power "
            "failure the last second before it may be missing"
        )
        return [sentence]
    if witness.fault is not None or witness.records < journal.records:
        _set_aside(folder / WITNESS_NAME, aside)
        rebuild_witness(folder)
        sentence = (
            f"wrote {WITNESS_NAME} anew from {FILE_NAME}: {journal.records} records up "
            f"to block {journal.height}"
        )
        return [sentence]
    return []


def _mend_snapshots(found: Examination, aside: Path) -> list[str]:
    done = []
    for seen in found.snapshots:
        if not seen.is_vouched:
            _set_aside(seen.path, aside)
            why = "is damaged" if seen.height is None else "is not of this chain"
            done.append(f"moved {seen.path} to {aside}: it {why}")
    return done


def _set_aside(path: Path, aside: Path) -> None:
    if path.exists():
        aside.mkdir(parents=True, exist_ok=True)
        path.rename(aside / path.name)
