"""Backups that must not be restored, and places that must not be restored to."""

import random
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from coincurve import PrivateKey

from contracts.chain import ChainClient
from contracts.deployment import deploy
from contracts.directory import Deployment
from contracts.sender import Sender
from node.backup.archive import check_digest, digest_path, is_plain_name
from node.backup.create import make_backup
from node.backup.keys import create_identity, load_identities
from node.backup.restore import Order, restore_backup
from node.backup.unpack import read_backup
from node.config import load_settings
from node.engine import EmbeddedEngine, EngineSettings
from node.errors import (
    ConflictArchiveError,
    InvalidArchiveError,
    InvalidConfigError,
    UnavailableStorageError,
)
from node.run import indexer_of, open_ledger, open_store
from tests.node.conftest import CHAIN_ID, _plan
from tests.simulators.commands import BIN, run

DAMAGES = 40
SEED = 7


def ignore(_: int) -> None:
    """Nobody watches the progress."""


@dataclass(frozen=True)
class Stored:
    """A backup of a small node, and the key that opens it."""

    config: Path
    archive: Path
    identity: Path
    recipient: str

    def order(self, target: Path) -> Order:
        return Order(self.archive, target, self.identity)

    def altered(self, folder: Path, data: bytes) -> Order:
        """An order to restore other bytes than were stored."""
        archive = folder / "altered.backup"
        archive.write_bytes(data)
        return replace(self.order(folder / "target"), archive=archive)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Stored:
    """Tests alter copies only."""
    folder = tmp_path_factory.mktemp("stored")
    chain = EngineSettings(folder / "data" / "chain", CHAIN_ID)
    with EmbeddedEngine(chain) as engine, ChainClient(engine.rpc_url) as client:
        deployment = deploy(client, Sender(client, PrivateKey()), _plan())
        (folder / "deployment.json").write_text(deployment.to_json())
        config = folder / "node.toml"
        config.write_text(
            'data_dir = "data"\ndeployment = "deployment.json"\nport = 0\n'
            f'chain_id = {CHAIN_ID}\npublic_url = "http://node.example"\n'
        )
        settings = load_settings(config)
        with (
            open_ledger(settings, engine.rpc_url) as ledger,
            open_store(settings) as database,
        ):
            indexer_of(ledger, database).catch_up()
        recipient = create_identity(folder / "key")
        make_backup(config, folder / "one.backup", [recipient], ignore)
    return Stored(config, folder / "one.backup", folder / "key", recipient)


def with_proofs(stored: Stored, folder: Path, proofs: Path) -> Path:
    """Settings of the same node with a folder of proof packages."""
    home = stored.config.parent
    config = folder / "node.toml"
    config.write_text(
        f'data_dir = "{home}/data"\ndeployment = "{home}/deployment.json"\n'
        f'chain_id = {CHAIN_ID}\npublic_url = "http://node.example"\n'
        f'proof_folder = "{proofs}"\n'
    )
    return config


def refused(order: Order, words: str) -> None:
    """The restore is refused and leaves nothing."""
    with pytest.raises(InvalidArchiveError, match=words):
        restore_backup(order, ignore)
    assert not order.target.exists()
    assert not order.target.with_name(f"{order.target.name}.partial").exists()


