"""A sandbox ledger: embedded engine, contracts, organisations, carriers' registry."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from coincurve import PrivateKey

from contracts.chain import ChainClient
from contracts.deployment import deploy
from contracts.directory import Deployment
from contracts.enumerations import Kind
from contracts.ledger import Ledger
from contracts.plan import DeploymentPlan, Stream
from contracts.sender import Sender
from contracts.structs import Member
from contracts.typed_data import account_id
from node.demo.acts import Acts
from node.demo.people import INSTITUTIONS, MEMBERS, People
from node.engine import EmbeddedEngine, EngineSettings

CHAIN_ID = 20260
STREAM = "demo-park"
MAX_SILENCE_S = 90 * 86_400
"""The sandbox clock jumps, so the stream may be silent for long. [s]"""
THRESHOLD = 3
"""⌊2n/3⌋ + 1 of four members."""
LOCAL = dt.timezone(dt.timedelta(hours=8), "UTC+8")


@dataclass(frozen=True, slots=True)
class SandboxLedger:
    """A running sandbox chain with a deployed ledger."""

    engine: EmbeddedEngine
    client: ChainClient
    sender: Sender
    """Relayer of the node."""
    ledger: Ledger
    deployment: Deployment
    acts: Acts

    @property
    def now(self) -> int:
        """The sandbox clock. [unix s]."""
        return self.engine.clock.now()

    def set_time(self, moment: dt.datetime) -> None:
        """Move the sandbox clock and make a block that carries the time."""
        self.engine.set_time(int(moment.timestamp()))
        self.engine.mine()

    def close(self) -> None:
        """Close the client and stop the engine."""
        self.client.close()
        self.engine.stop()


def sandbox_settings(folder: Path, genesis: dt.datetime) -> EngineSettings:
    """Return the settings of a chain whose time is set by hand.

    Args:
        folder: Data folder of the chain.
        genesis: Time of the first block.
    """
    return EngineSettings(
        data_dir=folder,
        chain_id=CHAIN_ID,
        clock_mode="virtual",
        genesis_time=int(genesis.timestamp()),
    )


def open_ledger(
    settings: EngineSettings, people: People, member_keys: Sequence[str]
) -> SandboxLedger:
    """Start an engine and deploy the ledger on it.

    Args:
        settings: The chain.
        people: Representatives of all organisations.
        member_keys: Addresses of the members' keys, in the order of `MEMBERS`.

    Returns:
        The running ledger; the caller closes it.
    """
    engine = EmbeddedEngine(settings)
    engine.start()
    client = ChainClient(engine.rpc_url)
    deployment = deploy(
        client, Sender(client, PrivateKey()), _plan(people, member_keys)
    )
    ledger = Ledger(client, deployment)
    sender = Sender(client, PrivateKey())
    acts = Acts(ledger, sender, people)
    return SandboxLedger(engine, client, sender, ledger, deployment, acts)


def _plan(people: People, member_keys: Sequence[str]) -> DeploymentPlan:
    members = tuple(
        Member(key, account_id(name), INSTITUTIONS.get(name, Kind.NONE))
        for name, key in zip(MEMBERS, member_keys, strict=True)
    )
    streams = (Stream(STREAM, MAX_SILENCE_S),)
    return DeploymentPlan(people.organisations(), members, THRESHOLD, streams)
