"""A small park with a node and a member, and its state before and after."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from sqlalchemy import func, select

from contracts.structs import IssueQuota
from contracts.typed_data import account_id
from node.config import Settings
from node.engine import EngineSettings
from node.run import RunningNode, run_node
from node.store.desk import PendingInstruction
from oracle.member.member import MemberNode
from tests.servers.chain import fund, open_engine, relayer_of
from tests.simulators.oracle_park import CHAIN_ID, OraclePark, key_of
from wallet.instructions import Instruction, build
from wallet.signers import KeySigner

PASSWORD = "seven small stones"  # noqa: S105  # of these tests' keys alone
PEOPLE = ("Regulator first", "Regulator second", "Steel first")


@dataclass(frozen=True)
class Scene:
    """A chain with contracts, one node and one member, and people's key files."""

    park: OraclePark
    node: RunningNode
    member: MemberNode
    folder: Path

    def signer(self, person: str) -> KeySigner:
        return KeySigner(key_of(person).secret)

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    @property
    def secrets(self) -> list[str]:
        """What no command may ever print."""
        return [PASSWORD, *(key_of(person).secret.hex() for person in PEOPLE)]

    def nonce(self, name: str) -> int:
        return self.park.ledger.accounts.account_of(account_id(name)).nonce

    def issue(self, **fields: object) -> Instruction:
        """An instruction to issue quota, unsigned, with the changes asked for."""
        texts = {
            "account": "Regulator",
            "vintage": "2024",
            "tonnes": "7",
            "document": "decision",
            "nonce": str(self.nonce("Regulator")),
            "deadline": str(self.park.now() + 3600),
            **{name: str(value) for name, value in fields.items()},
        }
        quota = self.park.deployment.addresses["Quota"]
        return build("IssueQuota", quota, CHAIN_ID, texts)

    def state(self) -> dict[str, Any]:
        """Everything that a refused input must leave as it is."""
        pending = select(func.count()).select_from(PendingInstruction)
        with self.node.database.reading() as connection:
            waiting = connection.execute(pending).scalar()
        quota = self.park.ledger.quota
        return {
            "block": self.park.client.block_number(),
            "nonces": [self.nonce(name) for name in ("Regulator", "Steel")],
            "supply": quota.supply_of(2024),
            "held": quota.balance_of(account_id("Regulator"), 2024),
            "waiting": waiting,
            "readings": self.member.inbox.stored.counts()["readings"],
        }


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("scene")
    with (
        open_engine(EngineSettings(folder / "chain", CHAIN_ID)) as engine,
        OraclePark(engine, folder) as park,
        run_node(funded_settings(park, folder), engine) as node,
        park.running((0,)) as members,
    ):
        write_keys(folder / "keys")
        given = {"vintage": 2024, "tonnes": 1000, "document": bytes(32)}
        park.instruct("Regulator", IssueQuota, park.ledger.quota.issue, **given)
        yield Scene(park, node, members[0], folder)


def funded_settings(park: OraclePark, folder: Path) -> Settings:
    settings = Settings(
        data_dir=folder / "node",
        deployment=folder / "deployment.json",
        chain_id=CHAIN_ID,
        public_url="http://node.example",
        port=0,
        poll_interval_ms=20,
    )
    fund(park.client, relayer_of(settings))
    return settings


def write_keys(folder: Path) -> None:
    """Key files of the people, made with a cheap scrypt."""
    folder.mkdir(mode=0o700)
    for person in PEOPLE:
        secret = key_of(person).secret
        document = Account.encrypt(secret, PASSWORD, "scrypt", 2**10)
        path = folder / f"{person.lower().replace(' ', '-')}.json"
        path.touch(0o600)
        path.write_text(json.dumps(document))
    (folder / "password").touch(0o600)
    (folder / "password").write_text(f"{PASSWORD}\n")
