"""A ledger founded by `carbon-node deploy` on a real chain."""

from pathlib import Path

import pytest
from coincurve import PrivateKey
from typer.testing import CliRunner

from contracts.chain import ChainClient
from contracts.directory import Deployment
from contracts.enumerations import Kind
from contracts.ledger import Ledger
from contracts.typed_data import account_id, address_of
from node.__main__ import app
from node.engine import EngineSettings
from node.errors import InvalidConfigError
from node.founding import found_ledger, load_plan
from node.relayer import transport_key
from tests.servers.chain import fund, open_engine
from tests.simulators import commands

KINDS = {
    "operator": "park_operator",
    "identity": "identity_platform",
    "auditor": "verifier",
    "regulator": "regulator",
    "steel": "enterprise",
}


def address() -> str:
    return address_of(PrivateKey().public_key)


def plan_text() -> str:
    parts = ["threshold = 3"]
    for name, kind in KINDS.items():
        parts += [
            f'[[organisations]]\nname = "{name}"\nkind = "{kind}"',
            f'initiators = ["{address()}"]\napprovers = ["{address()}"]',
        ]
    for name in ("operator", "identity", "auditor", "regulator"):
        parts.append(f'[[members]]\norganisation = "{name}"\nkey = "{address()}"')
    parts.append('[[streams]]\nname = "park"\nmax_silence_s = 7200')
    return "\n".join(parts)


def _fund_deployer(rpc_url: str, out: Path) -> None:
    key = transport_key(out.with_suffix(".key"))
    with ChainClient(rpc_url) as client:
        fund(client, address_of(key.public_key))


@pytest.fixture
def plan_path(tmp_path: Path) -> Path:
    path = tmp_path / "plan.toml"
    path.write_text(plan_text(), "utf-8")
    return path


class TestDeployCommand:
    def test_founds_a_ledger_and_takes_up_its_own_work(
        self, tmp_path: Path, plan_path: Path
    ):
        out = tmp_path / "deployment.json"
        with open_engine(EngineSettings(tmp_path / "chain", 20260)) as engine:
            _fund_deployer(engine.rpc_url, out)
            arguments = ["deploy", str(plan_path), "--rpc", engine.rpc_url]
            arguments += ["--out", str(out)]
            first = CliRunner().invoke(app, arguments)
            again = found_ledger(plan_path, engine.rpc_url, out)

            deployment = Deployment.from_json(out.read_text("utf-8"))
            with ChainClient(engine.rpc_url) as client:
                ledger = Ledger(client, deployment)
                steel = ledger.accounts.account_of(account_id("steel"))
                members = ledger.anchor.configuration().members

        assert first.exit_code == 0, first.output
        assert again == deployment
        assert steel.kind == Kind.ENTERPRISE
        assert len(members) == 4
        assert out.with_suffix(".key").stat().st_mode & 0o077 == 0


class TestLoadPlan:
    def test_names_a_missing_entry(self, plan_path: Path):
        plan_path.write_text(plan_text().replace("threshold = 3", ""), "utf-8")

        with pytest.raises(InvalidConfigError, match="'threshold' is missing"):
            load_plan(plan_path)

    def test_names_a_member_of_nobody(self, plan_path: Path):
        text = plan_text().replace('organisation = "auditor"', 'organisation = "x"')
        plan_path.write_text(text, "utf-8")

        with pytest.raises(InvalidConfigError, match="'x' is missing or names nothing"):
            load_plan(plan_path)

    def test_one_key_in_both_lists_has_both_rights(self, plan_path: Path):
        key = address()
        text = plan_text() + (
            f'\n[[organisations]]\nname = "glass"\nkind = "enterprise"\n'
            f'initiators = ["{key}"]\napprovers = ["{key}", "{address()}"]'
        )
        plan_path.write_text(text, "utf-8")

        glass = load_plan(plan_path).organisations[-1]

        assert [one.rights.name for one in glass.representatives] == ["BOTH", "APPROVE"]


class TestCommand:
    def test_says_in_words_that_the_chain_does_not_answer(
        self, plan_path: Path, tmp_path: Path, free_port: int
    ):
        rpc, out = f"http://127.0.0.1:{free_port}", tmp_path / "deployment.json"
        words = ("deploy", plan_path, "--rpc", rpc, "--out", out)

        done = commands.run("carbon-node", *words)

        assert (done.code, done.out) == (1, "")
        assert rpc in done.err
        assert not out.exists()
