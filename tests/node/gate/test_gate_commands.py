"""``carbon-node gate`` and ``permissions`` as typed; the gate of a node."""

import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.typed_data import address_of
from node.__main__ import app
from node.errors import InvalidConfigError
from node.relayer import transport_key
from tests.servers.chain import Chain
from tests.simulators.commands import invoked, running
from wallet.keystore import create_key

CHAIN_ID = 20260
NAMES = ("operator", "auditor", "regulator")
PASSWORD = "seven small stones"  # noqa: S105  # of these tests' keys alone


def command(*words: object) -> str:
    """Run a command that must succeed, and give what it prints."""
    return invoked(app, *words).output


def post(url: str, method: str, *params: object, token: str = "") -> httpx.Response:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return httpx.post(url, json=body, headers=headers, trust_env=False, timeout=20)


class Office:
    """Organisations with key files, and the settings of one gate, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "gate.toml"
        self.password = folder / "password"
        self.password.touch(0o600)
        self.password.write_text(f"{PASSWORD}\n")
        labels = [f"{name}-{part}" for name in NAMES for part in ("first", "second")]
        self.keys = {
            label: create_key(folder / "keys", label, PASSWORD, 16).address
            for label in labels
        }

    def draft(self, *more: str) -> Path:
        tables = [
            f'[[organisations]]\nname = "{name}"\nrights = ["read", "send"]\n'
            f'keys = ["{self.keys[f"{name}-first"]}", "{self.keys[f"{name}-second"]}"]'
            for name in NAMES
        ]
        draft = self.folder / "draft.toml"
        draft.write_text("\n".join([*tables, *more, ""]))
        return draft

    def begin(self, *settings: str, draft: Path | None = None) -> None:
        """Write version 1, and the gate's settings with its digest."""
        folder = self.folder / "permissions"
        made = draft or self.draft()
        words = ("permissions", "begin", made, "--folder", folder)
        first = command(*words, "--chain-id", CHAIN_ID)
        lines = [f"chain_id = {CHAIN_ID}", 'permissions = "permissions"', "port = 0"]
        self.config.write_text("\n".join([*lines, first, *settings, ""]))

    def permissions(self, *words: object) -> str:
        return command("permissions", *words, "--config", self.config)

    def sign(self, label: str) -> str:
        key = self.folder / "keys" / f"{label}.json"
        return self.permissions("sign", "--key", key, "--password-file", self.password)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


class TestPermissions:
    def test_a_version_is_proposed_signed_and_shown(self, office: Office):
        office.begin()
        assert "version 1 of chain 20260" in office.permissions("show")
        steel = '[[organisations]]\nname = "steel"\nrights = ["read"]'
        proposed = office.permissions("propose", office.draft(steel))
        assert "version 2 is open: 0 of 3 needed" in proposed
        for label in list(office.keys)[:-1]:
            assert "version 2 is open" in office.sign(label)
        assert "steel" in office.sign("regulator-second")  # shown before it is signed
        shown = office.permissions("show")
        assert "permissions version 2 of chain 20260, SHA-256 0x" in shown
        with pytest.raises(InvalidConfigError, match="No version after 2"):
            office.sign("auditor-first")

    def test_a_stranger_signs_nothing(self, office: Office):
        office.begin()
        office.permissions("propose", office.draft('[[organisations]]\nname = "x"'))
        create_key(office.folder / "keys", "stranger", PASSWORD, 16)
        with pytest.raises(InvalidConfigError, match="is of no voter of version 1"):
            office.sign("stranger")
        office.password.write_text("wrong password")
        with pytest.raises(InvalidConfigError, match="cannot be used"):
            office.sign("auditor-first")

    def test_signatures_come_from_elsewhere(self, office: Office, tmp_path: Path):
        office.begin()
        office.permissions("propose", office.draft('[[organisations]]\nname = "x"'))
        office.sign("auditor-first")
        folder = office.folder / "permissions"
        brought = tmp_path / "brought.json"
        (folder / "permissions-0002.signatures.json").rename(brought)
        assert "1 valid signatures" in office.permissions("collect", brought)


