"""The chain's core: every crash point, storage trouble, rejection and refusal."""

import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Never

import pytest
from eth_utils.address import to_checksum_address

from node.engine import EngineSettings
from node.engine.chain import Chain
from node.engine.journal import PlannedBlock
from node.engine.producer import block_hash
from node.errors import (
    ConflictJournalError,
    InvalidTransactionError,
    UnavailableEngineError,
    UnavailableStorageError,
)


@pytest.fixture
def open_chain(make_settings: Callable[..., EngineSettings]):
    opened = []

    def open_it(**overrides: object) -> Chain:
        chain = Chain(make_settings(**overrides))
        opened.append(chain)
        return chain

    yield open_it
    for each in opened:
        each.close()


@pytest.fixture
def crash(tmp_path: Path):
    """Copy the folder as a crash at this moment would leave it."""

    def copy() -> Path:
        folder = tmp_path / "crashed"
        shutil.copytree(tmp_path / "chain", folder)
        (folder / "anvil.pid").unlink()
        return folder

    return copy


def edit(tmp_path: Path, statement: str, *values: object):
    with sqlite3.connect(tmp_path / "chain" / "journal.sqlite") as database:
        assert database.execute(statement, values).rowcount == 1
    database.close()


def make_blocks(chain: Chain, signer: Any, count: int, each: int = 2):
    for _ in range(count):
        assert (
            chain.submit([signer.transaction() for _ in range(each)]) == [None] * each
        )
        chain.produce(allow_empty=False)


class TestCrashPoints:
    def test_after_the_acknowledgement_the_transaction_is_mined_later(
        self, open_chain: Callable[..., Chain], crash: Callable[[], Path], signer: Any
    ):
        chain = open_chain()
        sent = signer.transaction()
        assert chain.submit([sent]) == [None]
        again = open_chain(data_dir=crash())
        assert again.produce(allow_empty=False).transactions == ((sent.hash, sent.raw),)
        assert again.produce(allow_empty=False) is None

    def test_after_the_plan_exactly_that_block_is_mined(
        self, open_chain: Callable[..., Chain], crash: Callable[[], Path], signer: Any
    ):
        chain = open_chain()
        first, second = signer.transaction(), signer.transaction()
        chain.submit([first, second])
        pairs = ((first.hash, first.raw),)
        planned = PlannedBlock(1, 1_800_000_000, chain.head.hash, pairs)
        chain.journal.plan(planned)
        again = open_chain(data_dir=crash())
        assert again.head == replace(planned, hash=again.head.hash)
        assert again.head.hash == block_hash(again.engine.rpc, 1)
        assert again.produce(allow_empty=False).transactions == (
            (second.hash, second.raw),
        )

    def test_after_the_mining_the_same_hash_comes_out(
        self,
        open_chain: Callable[..., Chain],
        crash: Callable[[], Path],
        signer: Any,
        monkeypatch: pytest.MonkeyPatch,
    ):
        chain = open_chain()
        folders = []
        seal = chain.journal.seal

        def crash_then_seal(block: object) -> None:
            folders.append(crash())
            seal(block)

        monkeypatch.setattr(chain.journal, "seal", crash_then_seal)
        make_blocks(chain, signer, 1)
        again = open_chain(data_dir=folders[0])
        assert again.head == chain.head
        assert len(again.pool) == 0

    def test_a_snapshot_half_written_is_not_seen(
        self, open_chain: Callable[..., Chain], crash: Callable[[], Path], signer: Any
    ):
        chain = open_chain()
        make_blocks(chain, signer, 3)
        folder = crash()
        (folder / "snapshots" / "000000000003.partial").write_bytes(b'{"height": 3')
        again = open_chain(data_dir=folder)
        assert again.head == chain.head


