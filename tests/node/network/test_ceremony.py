"""Four organisations found a network without showing each other a secret."""

import json
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from node.__main__ import app
from node.config import load_settings
from node.engine import ChainEngine
from node.errors import InvalidConfigError
from node.network.ceremony import (
    FoundingSettings,
    Place,
    complete_folder,
    found_network,
    make_offer,
)
from node.network.engine import AvalancheEngine
from node.network.home import SAMPLE, Peer, ValidatorHome, quorum_of, tolerated
from node.network.keys import certificate_node_id
from node.network.offer import NetworkFile, Offer, read_network, read_offer
from node.run import choose_engine

NAMES = ("regulator", "auditor", "steel", "operator")
SECRETS = {
    *("staker.key", "signer.key", "stake.key", "reserve.key", "relayer.key"),
    *("member.json", "passphrase", "deployment.key"),
}
SETTINGS = FoundingSettings(20_260_001, 20260, start_time=1_700_000_000)
Run = Callable[..., str]


@pytest.fixture(scope="module")
def run() -> Run:
    """Run ``carbon-node network …``; gives what it printed."""

    def command(*words: object, code: int = 0) -> str:
        done = CliRunner().invoke(app, ["network", *map(str, words)])
        if code == 0 and done.exception is not None:
            raise done.exception
        return done.output

    return command


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory, run: Run) -> dict[str, Path]:
    """Each organisation's folder after the whole ceremony by commands."""
    base = tmp_path_factory.mktemp("ceremony")
    made = {name: base / f"at-{name}" for name in NAMES}
    for number, (name, folder) in enumerate(made.items(), 1):
        run("join", folder, "--name", name, "--host", f"10.0.0.{number}")
    offers = [word for one in made.values() for word in ("--offer", one / "offer.json")]
    run("create", base / "network.json", *offers)
    for folder in made.values():
        run("join", folder, "--network", base / "network.json")
    return made


@pytest.fixture(scope="module")
def network(folders: dict[str, Path]) -> NetworkFile:
    return read_network(folders["steel"] / "network.json")


@pytest.fixture(scope="module")
def offer(folders: dict[str, Path]) -> Offer:
    return read_offer(folders["steel"] / "offer.json")