class TestGate:
    def test_serves_alone_with_a_token(
        self, engine: Chain, office: Office, tmp_path: Path
    ):
        callers = tmp_path / "callers.toml"
        words = ("gate", "token", "steel-indexer", "--callers", callers)
        steel = '[[organisations]]\nname = "steel"\nrights = ["read"]'
        office.begin(
            f'rpc_url = "{engine.rpc_url}"',
            'callers = "callers.toml"',
            draft=office.draft(steel),
        )
        token = command(*words, "--organisation", "steel", "--rights", "read,send")
        assert token.strip() not in callers.read_text()
        assert callers.stat().st_mode & 0o777 == 0o600
        other = command("gate", "token", "glass", "--callers", callers,
                        "--organisation", "glass").strip()  # fmt: skip
        config = ("--config", office.config)
        with running("carbon-node", "gate", *config, log=tmp_path / "log") as gate:
            url = gate.wait_for(r"^(http://127\.0\.0\.1:\d+)$")[1]
            found = post(url, "eth_chainId", token=token.strip()).json()
            assert found["result"] == hex(CHAIN_ID)
            assert post(url, "eth_chainId").status_code == 401
            refused = post(url, "eth_chainId", token=other).json()["error"]
            assert "organisation glass of caller glass has no right" in str(refused)
            assert token.strip() not in gate.output
            assert gate.stop(signal.SIGTERM) == 0

    def test_a_token_of_a_name_that_is_there_changes_nothing(self, tmp_path: Path):
        callers = tmp_path / "callers.toml"
        words = ("gate", "token", "steel", "--callers", callers)
        command(*words)
        before = callers.read_bytes()
        with pytest.raises(InvalidConfigError, match="steel stands there twice"):
            command(*words)
        with pytest.raises(InvalidConfigError, match="rights are of"):
            command("gate", "token", "x", "--callers", callers, "--rights", "all")
        assert callers.read_bytes() == before

    def test_needs_settings_and_an_engine(self, office: Office):
        with pytest.raises(InvalidConfigError, match="--config FILE"):
            command("gate")
        office.begin()
        with pytest.raises(InvalidConfigError, match="without rpc_url"):
            command("gate", "--config", office.config)

    def test_callers_without_organisation_are_refused_where_it_counts(
        self, engine: Chain, office: Office, tmp_path: Path
    ):
        office.begin(f'rpc_url = "{engine.rpc_url}"', 'callers = "callers.toml"')
        command("gate", "token", "steel", "--callers", tmp_path / "callers.toml")
        with pytest.raises(InvalidConfigError, match="steel without organisation"):
            command("gate", "--config", office.config)


class TestNode:
    def test_serves_its_gate_and_holds_its_own_chain_to_the_permissions(
        self, embedded_home: Path, office: Office, account: Any
    ):
        """The embedded chain's own port refuses what the gate refuses."""
        (embedded_home.parent / "data").mkdir(exist_ok=True)
        key = transport_key(embedded_home.parent / "data" / "relayer.key")
        relayer = address_of(key.public_key)
        steel = '[[organisations]]\nname = "steel"\nrights = ["send"]'
        sender = f'{steel}\nsenders = ["{relayer}"]'
        office.begin(draft=office.draft(sender))
        embedded_home.write_text(embedded_home.read_text() + 'gate = "gate.toml"\n')
        log = office.folder / "log"
        config = ("--config", embedded_home)
        with running("carbon-node", "run", *config, log=log) as node:
            url = node.wait_for(r"^(http://127\.0\.0\.1:\d+)$")[1]
            gate = node.wait_for(r'gate answers"? url=(\S+)')[1]
            status = httpx.get(f"{url}/status", trust_env=False).json()
            assert status["permissions_version"] == 1
            assert status["permissions_digest"] in office.config.read_text()
            refused = post(gate, "eth_sendRawTransaction", account(1).sign()).json()
            assert "may not send transactions here" in refused["error"]["message"]
            assert post(gate, "eth_chainId").json()["result"] == hex(CHAIN_ID)
            assert node.stop(signal.SIGTERM) == 0