class TestStorageTrouble:
    def test_a_full_disk_refuses_and_later_accepts_the_same_bytes(
        self, open_chain: Callable[..., Chain], signer: Any
    ):
        chain = open_chain()
        database = chain.journal._db
        (pages,) = database.execute("PRAGMA page_count").fetchone()
        database.execute(f"PRAGMA max_page_count = {pages}")
        sent = signer.transaction(data=30_000 * b"\1", gas=2_000_000)
        (answer,) = chain.submit([sent])
        assert isinstance(answer, UnavailableStorageError)
        assert chain.produce(allow_empty=False) is None
        database.execute("PRAGMA max_page_count = 100000")
        assert chain.submit([sent]) == [None]
        assert chain.produce(allow_empty=False).transactions[0][0] == sent.hash

    def test_a_hash_that_could_not_be_stored_is_stored_before_the_next_plan(
        self,
        open_chain: Callable[..., Chain],
        signer: Any,
        monkeypatch: pytest.MonkeyPatch,
    ):
        chain = open_chain()
        with monkeypatch.context() as patch:
            patch.setattr(chain.journal, "seal", _raise_full)
            chain.submit([signer.transaction()])
            with pytest.raises(UnavailableStorageError, match="full"):
                chain.produce(allow_empty=False)
        assert chain.journal.block(1).hash is None
        chain.produce(allow_empty=True)
        assert chain.journal.block(1).hash == block_hash(chain.engine.rpc, 1)
        assert chain.head.height == 2

    def test_a_plan_whose_outcome_is_unknown_makes_the_engine_start_over(
        self,
        open_chain: Callable[..., Chain],
        signer: Any,
        monkeypatch: pytest.MonkeyPatch,
    ):
        chain = open_chain()
        plan = chain.journal.plan

        def plan_and_fail(block: object) -> None:
            plan(block)
            _raise_full(block)

        sent = signer.transaction()
        chain.submit([sent])
        with monkeypatch.context() as patch:
            patch.setattr(chain.journal, "plan", plan_and_fail)
            with pytest.raises(UnavailableStorageError, match="full"):
                chain.produce(allow_empty=False)
        with pytest.raises(UnavailableEngineError, match="block 1 already"):
            chain.produce(allow_empty=False)
        chain.recover()
        assert chain.head.transactions == ((sent.hash, sent.raw),)


class TestRejection:
    def test_what_the_engine_refuses_is_rejected_for_good(
        self, open_chain: Callable[..., Chain], signer: Any
    ):
        chain = open_chain()
        impossible = signer.transaction(value=10**30)
        after = signer.transaction()
        chain.journal.accept([impossible, after])
        chain.recover()
        block = chain.produce(allow_empty=False)
        assert chain.journal.block(block.height).transactions == ()
        assert "funds" in chain.journal.fate(impossible.hash).lower()
        assert [digest for digest, _ in chain.journal.waiting()] == [after.hash]
        (answer,) = chain.submit([impossible])
        assert isinstance(answer, InvalidTransactionError)
        assert "not tried again" in str(answer)

    def test_a_rejection_replays_to_the_same_hash(
        self, open_chain: Callable[..., Chain], signer: Any
    ):
        chain = open_chain()
        chain.journal.accept([signer.transaction(value=10**30)])
        chain.recover()
        chain.produce(allow_empty=False)
        head = chain.journal.head()
        chain.recover()
        assert chain.journal.head() == head
        assert chain.head == head

    def test_a_gap_left_by_a_rejection_is_filled_by_a_new_transaction(
        self, open_chain: Callable[..., Chain], signer: Any
    ):
        chain = open_chain()
        impossible = signer.transaction(value=10**30)
        after = signer.transaction()
        chain.journal.accept([impossible, after])
        chain.recover()
        chain.produce(allow_empty=False)
        filler = signer.transaction(nonce=0)
        assert chain.submit([filler]) == [None]
        mined = [digest for digest, _ in chain.produce(allow_empty=False).transactions]
        assert mined == [filler.hash, after.hash]