class TestCeremony:
    def test_gives_everybody_the_same_genesis(self, folders: dict[str, Path]) -> None:
        texts = {(one / "genesis.json").read_text() for one in folders.values()}
        assert len(texts) == 1
        genesis = json.loads(texts.pop())
        staking = [one["nodeID"] for one in genesis["initialStakers"]]
        keys = [certificate_node_id(one / "keys") for one in folders.values()]
        assert staking == keys

    def test_keeps_secrets_for_their_owner_alone(
        self, folders: dict[str, Path]
    ) -> None:
        for folder in folders.values():
            found = [one for one in folder.rglob("*") if one.name in SECRETS]
            assert {one.name for one in found} == SECRETS
            modes = {stat.S_IMODE(one.stat().st_mode) for one in found}
            assert modes == {0o600}
            assert stat.S_IMODE((folder / "keys").stat().st_mode) == 0o700

    def test_hands_over_no_secret(self, folders: dict[str, Path]) -> None:
        for folder in folders.values():
            public = (folder / "network.json").read_text().lower()
            public += (folder / "offer.json").read_text().lower()
            for path in folder.rglob("*.key"):
                content = path.read_bytes()
                assert content.hex() not in public
                assert content.decode("latin-1").strip().lower() not in public

    def test_funds_what_each_organisation_named(
        self, folders: dict[str, Path], network: NetworkFile
    ) -> None:
        chain = json.loads(json.loads(network.genesis)["cChainGenesis"])
        funded = {
            address.lower()[2:] for one in network.offers for address in one.funded
        }
        assert set(chain["alloc"]) == funded
        assert len(funded) == 3 * len(folders)
        assert chain["config"]["chainId"] == 20260

    def test_lets_each_find_the_others(
        self, folders: dict[str, Path], network: NetworkFile
    ) -> None:
        home = ValidatorHome(folders["auditor"])
        others = [one for one in network.offers if one.name != "auditor"]
        expected = [Peer(one.node_id, one.host, one.staking_port) for one in others]
        assert home.peers == expected

    def test_writes_settings_that_run_the_validator(
        self, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CARBON_AVALANCHEGO", "/bin/true")
        settings = load_settings(folders["steel"] / "node.toml")
        engine: ChainEngine = choose_engine(settings)
        assert isinstance(engine, AvalancheEngine)
        assert engine.rpc_url == ValidatorHome(folders["steel"]).rpc_url

    def test_tells_the_digest_to_compare(
        self, folders: dict[str, Path], network: NetworkFile
    ) -> None:
        for folder in folders.values():
            assert network.digest in (folder / "README.md").read_text()

    def test_keeps_its_keys_on_a_second_join(
        self, folders: dict[str, Path], offer: Offer, run: Run
    ) -> None:
        run("join", folders["steel"], "--name", "steel", "--host", "10.0.0.3")
        assert read_offer(folders["steel"] / "offer.json") == offer


class TestRefusals:
    def test_of_a_key_that_somebody_else_owns(
        self, network: NetworkFile, offer: Offer, tmp_path: Path
    ) -> None:
        other = network.offers[0]
        forged = replace(offer, bls_public_key=other.bls_public_key)
        (tmp_path / "offer.json").write_text(forged.to_json())
        with pytest.raises(InvalidConfigError, match="proof of possession"):
            read_offer(tmp_path / "offer.json")

    def test_of_a_genesis_that_gives_somebody_more(
        self, folders: dict[str, Path], network: NetworkFile, offer: Offer
    ) -> None:
        rich = replace(
            network.offers[0], funded=(*network.offers[0].funded, "0x" + 20 * "77")
        )
        offers = (rich, *network.offers[1:])
        secret = found_network(offers, SETTINGS).genesis
        with pytest.raises(InvalidConfigError, match="nobody offered"):
            complete_folder(folders["steel"], offer, replace(network, genesis=secret))

    def test_of_an_offer_that_the_convener_changed(
        self, folders: dict[str, Path], network: NetworkFile, offer: Offer
    ) -> None:
        moved = [
            replace(one, host="10.9.9.9") if one.name == "steel" else one
            for one in network.offers
        ]
        with pytest.raises(InvalidConfigError, match="another offer of steel"):
            complete_folder(folders["steel"], offer, found_network(moved, SETTINGS))

    def test_of_one_organisation_twice(self, network: NetworkFile) -> None:
        with pytest.raises(InvalidConfigError, match="same name regulator"):
            found_network((*network.offers, network.offers[0]), SETTINGS)

    def test_of_too_few(self, network: NetworkFile) -> None:
        with pytest.raises(InvalidConfigError, match="3 validators was not tried"):
            found_network(network.offers[:3], SETTINGS)

    def test_of_stakes_that_are_too_long(self, network: NetworkFile) -> None:
        long = replace(SETTINGS, stake_duration_s=400 * 86_400)
        with pytest.raises(InvalidConfigError, match="expected at most 31536000"):
            found_network(network.offers, long)

    def test_of_an_exposed_key(self, tmp_path: Path) -> None:
        make_offer(tmp_path, "steel", Place())
        (tmp_path / "keys" / "signer.key").chmod(0o644)
        with pytest.raises(InvalidConfigError, match="chmod 600"):
            make_offer(tmp_path, "steel", Place())

    @pytest.mark.parametrize("name", ["", "Steel Works", "../steel", "-x"])
    def test_of_a_name_that_is_no_folder(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(InvalidConfigError, match="small letters"):
            make_offer(tmp_path / "x", name, Place())
        assert not (tmp_path / "x").exists()

    def test_of_a_host_that_is_a_name(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidConfigError, match="IPv4 address"):
            make_offer(tmp_path, "steel", replace(Place(), host="validator.example"))


class TestQuorum:
    @pytest.mark.parametrize("validators", range(4, 11))
    def test_is_reached_with_the_tolerated_number_down_and_not_with_one_more(
        self, validators: int
    ) -> None:
        down, quorum = tolerated(validators), quorum_of(validators)
        assert SAMPLE * (validators - down) / validators > quorum
        assert 3 * quorum > 2 * SAMPLE
        if validators < 7:
            assert SAMPLE * (validators - down - 1) / validators < quorum
