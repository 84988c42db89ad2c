"""What the organisations signed decides who validates, whatever the command."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from node.__main__ import app
from node.config import load_settings
from node.errors import (
    ConflictPermissionsError,
    InvalidAccessError,
    InvalidConfigError,
    NodeError,
)
from node.network.ceremony import FoundingSettings, create_here
from node.network.engine import AvalancheEngine
from node.network.home import ValidatorHome
from node.network.offer import read_offer
from node.network.permitted import permissions_in, require_permitted
from node.operations.check import check_node
from node.run import choose_engine
from tests.simulators.voters import Voters

CHAIN_ID = 20260
NAMES = ("operator", "auditor", "steel", "glass")
Refused = Callable[..., str]


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of four that nobody has started."""
    folder = tmp_path_factory.mktemp("permitted") / "network"
    create_here(folder, NAMES, FoundingSettings(20_260_003, CHAIN_ID))
    return folder


@pytest.fixture
def place(founded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, on a machine whose validators would do nothing."""
    monkeypatch.setenv("CARBON_AVALANCHEGO", "/bin/true")
    return Path(shutil.copytree(founded, tmp_path / "network"))


@pytest.fixture(scope="module")
def nodes(founded: Path) -> Mapping[str, str]:
    """Organisation → its node."""
    offers = (read_offer(founded / name / "offer.json") for name in NAMES)
    return {one.name: one.node_id for one in offers}


@pytest.fixture
def voters(place: Path, tmp_path: Path, nodes: Mapping[str, str]) -> Voters:
    """Permissions with which all four validate, in all four folders."""
    made = Voters(tmp_path / "park", CHAIN_ID, nodes)
    made.give_to(*(place / name for name in NAMES))
    return made


@pytest.fixture
def refused() -> Refused:
    """Run ``carbon-node network …``, which must refuse; gives its sentence."""

    def command(*words: object) -> str:
        done = CliRunner().invoke(app, ["network", *map(str, words)])
        assert isinstance(done.exception, NodeError), done.output
        return str(done.exception)

    return command


def without(nodes: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: node for name, node in nodes.items() if name not in names}


def runs(home: Path) -> bool:
    return ValidatorHome(home).record.exists()


class TestWhoMayValidate:
    def test_are_the_founders_before_there_are_permissions(
        self, place: Path, nodes: Mapping[str, str]
    ) -> None:
        assert permissions_in(place / "steel") is None
        require_permitted(place / "steel", nodes["steel"], "steel")
        done = CliRunner().invoke(app, ["network", "permitted", str(place / "steel")])
        assert done.exit_code == 0
        assert f"{nodes['steel']} may validate: there are no permissions" in done.output

    def test_are_those_that_the_version_in_force_names(
        self, place: Path, nodes: Mapping[str, str], voters: Voters
    ) -> None:
        voters.agree(without(nodes, "glass"), signing=("operator", "identity"))
        for name, node_id in nodes.items():
            require_permitted(place / name, node_id, name)

        voters.agree(without(nodes, "glass"), signing=("auditor",))

        require_permitted(place / "steel", nodes["steel"], "steel")
        with pytest.raises(InvalidAccessError, match=r"version 2 names NodeID-.* with"):
            require_permitted(place / "steel", nodes["glass"], "glass")

    def test_need_the_right_besides_the_node(
        self, place: Path, nodes: Mapping[str, str], voters: Voters, refused: Refused
    ) -> None:
        voters.agree(nodes, without_right="steel")
        sentence = refused("permitted", place / "steel")
        assert sentence.startswith("steel may not validate: permissions version 2")
        assert f"gives steel, whose {nodes['steel']} is, no right to it" in sentence


class TestCommands:
    """Each refuses glass, which version 2 leaves out."""

    @pytest.fixture(autouse=True)
    def removed(self, nodes: Mapping[str, str], voters: Voters) -> None:
        voters.agree(without(nodes, "glass"))

    def test_join_completes_no_folder(self, place: Path, refused: Refused) -> None:
        home = place / "glass"
        (home / "genesis.json").unlink()
        sentence = refused("join", home, "--network", place / "network.json")
        assert sentence.startswith("glass may not validate: permissions version 2")
        assert not (home / "genesis.json").exists()

    def test_start_starts_nothing(self, place: Path, refused: Refused) -> None:
        assert "glass may not validate" in refused("start", place / "glass")
        assert not runs(place / "glass")

    def test_run_starts_nothing(self, place: Path) -> None:
        settings = load_settings(place / "glass" / "node.toml")
        with pytest.raises(InvalidAccessError, match="glass may not validate"):
            choose_engine(settings).start()
        assert not runs(place / "glass")

    def test_check_calls_it_wrong(
        self, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("CARBON_AVALANCHEGO")
        findings = check_node(load_settings(place / "glass" / "node.toml"))
        (engine,) = (one for one in findings if one.subject == "engine")
        assert "glass may not validate" in engine.detail
        assert not engine.is_good

    def test_run_asks_the_gate_that_its_settings_name(
        self, place: Path, tmp_path: Path, voters: Voters
    ) -> None:
        (place / "glass" / "gate.toml").unlink()
        voters.give_to(tmp_path / "etc")
        path = tmp_path / "etc" / "node.toml"
        path.write_text(
            f'data_dir = "node"\ndeployment = "d"\nchain_id = {CHAIN_ID}\n'
            f'public_url = "http://127.0.0.1"\nvalidator = "{place / "glass"}"\n'
            'gate = "gate.toml"\n'
        )
        with pytest.raises(InvalidAccessError, match="glass may not validate"):
            choose_engine(load_settings(path)).start()
        assert not runs(place / "glass")

    def test_add_and_sponsor_admit_nobody(
        self, place: Path, nodes: Mapping[str, str], refused: Refused
    ) -> None:
        assert "newcomer may not validate" in refused("add", place, "newcomer")
        assert not (place / "newcomer" / "genesis.json").exists()
        offer = place / "newcomer" / "offer.json"
        node_id = read_offer(offer).node_id
        assert node_id not in nodes.values()
        for command in ("sponsor", "meet"):
            sentence = refused(command, place / "steel", offer)
            assert f"version 2 names {node_id} with no organisation" in sentence

    def test_meet_leaves_what_is_known(
        self, place: Path, nodes: Mapping[str, str], refused: Refused
    ) -> None:
        home, offer = ValidatorHome(place / "steel"), place / "glass" / "offer.json"
        home.write_peers([one for one in home.peers if one.node_id != nodes["glass"]])
        before = home.config.read_bytes()
        assert "glass may not validate" in refused("meet", home.folder, offer)
        assert home.config.read_bytes() == before

    def test_stake_asks_no_chain(self, place: Path, refused: Refused) -> None:
        assert "glass may not validate" in refused("stake", place / "glass")

    def test_status_says_so(self, place: Path) -> None:
        done = CliRunner().invoke(app, ["network", "status", str(place / "glass")])
        assert done.exit_code == 1
        assert "may not validate:" in done.output

    def test_the_others_are_let_in(self, place: Path, nodes: Mapping[str, str]) -> None:
        for name in ("operator", "auditor", "steel"):
            words = ["network", "permitted", str(place / name)]
            done = CliRunner().invoke(app, words)
            assert f"{nodes[name]} may validate: permissions version 2" in done.output


class TestPermissionsThatCannotBeUsed:
    def test_let_nobody_in_where_they_were_altered(
        self, place: Path, voters: Voters, refused: Refused
    ) -> None:
        path = voters.versions.folder / "permissions-0001.toml"
        path.write_text(path.read_text().replace("steel", "stahl"))
        assert "expected 0x" in refused("start", place / "steel")
        assert not runs(place / "steel")

    def test_let_nobody_in_where_the_newest_is_gone(
        self, place: Path, nodes: Mapping[str, str], voters: Voters
    ) -> None:
        voters.agree(without(nodes, "glass"))
        assert permissions_in(place / "steel")
        for path in voters.versions.folder.glob("permissions-0002.*"):
            path.unlink()
        with pytest.raises(ConflictPermissionsError, match="version 2 was in force"):
            require_permitted(place / "glass", nodes["glass"], "glass")

    def test_let_nobody_in_where_no_settings_name_them(
        self, place: Path, voters: Voters, refused: Refused
    ) -> None:
        home = place / "steel"
        shutil.copytree(voters.versions.folder, home / "permissions")
        (home / "gate.toml").unlink()
        assert "no settings name" in refused("start", home)

    def test_let_nobody_in_of_another_chain(
        self, place: Path, nodes: Mapping[str, str], tmp_path: Path
    ) -> None:
        Voters(tmp_path / "other", 7, nodes).give_to(place / "steel")
        with pytest.raises(InvalidConfigError, match=r"chain 7, .* chain 20260"):
            AvalancheEngine(place / "steel", CHAIN_ID).start()

    def test_are_named_by_the_node_of_the_folder(
        self, place: Path, nodes: Mapping[str, str], voters: Voters, tmp_path: Path
    ) -> None:
        home = place / "glass"
        (home / "gate.toml").unlink()
        voters.give_to(tmp_path / "etc")
        with (home / "node.toml").open("a") as file:
            file.write(f"gate = {json.dumps(str(tmp_path / 'etc' / 'gate.toml'))}\n")
        voters.agree(without(nodes, "glass"))
        with pytest.raises(InvalidAccessError, match="glass may not validate"):
            require_permitted(home, nodes["glass"], "glass")
