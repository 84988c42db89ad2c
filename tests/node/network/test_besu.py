"""Besu's files against what Besu documents; Besu itself is not run here."""

import json
import stat
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from coincurve import PrivateKey, PublicKey

from contracts.typed_data import address_of
from node.errors import InvalidConfigError
from node.network.besu import (
    NOTICE,
    BesuSettings,
    BesuValidator,
    create_besu_network,
    make_besu_offer,
    read_besu_offer,
)
from node.network.besu_files import extra_data, validators_of
from node.network.besu_schema import (
    check_genesis,
    check_options,
    check_permissions,
    schema,
)

NAMES = ("operator", "identity", "auditor", "regulator", "bank")
SETTINGS = BesuSettings(
    20260,
    tuple(BesuValidator(name, f"10.0.0.{at}") for at, name in enumerate(NAMES, 1)),
)
DOCUMENTED = (
    "f87aa00000000000000000000000000000000000000000000000000000000000000000f854"
    "944592c8e45706cc08b8f44b11e43cba0cfc5892cb9406e23768a0f59cf365e18c2e0c89e151bcdedc70"
    "94c5327f96ee02d7bcbc1bf1236b8c15148971e1de94ab5e7f4061c605820d3744227eed91ff8e2c8908"
    "c080c0"
)
"""Besu's own example of ``rlp encode --type=QBFT_EXTRA_DATA``, in qbft.md."""
DOCUMENTED_VALIDATORS = [
    "0x4592c8e45706cc08b8f44b11e43cba0cfc5892cb",
    "0x06e23768a0f59cf365e18c2e0c89e151bcdedc70",
    "0xc5327f96ee02d7bcbc1bf1236b8c15148971e1de",
    "0xab5e7f4061c605820d3744227eed91ff8e2c8908",
]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folders of five organisations."""
    folder = tmp_path_factory.mktemp("besu")
    made = create_besu_network(folder, SETTINGS)
    assert made == [folder / name for name in NAMES]
    return folder


def read_json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def read_toml(path: Path) -> Any:
    return tomllib.loads(path.read_text("utf-8"))


class TestExtraData:
    def test_reads_the_documented_example(self):
        found = validators_of(bytes.fromhex(DOCUMENTED))
        assert [address.lower() for address in found] == DOCUMENTED_VALIDATORS

    def test_writes_the_documented_example_in_ascending_order(self):
        made = extra_data(DOCUMENTED_VALIDATORS)
        assert len(made) == len(DOCUMENTED) // 2
        found = [address.lower() for address in validators_of(made)]
        assert found == sorted(DOCUMENTED_VALIDATORS)

    def test_gives_the_validators_back(self, network: Path):
        genesis = read_json(network / "auditor" / "genesis.json")
        found = validators_of(bytes.fromhex(genesis["extraData"][2:]))
        parts = [read_json(network / name / "validator.json") for name in NAMES]
        assert sorted(found) == sorted(part["address"] for part in parts)

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            ("c0", "no QBFT data"),
            (DOCUMENTED[:-2], "no QBFT data"),
            (DOCUMENTED[:-4] + "01c0", "carries a vote, a round or seals"),
        ],
    )
    def test_refuses_other_data(self, data: str, reason: str):
        with pytest.raises(InvalidConfigError, match=reason):
            validators_of(bytes.fromhex(data))


class TestFiles:
    def test_obey_the_documented_schema(self, network: Path):
        for name in NAMES:
            home = network / name
            check_genesis(read_json(home / "genesis.json"))
            check_permissions(read_toml(home / "permissions_config.toml"))
            check_options(read_toml(home / "config.toml"))

    def test_are_the_same_where_all_must_agree(self, network: Path):
        for file in ("genesis.json", "permissions_config.toml"):
            assert len({(network / name / file).read_bytes() for name in NAMES}) == 1

    def test_ask_for_no_fees_and_cancun(self, network: Path):
        config = read_json(network / "bank" / "genesis.json")["config"]
        options = read_toml(network / "bank" / "config.toml")
        assert config["zeroBaseFee"] is True
        assert config["cancunTime"] == config["shanghaiTime"] == 0
        assert options["min-gas-price"] == options["rpc-tx-feecap"] == 0
        assert options["tx-pool"] == "sequenced"

    def test_let_nobody_in_unnamed(self, network: Path):
        for name in NAMES:
            home = network / name
            permissions = read_toml(home / "permissions_config.toml")
            others = read_json(home / "static-nodes.json")
            own = read_json(home / "validator.json")
            assert {*others, own["enode"]} == set(permissions["nodes-allowlist"])
            assert len(others) == len(NAMES) - 1
            assert set(own["senders"]) < set(permissions["accounts-allowlist"])

    def test_open_no_dangerous_method(self, network: Path):
        options = read_toml(network / "bank" / "config.toml")
        assert not {"DEBUG", "ADMIN", "PERM", "TRACE"} & set(options["rpc-http-api"])
        assert "*" not in options["host-allowlist"]
        (ports,) = [
            service["ports"]
            for service in yaml.safe_load((network / "bank/compose.yaml").read_text())[
                "services"
            ].values()
        ]
        assert [port for port in ports if "8545" in port] == ["127.0.0.1:8545:8545/tcp"]

    def test_mount_every_file_that_the_options_name(self, network: Path):
        compose = yaml.safe_load((network / "bank" / "compose.yaml").read_text())
        volumes = [entry.split(":") for entry in compose["services"]["besu"]["volumes"]]
        inside = {place for _, place, *_ in volumes}
        options = read_toml(network / "bank" / "config.toml")
        paths = {value for value in options.values() if str(value).startswith("/")}
        assert paths <= inside
        for outside, *_ in volumes:
            if not outside.endswith("data"):
                assert (network / "bank" / outside).exists()

    def test_pin_the_image_and_wait_for_its_digest(self, network: Path):
        compose = yaml.safe_load((network / "bank" / "compose.yaml").read_text())
        image = compose["services"]["besu"]["image"]
        assert image.startswith("hyperledger/besu:26.8")
        assert "${BESU_DIGEST:?" in image

    def test_say_that_they_were_not_run(self, network: Path):
        for name in NAMES:
            for path in (network / name).glob("*.[ty][om]*"):
                assert "NOT RUN IN OUR TESTS" in path.read_text("utf-8"), path
            assert NOTICE in (network / name / "NOT-RUN-HERE.txt").read_text()
        runbook = (network / "RUNBOOK.md").read_text("utf-8")
        assert "**Not run in our tests.**" in runbook
        for needed in ("qbft_proposeValidatorVote", "node.engine.conformance"):
            assert needed in runbook


class TestKeys:
    def test_belong_to_their_enode_and_address(self, network: Path):
        for name in NAMES:
            text = (network / name / "keys" / "node.key").read_text().strip()
            public = PrivateKey(bytes.fromhex(text[2:])).public_key
            parts = read_json(network / name / "validator.json")
            point = public.format(compressed=False)[1:].hex()
            assert parts["enode"].startswith(f"enode://{point}@10.0.0.")
            assert parts["address"] == address_of(public)

    def test_are_secret_and_lie_with_their_owner_alone(self, network: Path):
        secrets = {}
        for path in network.rglob("*.key"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
            secrets[path] = path.read_text().strip().removeprefix("0x")
        assert len(secrets) == 2 * len(NAMES)
        others = [p for p in network.rglob("*") if p.is_file() and p not in secrets]
        for path in others:
            assert not any(secret in path.read_text() for secret in secrets.values())

    def test_are_not_made_for_who_brings_a_public_one(self, tmp_path: Path):
        keys = [PrivateKey() for _ in NAMES]
        given = tuple(
            replace(
                one,
                public_key=key.public_key.format(compressed=False)[1:],
                senders=("0x" + "ab" * 20,),
            )
            for one, key in zip(SETTINGS.validators, keys, strict=True)
        )
        create_besu_network(tmp_path, replace(SETTINGS, validators=given))
        assert not [*tmp_path.rglob("*.key")]
        genesis = read_json(tmp_path / "bank" / "genesis.json")
        found = validators_of(bytes.fromhex(genesis["extraData"][2:]))
        assert sorted(found) == sorted(address_of(key.public_key) for key in keys)


class TestCeremony:
    def test_needs_only_what_the_organisations_hand_over(self, tmp_path: Path):
        offers = []
        for at, name in enumerate(NAMES):
            host = f"10.0.0.{at}" if at else "fd00::1"
            path = make_besu_offer(tmp_path / f"own-{name}", name, host, 30_303)
            offers.append(read_besu_offer(path))
        made = tmp_path / "network"
        create_besu_network(made, BesuSettings(20260, tuple(offers)))
        assert not [*made.rglob("*.key")]
        for name in NAMES:
            own = read_json(tmp_path / f"own-{name}" / "validator.json")
            assert read_json(made / name / "validator.json") == own
            permissions = read_toml(made / name / "permissions_config.toml")
            assert own["enode"] in permissions["nodes-allowlist"]
            assert set(own["senders"]) <= set(permissions["accounts-allowlist"])

    def test_keeps_keys_that_are_there(self, tmp_path: Path):
        first = make_besu_offer(tmp_path, "bank", "10.0.0.1", 30_303).read_text()
        again = make_besu_offer(tmp_path, "bank", "10.0.0.1", 30_303).read_text()
        assert again == first
        key = tmp_path / "keys" / "node.key"
        key.chmod(0o644)
        with pytest.raises(InvalidConfigError, match="can be read by others"):
            make_besu_offer(tmp_path, "bank", "10.0.0.1", 30_303)
        key.chmod(0o600)
        key.write_text("0x12")
        with pytest.raises(InvalidConfigError, match="cannot be used"):
            make_besu_offer(tmp_path, "bank", "10.0.0.1", 30_303)

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"enode": "x", "name": "y"}'])
    def test_refuses_an_offer_that_is_none(self, tmp_path: Path, text: str):
        path = tmp_path / "validator.json"
        path.write_text(text)
        with pytest.raises(InvalidConfigError, match=r"cannot be used|expected enodes"):
            read_besu_offer(path)


class TestCommands:
    def run(self, *words: str) -> str:
        command = [sys.executable, "-m", "node", "network", *words]
        ended = subprocess.run(command, capture_output=True, text=True, check=True)
        return ended.stdout

    def test_make_offers_and_a_network_of_them(self, tmp_path: Path):
        offers = []
        for at, name in enumerate(NAMES[:4], 1):
            home = tmp_path / f"own-{name}"
            if at == 1:
                words = ["--name", name, "--host", f"10.0.0.{at}"]
                said = self.run("besu-offer", str(home), *words)
                assert NOTICE in said
            else:
                make_besu_offer(home, name, f"10.0.0.{at}", 30_303)
            offers += ["--offer", str(home / "validator.json")]
        made = tmp_path / "network"
        said = self.run("create", str(made), "--engine", "besu", *offers)
        assert NOTICE in said
        genesis = read_json(made / "regulator" / "genesis.json")
        assert len(validators_of(bytes.fromhex(genesis["extraData"][2:]))) == 4


class TestRefusals:
    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"name": "bank"}, "named twice"),
            ({"host": "10.0.0.5"}, "same address and port"),
            ({"host": "node.example"}, "expected an IP address"),
            ({"name": "../bank"}, "cannot be a folder's name"),
            ({"public_key": b"\x01" * 63}, "brings 63 bytes as its public key"),
            ({"senders": ("nobody",)}, "accounts-allowlist: expected addresses"),
        ],
    )
    def test_of_a_validator_change_nothing(
        self, tmp_path: Path, change: dict[str, Any], reason: str
    ):
        first, *others = SETTINGS.validators
        validators = (replace(first, **change), *others)
        with pytest.raises(InvalidConfigError, match=reason):
            create_besu_network(tmp_path, replace(SETTINGS, validators=validators))
        assert not [*tmp_path.iterdir()]

    def test_of_too_few_validators(self, tmp_path: Path):
        few = replace(SETTINGS, validators=SETTINGS.validators[:3])
        with pytest.raises(InvalidConfigError, match="at least 4 validators"):
            create_besu_network(tmp_path, few)

    def test_of_a_period_that_is_none(self, tmp_path: Path):
        with pytest.raises(InvalidConfigError, match="blockperiodseconds: expected at"):
            create_besu_network(tmp_path, replace(SETTINGS, block_period_s=0))
        assert not [*tmp_path.iterdir()]

    def test_of_a_folder_with_keys(self, network: Path):
        before = {path: path.read_bytes() for path in network.rglob("*.*")}
        with pytest.raises(InvalidConfigError, match="holds files already"):
            create_besu_network(network, SETTINGS)
        assert {path: path.read_bytes() for path in network.rglob("*.*")} == before


class TestSchema:
    def test_names_a_source_for_every_item(self):
        sources = {"genesis", "qbft", "free-gas", "permissions", "options", "forks"}
        for part in schema().values():
            assert set(part["required"]) <= set(part["items"])
            assert {item["source"] for item in part["items"].values()} <= sources

    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            ({"tx-pool-price-bump": 10}, "not compatible with a zero base fee"),
            ({"min-gas-price": 1}, r"min-gas-price: expected one of \[0\], given 1"),
            ({"min-gas-price": "0"}, "min-gas-price: expected integer"),
            ({"host-allowlist": ["*"]}, "host-allowlist: expected none of"),
            ({"rpc-http-api": ["ETH", "DEBUG"]}, "expected nothing but"),
            ({"p2p-port": 70_000}, "p2p-port: expected at most 65535"),
            ({"no-such-option": 1}, "an unknown one"),
            ({"rpc-http-port": None}, "rpc-http-port: expected integer"),
        ],
    )
    def test_refuses_options_that_besu_would_not_take(
        self, network: Path, options: dict[str, Any], reason: str
    ):
        good = read_toml(network / "bank" / "config.toml")
        with pytest.raises(InvalidConfigError, match=reason):
            check_options(good | options)

    def test_refuses_a_genesis_without_an_item(self, network: Path):
        good = read_json(network / "bank" / "genesis.json")
        del good["mixHash"]
        with pytest.raises(InvalidConfigError, match="mixHash: expected it to"):
            check_genesis(good)

    @pytest.mark.parametrize("host", ["127.0.0.1", "node.example"])
    def test_wants_enodes_with_an_address(self, host: str):
        point = PublicKey.from_secret(b"\x01" * 32).format(compressed=False)[1:].hex()
        permissions = {
            "nodes-allowlist": [f"enode://{point}@{host}:30303"],
            "accounts-allowlist": [],
        }
        if host == "127.0.0.1":
            check_permissions(permissions)
        else:
            with pytest.raises(InvalidConfigError, match="nodes-allowlist: expected"):
                check_permissions(permissions)
