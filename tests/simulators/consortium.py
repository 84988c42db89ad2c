"""Five organisations, each with a validator, a node and a member of its own.

Every part is a process that an operator would start: `avalanchego`, `carbon-node run`
and `carbon-oracle run`, from settings files in the organisation's folder. Only the
machine is shared.
"""

import signal
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx
from coincurve import PrivateKey

from contracts.chain import ChainClient
from contracts.directory import Deployment
from contracts.enumerations import Kind
from contracts.sender import Sender
from contracts.typed_data import address_of
from node.network.local import LocalNetwork
from node.relayer import transport_key
from oracle.config import MemberSettings
from oracle.member.keys import MemberKey, write_key
from tests.simulators import commands
from tests.simulators.oracle_park import (
    CHAIN_ID,
    STREAM,
    Institutions,
    free_port,
    key_of,
    settings_toml,
)

MEMBERS = {
    "Park Operator": Kind.PARK_OPERATOR,
    "Identity Platform": Kind.IDENTITY_PLATFORM,
    "Auditor": Kind.VERIFIER,
    "Regulator": Kind.REGULATOR,
    "Bank": Kind.BANK,
}
"""Organisations that validate, run a node and are members of the oracle."""
ENTERPRISES = ("Steel", "Glass")
QUORUM = 4


@dataclass
class OrganisationSimulator:
    """One organisation's folder and processes."""

    name: str
    folder: Path
    rpc_url: str
    database_urls: tuple[str, str] = ("", "")
    """Databases of its node and its member; empty for files in its folder."""
    node_port: int = field(default_factory=free_port)
    member_port: int = field(default_factory=free_port)
    running: list[commands.Program] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir()
        self.key = MemberKey(key_of(f"{self.name} oracle").secret)
        self.relayer = transport_key(self.folder / "relayer.key")

    @property
    def payers(self) -> list[str]:
        """Addresses whose transactions the chain must carry."""
        return [self.key.address, address_of(self.relayer.public_key)]

    @property
    def node_url(self) -> str:
        return f"http://127.0.0.1:{self.node_port}"

    @property
    def member_url(self) -> str:
        return f"http://127.0.0.1:{self.member_port}"

    @property
    def node_file(self) -> Path:
        return self.folder / "node.toml"

    @property
    def member_file(self) -> Path:
        return self.folder / "member.toml"

    def write(self, deployment: Path, peers: Mapping[str, str]) -> None:
        """Write what `carbon-node` and `carbon-oracle` start from."""
        self.node_file.write_text(
            f'data_dir = "node"\ndeployment = "{deployment}"\nport = {self.node_port}\n'
            f'chain_id = {CHAIN_ID}\npublic_url = "{self.node_url}"\n'
            f'rpc_url = "{self.rpc_url}"\nrelayer_key = "relayer.key"\n'
            f'database_url = "{self.database_urls[0]}"\n'
        )
        passphrase, key_file = self.folder / "passphrase", self.folder / "member.json"
        passphrase.touch(0o600)
        passphrase.write_text(f"passphrase of {self.name}")
        write_key(self.key, key_file, passphrase)
        settings = MemberSettings(
            name=self.name,
            data_dir=self.folder / "member",
            stream=STREAM,
            key_file=key_file,
            passphrase_file=passphrase,
            rpc_url=self.rpc_url,
            deployment_file=deployment,
            port=self.member_port,
            database_url=self.database_urls[1],
            window_s=1.0,
            timeout_s=5.0,
            workers=0,
            peers={key: url for key, url in peers.items() if key != self.key.address},
        )
        settings.data_dir.mkdir()
        self.member_file.write_text(settings_toml(settings))

    def start(self) -> None:
        """Start node and member; does not wait for them."""
        files = {"carbon-node": self.node_file, "carbon-oracle": self.member_file}
        self.running = [
            commands.Program(
                name, "run", "--config", file, log=self.folder / f"{name}.log"
            )
            for name, file in files.items()
        ]

    def wait(self, timeout_s: float = 300) -> None:
        """Wait until node and member answer."""
        for program in self.running:
            program.wait_for(r"http://127\.0\.0\.1:\d+", timeout_s)

    def kill(self) -> None:
        """Kill node and member with SIGKILL."""
        for program in self.running:
            program.process.kill()
            program.process.wait(10)
        self.running = []

    def stop(self) -> list[int]:
        """Ask node and member to stop; gives their exit codes."""
        codes = [program.stop(signal.SIGTERM) for program in self.running]
        self.running = []
        return codes

    def get(self, path: str) -> Any:
        """Ask its node's API."""
        answer = httpx.get(f"{self.node_url}{path}", timeout=20, trust_env=False)
        return answer.raise_for_status().json()

    def status(self) -> dict[str, Any] | None:
        """Status of its member, None while it does not answer."""
        url = f"{self.member_url}/status"
        try:
            found: dict[str, Any] = httpx.get(url, timeout=5, trust_env=False).json()
        except httpx.HTTPError:
            return None
        return found


