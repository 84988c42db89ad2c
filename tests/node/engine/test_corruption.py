"""Two hundred damaged folders: the same chain comes back, or a loud refusal.

One chain is made once, with mined, waiting, planned and rejected transactions, and
copied as a kill leaves it (with a write-ahead log) and as a stop leaves it. Each case
damages one copy and starts it. Every block hash and every acknowledged transaction has
to be there, or the start has to be refused in a sentence that names the file or folder
and says what to do. The cases come from one seed, printed with every failure.
"""

import os
import random
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from node.engine import EngineSettings
from node.engine.chain import Chain
from node.engine.journal import Journal, PlannedBlock
from node.engine.producer import block_hash
from node.engine.salvage import salvage
from node.errors import ConflictJournalError, NodeError, UnavailableStorageError
from tests.node.engine.conftest import Signer
from tests.node.engine.damages import (
    BEYOND,
    BLOCKS,
    CASES,
    EVERY,
    JOURNAL,
    NEWER,
    NOBODY,
    OLD,
    OLDER,
    SEED,
    WAL,
    WITNESS,
    Case,
    Sources,
)

REMEDY = re.compile(
    "engine salvage|restore a backup|correct|free disk space|move it away"
)
OUTCOMES: Counter[str] = Counter()


def settings_of(folder: Path, signer: Signer) -> EngineSettings:
    return EngineSettings(
        data_dir=folder,
        chain_id=20260,
        clock_mode="virtual",
        genesis_time=1_700_000_000,
        genesis_alloc={signer.address: 10**18},
        snapshot_interval_blocks=EVERY,
    )


def copy(source: Path, target: Path) -> Path:
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("anvil.pid"))
    return target


def make_blocks(chain: Chain, signer: Signer, count: int) -> set[bytes]:
    mined = set()
    for _ in range(count):
        sent = [signer.transaction(data=signer.nonce.to_bytes(40)) for _ in range(2)]
        assert chain.submit(sent) == [None, None]
        chain.produce(allow_empty=False)
        mined |= {each.hash for each in sent}
    return mined


def leave_work(chain: Chain, signer: Signer) -> tuple[set, set, set]:
    """Leave a rejected, two waiting and a planned transaction; return them so."""
    broke, late = Signer(2), Signer(3)
    impossible = broke.transaction(value=10**30)
    chain.journal.accept([impossible])
    chain.recover()
    mined = make_blocks(chain, signer, 1)
    waiting = [late.transaction(nonce=nonce) for nonce in (3, 4)]
    planned = signer.transaction()
    assert chain.submit([*waiting, planned]) == [None, None, None]
    pairs = ((planned.hash, planned.raw),)
    time = chain.head.timestamp + 7
    chain.journal.plan(PlannedBlock(BLOCKS + 1, time, chain.head.hash, pairs))
    return mined | {planned.hash}, {each.hash for each in waiting}, {impossible.hash}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    root = tmp_path_factory.mktemp("sources")
    signer = Signer(1)
    chain = Chain(settings_of(root / "live", signer))
    mined = make_blocks(chain, signer, OLD)
    copy(root / "live", root / "old")
    chain.journal._db.execute("PRAGMA wal_checkpoint(PASSIVE)")
    copy(root / "old", root / "old_stopped")
    Journal(root / "old_stopped" / JOURNAL).close()
    mined |= make_blocks(chain, signer, 4)
    chain.close()  # a restart, from which on the witness is known to reach here
    chain = Chain(settings_of(root / "live", signer))
    mined |= make_blocks(chain, signer, BLOCKS - OLD - 5)
    more, waiting, rejected = leave_work(chain, signer)
    copy(root / "live", root / "killed")
    copy(root / "live", root / "stopped")
    chain.close()
    Journal(root / "stopped" / JOURNAL).close()
    whole = Chain(settings_of(copy(root / "killed", root / "whole"), signer))
    hashes = [block_hash(whole.engine.rpc, at) for at in range(BLOCKS + 2)]
    whole.close()
    _other_chain(root / "other")
    return Sources(
        *(root / name for name in ("killed", "stopped", "old", "old_stopped", "other")),
        tuple(hashes),
        frozenset(mined | more),
        frozenset(waiting),
        frozenset(rejected),
    )