class TestDamage:
    def test_whatever_is_altered_or_cut_off_is_refused(
        self, stored: Stored, tmp_path: Path
    ):
        good, chosen = stored.archive.read_bytes(), random.Random(SEED)
        for _ in range(DAMAGES // 2):
            data = bytearray(good)
            data[chosen.randrange(len(data))] ^= 1 << chosen.randrange(8)
            refused(stored.altered(tmp_path, bytes(data)), "Backup|Identity")
            cut = good[: chosen.randrange(len(good))]
            refused(stored.altered(tmp_path, cut), "Backup")

    def test_another_key_opens_nothing(self, stored: Stored, tmp_path: Path):
        create_identity(tmp_path / "other")
        order = replace(stored.order(tmp_path / "to"), identity=tmp_path / "other")
        refused(order, "not encrypted to the given identity")

    def test_the_digest_beside_it_tells_damage_without_a_key(
        self, stored: Stored, tmp_path: Path
    ):
        words = digest_path(stored.archive).read_text().split()
        assert words == [check_digest(stored.archive), stored.archive.name]
        data = bytearray(stored.archive.read_bytes())
        data[-1] ^= 1
        copy = tmp_path / stored.archive.name
        copy.write_bytes(data)
        digest_path(copy).write_text(" ".join(words))
        with pytest.raises(InvalidArchiveError, match="damaged"):
            check_digest(copy)

    def test_verify_reads_every_part(self, stored: Stored):
        words = ("backup", "verify", stored.archive, "--identity", stored.identity)
        done = run("carbon-node", *words)
        assert (done.code, "parts good" in done.out) == (0, True), done.err


class TestNames:
    def test_files_are_restored_whatever_they_are_called(
        self, stored: Stored, tmp_path: Path
    ):
        proofs = tmp_path / "proofs"
        proofs.mkdir()
        names = ("报告 一月.html", "a" * 200, "it's [1] & 2.pdf")
        for name in names:
            (proofs / name).write_text(name)
        config = with_proofs(stored, tmp_path, proofs)
        out = tmp_path / "named.backup"
        make_backup(config, out, [stored.recipient], ignore)
        read_backup(out, load_identities(stored.identity), tmp_path / "to", ignore)
        found = {
            one.name: one.read_text() for one in (tmp_path / "to/proofs").iterdir()
        }
        assert found == {name: name for name in names}

    def test_a_name_that_could_not_be_restored_is_refused_at_once(
        self, stored: Stored, tmp_path: Path
    ):
        (tmp_path / "proofs").mkdir()
        (tmp_path / "proofs" / "a\nb").touch()
        config = with_proofs(stored, tmp_path, tmp_path / "proofs")
        with pytest.raises(InvalidConfigError, match="cannot be restored"):
            make_backup(config, tmp_path / "out", [stored.recipient], ignore)
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize("name", ["../a", "/a", "a/../b", "a//b", "a/./b", ""])
    def test_none_leads_out_of_the_folder(self, name: str):
        assert not is_plain_name(name)


def test_backups_of_two_nodes_into_one_folder_leave_each_other_alone(
    stored: Stored, tmp_path: Path
):
    begun = []

    def second(_: int) -> None:
        """Another node's timer strikes while the first backup is half done."""
        if not begun:
            begun.append(True)
            make_backup(stored.config, tmp_path / "b", [stored.recipient], ignore)

    made = make_backup(stored.config, tmp_path / "a", [stored.recipient], second)
    assert begun
    assert check_digest(tmp_path / "b") != made.sha256 == check_digest(tmp_path / "a")
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "a", "a.sha256", "b", "b.sha256",
    ]  # fmt: skip