class TestReplay:
    def test_two_thousand_transactions_come_out_with_equal_hashes(
        self, open_chain: Callable[..., Chain], make_signer: Callable[[int], Any]
    ):
        chain = open_chain(snapshot_interval_blocks=0)
        signers = [make_signer(number) for number in range(1, 11)]
        for number in range(200):
            data = number.to_bytes(2)
            batch = [each.transaction(data=data) for each in signers]
            assert chain.submit(batch) == [None] * 10
            chain.produce(allow_empty=False)
        expected = [block_hash(chain.engine.rpc, height) for height in range(201)]
        chain.recover()
        found = [block_hash(chain.engine.rpc, height) for height in range(201)]
        assert found == expected
        assert chain.head.height == 200

    @pytest.mark.parametrize(
        ("change", "start", "running"),
        [
            (
                "UPDATE blocks SET hash = zeroblob(32) WHERE height = 2",
                r"is damaged: record 9 \(block 2 was altered\)",
                "block 2 came out as",
            ),
            (
                (
                    "UPDATE transactions SET raw = (SELECT raw FROM transactions "
                    "WHERE seq = 5) WHERE seq = 3"
                ),
                r"is damaged: record 7 \(its rows or its digest were altered\)",
                "block 2",
            ),
            (
                "DELETE FROM blocks WHERE height = 2",
                r"is damaged: record 9 \(block 2 was altered\)",
                "no block 2, but later ones",
            ),
            (
                (
                    "UPDATE transactions SET raw = (SELECT raw FROM transactions "
                    "WHERE seq = 1) WHERE height IS NULL"
                ),
                r"is damaged: record 13 \(its rows or its digest were altered\)",
                "was altered in the journal",
            ),
            (
                (
                    "UPDATE meta SET value = replace(value, '6553f100', '6553f101') "
                    "WHERE key = 'genesis'"
                ),
                r"is damaged: its tables \(facts: rows are missing",
                "block 0 came out as",
            ),
            (
                "DELETE FROM transactions WHERE height IS NULL",
                r"is damaged: record 13 \(its rows or its digest were altered\)",
                "",
            ),
        ],
    )
    def test_an_altered_row_is_a_loud_refusal(
        self,
        open_chain: Callable[..., Chain],
        signer: Any,
        tmp_path: Path,
        change: str,
        start: str,
        running: str,
    ):
        chain = open_chain()
        make_blocks(chain, signer, 3)
        chain.submit([signer.transaction()])
        if running:
            database = chain.journal._db
            database.execute("PRAGMA foreign_keys = OFF")
            database.execute("SAVEPOINT before")
            assert database.execute(change).rowcount == 1
            with pytest.raises(ConflictJournalError, match=running):
                chain.recover()
            database.execute("ROLLBACK TO before")
            database.execute("RELEASE before")
        chain.close()
        edit(tmp_path, change)
        with pytest.raises(ConflictJournalError, match=start):
            open_chain()