def _other_chain(folder: Path) -> None:
    signer = Signer(9)
    chain = Chain(settings_of(folder, signer))
    make_blocks(chain, signer, BEYOND)
    chain.snapshot()
    chain.close()


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that any user may reach, unlike the usual temporary ones."""
    folder = Path(tempfile.mkdtemp(prefix="chain-"))
    folder.chmod(0o755)
    yield folder
    (folder / "chain").chmod(0o755)
    shutil.rmtree(folder)


@contextmanager
def as_nobody(folder: Path, mode_case: Case) -> Iterator[None]:
    """Let file permissions count, which they do not for root."""
    if "no right" not in mode_case.name or os.geteuid() != 0:
        yield
        return
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, NOBODY, NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def contents(folder: Path) -> dict[str, bytes]:
    """The files' contents; an empty log is as good as none."""
    names = (JOURNAL, WAL, WITNESS, NEWER, OLDER)
    files = [folder / name for name in names if (folder / name).is_file()]
    return {path.name: found for path in files if (found := path.read_bytes())}


def start(folder: Path, sources: Sources) -> str:
    """Start the engine; hold what comes up against the chain that was."""
    try:
        chain = Chain(settings_of(folder, Signer(1)))
    except NodeError as exc:
        refusal = exc
    else:
        try:
            check_chain(chain, sources)
        finally:
            chain.close()
        return "same"
    check_sentence(refusal, folder)
    if isinstance(refusal, ConflictJournalError):
        return "refused"
    assert isinstance(refusal, UnavailableStorageError)
    return "refused for now"


def check_chain(chain: Chain, sources: Sources) -> None:
    hashes = [block_hash(chain.engine.rpc, at) for at in range(BLOCKS + 2)]
    assert tuple(hashes) == sources.hashes
    assert chain.head.height == BLOCKS + 1
    blocks = chain.journal.blocks_after(0)
    mined = {digest for block in blocks for digest, _ in block.transactions}
    assert mined == sources.mined
    assert {digest for digest, _ in chain.journal.waiting()} == sources.waiting
    assert all(chain.journal.fate(each) for each in sources.rejected)


def check_sentence(refusal: NodeError, folder: Path) -> None:
    """A refusal names a file or folder and says what to do."""
    assert str(folder) in str(refusal)
    assert REMEDY.search(str(refusal)), refusal


def mend(folder: Path, before: dict[str, bytes], sources: Sources) -> str:
    """Salvage a refused folder: the same chain afterwards, or nothing changed."""
    try:
        done = salvage(folder)
    except ConflictJournalError as exc:
        refusal = exc
    else:
        assert done
        assert start(folder, sources) == "same"
        aside = [path.read_bytes() for path in (folder / "set-aside").rglob("*.*")]
        kept = [*aside, *contents(folder).values()]
        replaced = {"built": JOURNAL, "wrote": WITNESS}.get(done[0].split()[0], "")
        watched = before.keys() & {replaced, NEWER, OLDER}
        assert all(before[name] in kept for name in watched), "salvage lost a file"
        return "mended"
    check_sentence(refusal, folder)
    assert contents(folder) == before, "a refused salvage changed a file"
    return "not mended"


class TestCorruption:
    def test_there_are_two_hundred_cases(self):
        assert len(CASES) >= 200

    @pytest.mark.parametrize("case", CASES, ids=str)
    def test_gives_the_same_chain_or_a_loud_refusal(
        self, case: Case, sources: Sources, place: Path
    ):
        folder = copy(getattr(sources, case.base), place / "chain")
        case.damage(folder, sources, random.Random(SEED + case.number))
        before = contents(folder)
        with as_nobody(folder, case):
            outcome = start(folder, sources)
        OUTCOMES[outcome] += 1
        expected = ("same", "refused") if case.outcome == "either" else case.outcome
        assert outcome.split()[0] in expected, f"seed {SEED}: {outcome}"
        if outcome == "refused":
            assert contents(folder) == before, "a refusal changed a file"
            OUTCOMES[mend(folder, before, sources)] += 1

    def test_finds_every_outcome_often(self, capsys: pytest.CaptureFixture[str]):
        with capsys.disabled():
            told = f"\n{len(CASES)} corruptions, seed {SEED}: {dict(OUTCOMES)}\n"
            sys.stdout.write(told)
        assert min(OUTCOMES["same"], OUTCOMES["refused"]) >= 50
        assert OUTCOMES["mended"] >= 50
        assert OUTCOMES["not mended"] >= 3
