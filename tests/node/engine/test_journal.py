import sqlite3
from pathlib import Path
from typing import Any

import pytest

from node.engine.journal import Journal, MinedBlock, PlannedBlock
from node.errors import ConflictJournalError, UnavailableStorageError


@pytest.fixture
def journal(tmp_path: Path):
    opened = Journal(tmp_path / "journal.sqlite", busy_timeout_s=0.05)
    yield opened
    opened.close()


def plan(*transactions: Any, height: int = 1) -> PlannedBlock:
    pairs = tuple((each.hash, each.raw) for each in transactions)
    return PlannedBlock(height, 1_700_000_000 + height, bytes(32), pairs)


class TestJournal:
    def test_keeps_accepted_transactions_in_order_of_arrival(
        self, journal: Journal, signer: Any
    ):
        sent = [signer.transaction(nonce=nonce) for nonce in (2, 0, 1)]
        journal.accept(sent)
        assert [raw for _, raw in journal.waiting()] == [each.raw for each in sent]

    def test_a_planned_transaction_waits_no_longer(self, journal: Journal, signer: Any):
        first, second = signer.transaction(), signer.transaction()
        journal.accept([first, second])
        journal.plan(plan(first))
        assert [digest for digest, _ in journal.waiting()] == [second.hash]
        assert journal.block(1).transactions == ((first.hash, first.raw),)
        assert journal.block(1).hash is None
        assert journal.head() is None
        assert journal.highest() == 1

    def test_sealing_stores_hash_rejections_and_returns(
        self, journal: Journal, signer: Any
    ):
        mined, bad, later = (signer.transaction() for _ in range(3))
        journal.accept([mined, bad, later])
        journal.plan(plan(mined, bad, later))
        outcome = MinedBlock(
            1, b"h" * 32, (mined.hash,), {bad.hash: "no"}, (later.hash,)
        )
        journal.seal(outcome)
        assert journal.head().hash == b"h" * 32
        assert journal.head().transactions == ((mined.hash, mined.raw),)
        assert [digest for digest, _ in journal.waiting()] == [later.hash]
        fates = [journal.fate(each.hash) for each in (mined, bad, later)]
        assert fates == ["", "no", ""]

    def test_is_the_same_after_it_was_closed(
        self, journal: Journal, signer: Any, tmp_path: Path
    ):
        sent = signer.transaction()
        journal.accept([sent])
        journal.close()
        again = Journal(tmp_path / "journal.sqlite")
        assert again.waiting() == [(sent.hash, sent.raw)]
        again.close()

    def test_writes_are_synced(self, journal: Journal):
        assert journal._db.execute("PRAGMA synchronous").fetchone() == (2,)
        assert journal._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)

    def test_accepts_all_or_none(self, journal: Journal, signer: Any):
        known = signer.transaction()
        journal.accept([known])
        with pytest.raises(ConflictJournalError, match=r"is damaged.*engine salvage"):
            journal.accept([signer.transaction(), known])
        assert len(journal.waiting()) == 1

    def test_full_disk_is_a_sentence_and_leaves_nothing(
        self, journal: Journal, signer: Any
    ):
        (pages,) = journal._db.execute("PRAGMA page_count").fetchone()
        journal._db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(UnavailableStorageError, match=r"full.*free disk space"):
            journal.accept([signer.transaction(data=30_000 * b"\0", gas=2_000_000)])
        assert journal.waiting() == []

    def test_locked_database_is_a_sentence(
        self, journal: Journal, signer: Any, tmp_path: Path
    ):
        other = sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnavailableStorageError, match=r"locked.*end the program"):
            journal.accept([signer.transaction()])
        other.execute("ROLLBACK")
        other.close()
        journal.accept([signer.transaction()])

    def test_refuses_a_file_that_is_no_database(self, tmp_path: Path):
        path = tmp_path / "journal.sqlite"
        path.write_bytes(b"no database" * 1_000)
        with pytest.raises(ConflictJournalError, match="is damaged"):
            Journal(path)

    def test_refuses_another_format(self, journal: Journal, tmp_path: Path):
        journal._db.execute("UPDATE meta SET value = 'x/9' WHERE key = 'format'")
        journal.close()
        with pytest.raises(ConflictJournalError, match="found x/9"):
            Journal(tmp_path / "journal.sqlite")