class TestSnapshots:
    def test_a_start_from_a_snapshot_gives_the_same_chain(
        self, open_chain: Callable[..., Chain], signer: Any
    ):
        chain = open_chain(snapshot_interval_blocks=4)
        make_blocks(chain, signer, 10)
        hashes = [block_hash(chain.engine.rpc, height) for height in range(11)]
        chain.close()
        again = open_chain(snapshot_interval_blocks=4)
        assert again._snapshots.heights() == [8, 4]
        make_blocks(again, signer, 1)
        found = [block_hash(again.engine.rpc, height) for height in range(11)]
        assert found == hashes
        full = open_chain(data_dir=_without_snapshots(again))
        assert full.head == again.head

    def test_contracts_know_the_blocks_before_the_snapshot(
        self, open_chain: Callable[..., Chain], signer: Any
    ):
        """Else a block behind it comes out differently when it is mined again."""
        chain = open_chain(snapshot_interval_blocks=4)
        keeper = _create(chain, signer, _HASH_KEEPER)
        make_blocks(chain, signer, 3)
        _call(chain, signer, keeper, 2, 4)
        hashes = [block_hash(chain.engine.rpc, height) for height in range(6)]
        assert _kept(chain, keeper, 2, 4) == [hashes[2], hashes[4]]
        chain.close()
        again = open_chain(snapshot_interval_blocks=4)
        assert again._snapshots.heights() == [4]
        _call(again, signer, keeper, 1, 3, 5)
        assert _kept(again, keeper, *range(1, 6)) == hashes[1:]
        full = open_chain(data_dir=_without_snapshots(again))
        assert full.head == again.head

    @pytest.mark.parametrize("damaged", [1, 2])
    def test_damaged_snapshots_are_passed_over(
        self,
        open_chain: Callable[..., Chain],
        signer: Any,
        tmp_path: Path,
        damaged: int,
    ):
        chain = open_chain(snapshot_interval_blocks=4)
        make_blocks(chain, signer, 10)
        chain.close()
        paths = sorted((tmp_path / "chain" / "snapshots").iterdir(), reverse=True)
        for path in paths[:damaged]:
            content = bytearray(path.read_bytes())
            content[len(content) // 2] ^= 1
            path.write_bytes(content)
        assert open_chain().head == chain.head

    def test_a_truncated_snapshot_is_passed_over(
        self, open_chain: Callable[..., Chain], signer: Any, tmp_path: Path
    ):
        chain = open_chain(snapshot_interval_blocks=4)
        make_blocks(chain, signer, 5)
        chain.close()
        (path,) = (tmp_path / "chain" / "snapshots").iterdir()
        path.write_bytes(path.read_bytes()[:100])
        assert open_chain().head == chain.head

    def test_a_journal_older_than_a_snapshot_is_a_loud_refusal(
        self,
        open_chain: Callable[..., Chain],
        signer: Any,
        crash: Callable[[], Path],
        tmp_path: Path,
    ):
        chain = open_chain()
        make_blocks(chain, signer, 2)
        old = crash()
        make_blocks(chain, signer, 2)
        chain.snapshot()
        chain.close()
        shutil.rmtree(old / "snapshots")
        shutil.copytree(tmp_path / "chain" / "snapshots", old / "snapshots")
        with pytest.raises(ConflictJournalError, match=r"ends at block 2.*block 4"):
            open_chain(data_dir=old)

    def test_two_generations_are_kept(
        self, open_chain: Callable[..., Chain], signer: Any
    ):
        chain = open_chain(snapshot_interval_blocks=1)
        make_blocks(chain, signer, 5)
        assert chain._snapshots.heights() == [5, 4]


class TestFolder:
    def test_is_used_by_one_engine_at_a_time(
        self,
        open_chain: Callable[..., Chain],
        make_settings: Callable[..., EngineSettings],
    ):
        open_chain()
        with pytest.raises(UnavailableStorageError, match="in use by another engine"):
            Chain(make_settings())

    def test_belongs_to_one_chain_id(
        self,
        open_chain: Callable[..., Chain],
        make_settings: Callable[..., EngineSettings],
    ):
        open_chain().close()
        with pytest.raises(ConflictJournalError, match=r"chain id 20260.*set to 7"):
            Chain(make_settings(chain_id=7))

    def test_has_one_block_gas_limit(
        self,
        open_chain: Callable[..., Chain],
        make_settings: Callable[..., EngineSettings],
    ):
        open_chain().close()
        with pytest.raises(ConflictJournalError, match="limit of 30000000, this"):
            Chain(make_settings(block_gas_limit=8_000_000))

    def test_that_cannot_be_made_is_a_sentence(
        self, make_settings: Callable[..., EngineSettings], tmp_path: Path
    ):
        (tmp_path / "file").write_text("")
        with pytest.raises(UnavailableStorageError, match="cannot be written"):
            Chain(make_settings(data_dir=tmp_path / "file" / "chain"))

    def test_without_anvil_a_sentence_says_what_to_install(
        self, make_settings: Callable[..., EngineSettings], tmp_path: Path
    ):
        with pytest.raises(UnavailableEngineError, match="make install"):
            Chain(make_settings(anvil_path=tmp_path / "no-anvil"))

    def test_an_engine_that_does_not_come_up_is_a_sentence(
        self, make_settings: Callable[..., EngineSettings]
    ):
        with pytest.raises(UnavailableEngineError, match="did not come up"):
            Chain(make_settings(anvil_path="/bin/false"))


_HASH_KEEPER = bytes.fromhex("665f3580409055005f5260076019f3")
"""Creates: storage[calldata] = BLOCKHASH(calldata)."""


def _create(chain: Chain, signer: Any, code: bytes) -> str:
    sent = signer.transaction(to=None, data=code)
    assert chain.submit([sent]) == [None]
    chain.produce(allow_empty=False)
    receipt = chain.engine.rpc.call("eth_getTransactionReceipt", "0x" + sent.hash.hex())
    return to_checksum_address(receipt["contractAddress"])


def _call(chain: Chain, signer: Any, to: str, *words: int) -> None:
    sent = [signer.transaction(to=to, data=word.to_bytes(32)) for word in words]
    assert chain.submit(sent) == [None] * len(sent)
    chain.produce(allow_empty=False)


def _kept(chain: Chain, address: str, *slots: int) -> list[bytes]:
    ask = chain.engine.rpc.call
    words = [ask("eth_getStorageAt", address, hex(one), "latest") for one in slots]
    return [bytes.fromhex(word[2:]) for word in words]


def _raise_full(_block: object) -> Never:
    raise UnavailableStorageError("the disk is full")


def _without_snapshots(chain: Chain) -> Path:
    folder = chain._settings.data_dir
    target = folder.with_name("without-snapshots")
    shutil.copytree(
        folder, target, ignore=shutil.ignore_patterns("*.snapshot", "*.pid")
    )
    return target
