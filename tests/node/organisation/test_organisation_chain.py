"""The commands find the chain of the settings by themselves."""

from pathlib import Path

import pytest
from coincurve import PrivateKey

from contracts.directory import Deployment
from contracts.typed_data import address_of
from node.__main__ import app
from node.errors import UnavailableEngineError
from node.network.home import ValidatorHome, ValidatorSettings
from tests.simulators import commands

CHAIN_ID = 20260


def address() -> str:
    return address_of(PrivateKey().public_key)


@pytest.fixture
def settings(tmp_path: Path, free_port: int) -> Path:
    """A node whose chain is its validator's, which does not run."""
    names = ("AccessManager", "Accounts", "Directory", "ReadingAnchor", "Carriers")
    deployment = Deployment(CHAIN_ID, {name: address() for name in names}, 1)
    (tmp_path / "deployment.json").write_text(deployment.to_json())
    ValidatorHome(tmp_path).write(ValidatorSettings(1, 5, free_port, 1), "{}")
    path = tmp_path / "node.toml"
    path.write_text(
        f'data_dir = "node"\ndeployment = "deployment.json"\nchain_id = {CHAIN_ID}\n'
        'public_url = "http://127.0.0.1"\nvalidator = "."\n'
    )
    return path


class TestOnboard:
    def test_asks_the_validator_of_the_settings(
        self, settings: Path, tmp_path: Path, free_port: int
    ) -> None:
        plan = tmp_path / "plan.toml"
        plan.write_text(
            f'name = "foundry"\nkind = "enterprise"\ninitiators = ["{address()}"]\n'
            f'approvers = ["{address()}"]\nrights = ["read"]\n'
        )
        words = ("organisation", "onboard", plan, "--config", settings)
        with pytest.raises(UnavailableEngineError, match=f"{free_port}/ext/bc/C/rpc"):
            commands.invoked(app, *words)