class TestPlaces:
    def test_another_archive_than_the_one_that_was_made_is_refused(
        self, stored: Stored, tmp_path: Path
    ):
        order = replace(stored.order(tmp_path / "to"), sha256="ab" * 32)
        refused(order, "another archive")

    def test_a_folder_in_use_is_refused(self, stored: Stored, tmp_path: Path):
        (tmp_path / "to").mkdir()
        (tmp_path / "to" / "mine").write_text("mine")
        with pytest.raises(ConflictArchiveError, match="not empty"):
            restore_backup(stored.order(tmp_path / "to"), ignore)
        assert (tmp_path / "to" / "mine").read_text() == "mine"

    def test_another_ledger_is_refused(self, stored: Stored, tmp_path: Path):
        text = (stored.config.parent / "deployment.json").read_text()
        other = replace(Deployment.from_json(text), chain_id=1)
        (tmp_path / "other.json").write_text(other.to_json())
        order = replace(
            stored.order(tmp_path / "to"), deployment=tmp_path / "other.json"
        )
        with pytest.raises(ConflictArchiveError, match="expected chain 1"):
            restore_backup(order, ignore)
        assert not (tmp_path / "to").exists()

    def test_a_backup_is_never_overwritten(self, stored: Stored):
        before = stored.archive.read_bytes()
        with pytest.raises(InvalidArchiveError, match="ever overwritten"):
            make_backup(stored.config, stored.archive, [stored.recipient], ignore)
        assert stored.archive.read_bytes() == before

    def test_a_folder_that_is_not_there_is_named(self, stored: Stored, tmp_path: Path):
        out = tmp_path / "absent" / "two.backup"
        with pytest.raises(UnavailableStorageError, match="make it first"):
            make_backup(stored.config, out, [stored.recipient], ignore)


def test_a_backup_beside_another_chain_is_refused(stored: Stored, tmp_path: Path):
    """The node's chain runs elsewhere; at its address now answers another one."""
    (tmp_path / "deployment.json").write_text(
        (stored.config.parent / "deployment.json").read_text()
    )
    with EmbeddedEngine(EngineSettings(tmp_path / "other", CHAIN_ID)) as other:
        config = tmp_path / "node.toml"
        config.write_text(
            f'data_dir = "data"\ndeployment = "deployment.json"\n'
            f'chain_id = {CHAIN_ID}\npublic_url = "http://node.example"\n'
            f'rpc_url = "{other.rpc_url}"\n'
        )
        (tmp_path / "data").mkdir()
        index = stored.config.parent / "data" / "node.sqlite"
        shutil.copy(index, tmp_path / "data" / "node.sqlite")
        archive = tmp_path / "elsewhere.backup"
        make_backup(config, archive, [stored.recipient], ignore)
        order = replace(stored.order(tmp_path / "to"), archive=archive)
        with pytest.raises(ConflictArchiveError, match="start the right chain"):
            restore_backup(order, ignore)
    assert not (tmp_path / "to").exists()
    assert restore_backup(order, ignore).checked is None


class TestKeys:
    def test_there_is_no_backup_in_plain(self, stored: Stored, tmp_path: Path):
        with pytest.raises(InvalidConfigError, match="always encrypted"):
            make_backup(stored.config, tmp_path / "two.backup", [], ignore)
        with pytest.raises(InvalidConfigError, match="no age public key"):
            make_backup(stored.config, tmp_path / "two.backup", ["age1x"], ignore)
        deployment = (stored.config.parent / "deployment.json").read_bytes()
        assert deployment[:100] not in stored.archive.read_bytes()

    def test_an_identity_that_others_may_read_is_refused(
        self, stored: Stored, tmp_path: Path
    ):
        shown = tmp_path / "key"
        shown.write_bytes(stored.identity.read_bytes())
        shown.chmod(0o644)
        order = replace(stored.order(tmp_path / "to"), identity=shown)
        with pytest.raises(InvalidConfigError, match="chmod 600"):
            restore_backup(order, ignore)


def test_a_killed_backup_leaves_nothing_that_the_next_does_not_clear(
    stored: Stored, tmp_path: Path
):
    out = tmp_path / "out"
    out.mkdir()
    words = ("backup", "--config", stored.config, "--recipient", stored.recipient)
    command = [BIN / "carbon-node", *words, out / "two.backup"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while process.poll() is None and not any(out.iterdir()):
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    made = out / "three.backup"
    make_backup(stored.config, made, [stored.recipient], ignore)
    assert check_digest(made)
    assert not list(out.glob(".carbon-backup-*"))
    order = replace(stored.order(tmp_path / "to"), archive=made)
    checked = restore_backup(order, ignore).checked
    assert checked is not None
    assert checked.rows > 0
