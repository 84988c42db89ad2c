"""A whole older chain folder put back: the node's own tables tell."""

import shutil
from pathlib import Path

import pytest

from node import run
from node.config import Settings, load_settings
from node.engine import EmbeddedEngine
from node.errors import ConflictLedgerError
from node.ledger.cursor import clear, position
from tests.node.engine.conftest import Signer


def _index(settings: Settings) -> int:
    """Bring the tables up to the chain as ``carbon-node index`` does."""
    with run.open_chain(settings) as ledger, run.open_store(settings) as database:
        is_final = run.is_embedded(settings)
        run.indexer_of(ledger, database, is_final=is_final).catch_up()
        with database.reading() as connection:
            at = position(connection)
    assert at is not None
    return at.number


def _mine(settings: Settings, count: int) -> None:
    engine = run.choose_engine(settings)
    assert isinstance(engine, EmbeddedEngine)
    with engine:
        for _ in range(count):
            engine.mine()


class TestOlderFolder:
    def test_is_refused_until_the_loss_is_accepted(self, embedded_home: Path):
        settings = load_settings(embedded_home)
        chain = settings.data_dir / "chain"
        shutil.copytree(chain, chain.with_name("older"))
        _mine(settings, 3)
        reached = _index(settings)
        shutil.rmtree(chain)
        chain.with_name("older").rename(chain)
        with pytest.raises(ConflictLedgerError, match=r"put the\s+newest back"):
            _index(settings)
        with run.open_store(settings) as database, database.begin() as connection:
            clear(connection)
        assert _index(settings) == reached - 3

    def test_with_other_blocks_of_the_same_height_is_refused(self, embedded_home: Path):
        settings = load_settings(embedded_home)
        chain = settings.data_dir / "chain"
        shutil.copytree(chain, chain.with_name("older"))
        _mine(settings, 1)
        _index(settings)
        shutil.rmtree(chain)
        chain.with_name("older").rename(chain)
        with run.open_chain(settings) as ledger:  # another block than before
            ledger.client.send_raw(bytes.fromhex(Signer(1).sign()[2:]))
        _mine(settings, 3)
        with pytest.raises(ConflictLedgerError, match="which the chain does not have"):
            _index(settings)
