"""The index and contracts that came into office late, on a chain that reorganises."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from contracts.editions import follow
from contracts.ledger import Ledger
from node.config import Settings
from node.run import indexer_of
from node.services.fsck import check_ledger
from node.store.database import Database, open_database
from node.store.facts import DirectoryEntry, ReferencePrice
from node.upgrade.command import UpgradeOptions, upgrade
from node.upgrade.steps import Step
from tests.servers.chain import funded_sender
from wallet.instruction_file import from_json

pytestmark = pytest.mark.embedded_only("the chain has to be taken back")

EDITIONS = Path(__file__).parents[3] / "contracts" / "artifacts" / "editions"


@dataclass(frozen=True)
class Upgrader:
    """Brings a later market into office, step by step."""

    park: Any
    folder: Path

    def step(self) -> Step:
        deployment = self.folder / "deployment.json"
        deployment.write_text(self.park.deployment.to_json())
        settings = Settings(self.folder, deployment, 20260, "http://node.example")
        url = self.park.client.url
        options = UpgradeOptions("Market", self.folder / "market", EDITIONS, url)
        return upgrade(settings, options)

    def sign(self, step: Step) -> None:
        assert step.file is not None
        park = replace(self.park, sender=funded_sender(self.park.client))
        park.act(from_json(step.file.read_text("utf-8")), "regulator")

    def finish(self, price_fen: int) -> None:
        """Activate, repeat, and let the new market say something."""
        while (step := self.step()).state != "done":
            self.sign(step)
        deployment = follow(self.park.client, self.park.deployment)
        market = Ledger(self.park.client, deployment).market
        assert market.address != self.park.deployment.addresses["Market"]
        park = replace(self.park, sender=funded_sender(self.park.client))
        park.govern("regulator", market.set_reference_price(2026, price_fen))


@contextmanager
def opened(path: Path) -> Iterator[Database]:
    database = open_database(f"sqlite:///{path}")
    try:
        yield database
    finally:
        database.close()


def prices(database: Database) -> list[int]:
    query = select(ReferencePrice.price_fen).where(ReferencePrice.vintage == 2026)
    with database.reading() as connection:
        return [*connection.execute(query).scalars()]


def versions(database: Database) -> int:
    query = select(DirectoryEntry.version).where(DirectoryEntry.name == "Market")
    with database.reading() as connection:
        return max(connection.execute(query).scalars())


def test_come_and_go_with_the_blocks_that_name_them(fragile_park: Any, tmp_path: Path):
    park = fragile_park
    park.govern("regulator", park.ledger.market.set_reference_price(2023, 8_000))
    upgrader = Upgrader(park, tmp_path)
    upgrader.sign(upgrader.step())
    park.client.request("evm_increaseTime", 200_000)
    park.client.request("evm_mine")
    with opened(tmp_path / "running.sqlite") as running:
        indexer = indexer_of(park.ledger, running)
        indexer.catch_up()
        mark = park.client.request("evm_snapshot")
        upgrader.finish(7_000)
        indexer.catch_up()
        assert (prices(running), versions(running)) == ([7_000], 2)

        park.client.request("evm_revert", mark)
        replace(park, sender=funded_sender(park.client)).endow("glass", 2023, 5, 100)
        for _ in range(30):
            park.client.request("evm_mine")
        indexer.catch_up()
        assert (prices(running), versions(running)) == ([], 1)

        upgrader.finish(9_000)
        indexer.catch_up()
        assert (prices(running), versions(running)) == ([9_000], 2)
        with opened(tmp_path / "fresh.sqlite") as fresh:
            indexer_of(park.ledger, fresh).catch_up()
            report = check_ledger(park.ledger, running, fresh)
    assert report.block_number == park.client.block_number()