class Consortium:
    """The network, the ledger on it, and the organisations that keep it.

    Args:
        folder: New folder of everything.
        database_urls: Organisation → databases of its node and its member.
    """

    def __init__(
        self, folder: Path, database_urls: Mapping[str, tuple[str, str]]
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.deployment_file = folder / "deployment.json"
        deployer = transport_key(folder / "deployment.key")
        self.guest = PrivateKey()
        self.organisations = [
            OrganisationSimulator(
                name, folder / name, "", database_urls.get(name, ("", ""))
            )
            for name in MEMBERS
        ]
        payers = [address for one in self.organisations for address in one.payers]
        payers += [address_of(key.public_key) for key in (deployer, self.guest)]
        self.network = LocalNetwork.create(folder / "network", funded=payers)
        for at, one in enumerate(self.organisations):
            one.rpc_url = self.network.rpc_url(at)

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            undo.callback(self.close)
            self.network.start()
            self.network.wait_ready()
            self._found()
            for one in self.organisations:
                one.start()
            for one in self.organisations:
                one.wait()
            undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill whatever runs."""
        for one in self.organisations:
            one.kill()
        self.network.stop()

    def _found(self) -> None:
        """Found the ledger from a plan file and write everybody's settings."""
        plan = self.folder / "plan.toml"
        plan.write_text(plan_toml())
        words = ("deploy", plan, "--rpc", self.network.rpc_url(0))
        done = commands.run("carbon-node", *words, "--out", self.deployment_file)
        assert done.code == 0, done.err
        peers = {one.key.address: one.member_url for one in self.organisations}
        for one in self.organisations:
            one.write(self.deployment_file, peers)

    def people(self, at: int = 0) -> Institutions:
        """Whoever acts by keys alone, through one organisation's validator."""
        client = ChainClient(self.network.rpc_url(at))
        deployment = Deployment.from_json(self.deployment_file.read_text())
        return Institutions(client, Sender(client, self.guest), deployment)


def plan_toml() -> str:
    """The plan that the five organisations have agreed on."""
    kinds = MEMBERS | dict.fromkeys(ENTERPRISES, Kind.ENTERPRISE)
    text = [f"threshold = {QUORUM}"]
    for name, kind in kinds.items():
        first, second = (
            address_of(key_of(f"{name} {which}").public_key)
            for which in ("first", "second")
        )
        text += _table("organisations", name=name, kind=kind.name.lower())
        text += [f'initiators = ["{first}"]', f'approvers = ["{second}"]']
    for name in MEMBERS:
        key = address_of(key_of(f"{name} oracle").public_key)
        text += _table("members", organisation=name, key=key)
    text += [*_table("streams", name=STREAM), "max_silence_s = 86400", ""]
    return "\n".join(text)


def _table(title: str, **entries: str) -> Sequence[str]:
    return [f"[[{title}]]", *(f'{name} = "{text}"' for name, text in entries.items())]
