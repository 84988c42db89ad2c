"""Validators come, go, renew and change keys, on real stakes of a real network."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from contracts.calls import UnsignedCall
from contracts.chain import ChainClient
from contracts.sender import Sender
from contracts.typed_data import address_of
from node.__main__ import app
from node.errors import InvalidAccessError, InvalidConfigError
from node.network import changes, running
from node.network.apis import ValidatorApi
from node.network.ceremony import FoundingSettings, create_here, p_chain_key
from node.network.engine import AvalancheEngine
from node.network.genesis import DAY_S, STAKE
from node.network.home import ValidatorHome
from node.network.keys import certificate_node_id
from node.network.offer import NetworkFile, read_offer
from node.network.process import ValidatorProcess
from node.network.staking import PChain, renew_stake, sponsor
from node.relayer import transport_key
from tests.simulators.voters import Voters

NAMES = ("one", "two", "three", "four", "five")
STAKE_S = 100 * DAY_S
FIRST_END_S = 30
"""When the stake of the last founder ends. [s]"""
PATIENCE_S = 150


@dataclass(frozen=True)
class Place:
    """A network whose folders are all here, and runs."""

    folder: Path
    network: NetworkFile

    def home(self, name: str) -> ValidatorHome:
        return ValidatorHome(self.folder / name)

    def node_id(self, name: str) -> str:
        return certificate_node_id(self.home(name).keys)

    def node_ids(self, *names: str) -> dict[str, str]:
        return {name: self.node_id(name) for name in names}

    @property
    def chain(self) -> PChain:
        api = ValidatorApi(self.home("one").base_url)
        return PChain(api, self.network.network_id)

    def make_block(self) -> None:
        """Send something, from a key that the genesis funds."""
        key = transport_key(self.home("two").keys / "relayer.key")
        with ChainClient(self.home("one").rpc_url) as client:
            call = UnsignedCall("0x" + 20 * "5a", b"", 21_000)
            Sender(client, key).send(call, PATIENCE_S)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("changes") / "network"
    offset_s = (STAKE_S - FIRST_END_S) // (len(NAMES) - 1)
    settings = FoundingSettings(20_260_002, 20260, STAKE_S, offset_s)
    network = create_here(folder, NAMES, settings)
    try:
        running.start(running.homes_in(folder))
        yield Place(folder, network)
    finally:
        running.stop(running.homes_in(folder))


@pytest.fixture(scope="module")
def voters(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Voters:
    """Permissions of the validators that are there when a test first asks for them."""
    folder = tmp_path_factory.mktemp("voters")
    made = Voters(folder, place.network.chain_id, place.node_ids(*NAMES))
    made.give_to(*(place.folder / name for name in NAMES))
    return made


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.3)


def _command(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["network", *map(str, words)])
    return done.exit_code, done.output


class TestRenewal:
    def test_is_refused_while_a_stake_runs(self, place: Place) -> None:
        network_id = place.network.network_id
        with pytest.raises(InvalidConfigError, match="validates already, for another"):
            renew_stake(place.folder / "one", network_id, DAY_S)
        with pytest.raises(InvalidConfigError, match="bound to its keys"):
            changes.rotate_validator(place.home("one"), place.network)

    def test_follows_the_end_with_new_keys(self, place: Place) -> None:
        old, home = place.node_id("five"), place.home("five")
        _wait_for(lambda: place.chain.validation_of(old) is None)
        stake_key = p_chain_key(home.folder, "stake")
        assert place.chain.balance(stake_key) == STAKE
        assert "has no stake" in running.status(home).sentence

        offer = changes.rotate_validator(home, place.network)
        for name in NAMES[:4]:
            changes.meet(place.home(name), offer)
        running.start([home])
        made = renew_stake(home.folder, place.network.network_id, 30 * DAY_S)

        assert made.node_id == offer.node_id == place.node_id("five") != old
        _wait_for(lambda: place.chain.validation_of(offer.node_id) is not None)
        assert place.chain.validation_of(old) is None
        assert (home.keys / f"retired-{old}" / "signer.key").exists()
        assert offer.node_id in {peer.node_id for peer in place.home("one").peers}
        place.make_block()


class TestNewcomer:
    def test_cannot_stake_without_a_quorum_of_sponsors(self, place: Place) -> None:
        reserves = [p_chain_key(place.folder / one, "reserve") for one in NAMES[:2]]
        held = sum(place.chain.balance(key) for key in reserves)
        assert held < STAKE
        third = p_chain_key(place.folder / "three", "reserve")
        assert held + place.chain.balance(third) > STAKE

    def test_is_not_admitted_before_the_permissions_name_it(
        self, place: Place, voters: Voters
    ) -> None:
        assert voters.versions.in_force().version == 1
        done = CliRunner().invoke(app, ["network", "add", str(place.folder), "six"])
        with pytest.raises(InvalidAccessError, match="six may not validate"):
            raise done.exception or AssertionError(done.output)
        assert ValidatorProcess(place.home("six"), Path()).pid is None
        stakes = {one.node_id for one in place.chain.validations()}
        assert place.node_id("six") not in stakes

    def test_validates_once_it_is_sponsored(self, place: Place, voters: Voters) -> None:
        voters.agree(place.node_ids(*NAMES, "six"))
        code, output = _command("add", place.folder, "six", "--days", 30)

        assert code == 0, output
        assert place.node_id("six") in output
        found = place.chain.validation_of(place.node_id("six"))
        assert found is not None
        assert found.amount == STAKE
        assert running.status(place.home("six")).is_well
        code, output = _command("status", place.folder)
        assert code == 0, output
        place.make_block()

    def test_is_sponsored_once(self, place: Place) -> None:
        newcomer = read_offer(place.folder / "six" / "offer.json")
        with pytest.raises(InvalidConfigError, match=r"hold .* are needed"):
            sponsor(place.folder / "one", place.network, newcomer)

    def test_leaves_and_the_others_go_on(self, place: Place) -> None:
        _wait_for(lambda: all(one.is_connected for one in place.chain.validations()))
        gone = changes.remove(place.home("six"), place.network, force=False)

        assert gone.end is not None
        assert ValidatorProcess(place.home("six"), Path()).pid is None
        place.make_block()
        _wait_for(lambda: sum(v.is_connected for v in place.chain.validations()) == 5)
        with pytest.raises(InvalidConfigError, match=r"only 4 of 6 .* 5 are needed"):
            changes.remove(place.home("four"), place.network, force=False)
        assert running.status(place.home("four")).pid is not None


class TestRemoval:
    """Version 3 of the permissions leaves six out, version 4 one as well."""

    def test_names_a_stake_that_goes_on(self, place: Place, voters: Voters) -> None:
        voters.agree(place.node_ids(*NAMES))
        code, output = _command("status", place.folder)
        assert code == 1
        assert f"{place.node_id('six')} holds a stake until" in output

    def test_lets_nobody_start_it_again(self, place: Place, voters: Voters) -> None:
        voters.give_to(place.home("six").folder)
        with pytest.raises(InvalidAccessError, match="six may not validate"):
            running.start(running.homes_in(place.folder))
        assert running.status(place.home("six")).pid is None

    def test_is_said_by_a_node_whose_validator_runs(
        self, place: Place, voters: Voters
    ) -> None:
        engine = AvalancheEngine(place.home("one").folder, 20260)
        engine.start()
        assert "may not" not in engine.health().message

        voters.agree(place.node_ids(*NAMES[1:]))

        _wait_for(lambda: "may not validate" in engine.health().message)
        assert engine.health().state == "ready"
        engine.stop()
        with pytest.raises(InvalidAccessError, match="permissions version 4 names"):
            engine.start()
        voters.agree(place.node_ids(*NAMES))
        engine.start()
        engine.stop()


class TestRelayer:
    def test_hands_its_funds_to_a_new_key(self, place: Place) -> None:
        home = place.home("one")
        old = address_of(transport_key(home.keys / "relayer.key").public_key)

        code, output = _command("rotate", home.folder, "relayer")

        assert code == 0, output
        new = transport_key(home.keys / "relayer.key")
        assert address_of(new.public_key) in output
        assert address_of(new.public_key) != old
        assert (home.keys / f"relayer.{old}.key").stat().st_mode & 0o077 == 0
        with ChainClient(home.rpc_url) as client:
            left = int(client.request("eth_getBalance", old, "latest"), 16)
            assert left == 0
            Sender(client, new).send(UnsignedCall("0x" + 20 * "5a", b"", 21_000))


class TestStopping:
    def test_ends_every_process(self, place: Place) -> None:
        code, output = _command("stop", place.folder)
        assert (code, output) == (0, "5 validators stopped\n")
        code, output = _command("status", place.folder)
        assert code == 1
        assert "does not answer" in " ".join(output.split())
