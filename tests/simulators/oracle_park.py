"""A deployed ledger with four members, carriers and people, for tests of the oracle."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import httpx
from coincurve import PrivateKey

from contracts import typed_data
from contracts.calls import UnsignedCall
from contracts.chain import ChainClient
from contracts.deployment import DeploymentPlan, Organisation, Stream, deploy
from contracts.directory import Deployment
from contracts.enumerations import Kind, Rights
from contracts.hashing import keccak256
from contracts.ledger import Ledger
from contracts.sender import Sender
from contracts.structs import (
    CallBatch,
    Member,
    Registration,
    Representative,
    Signatures,
)
from contracts.typed_data import address_of, compact_signature, stream_id
from node.network.local import free_ports
from oracle.config import MemberSettings
from oracle.member.keys import MemberKey, write_key
from oracle.member.member import MemberNode
from oracle.reading.checks import Domain
from tests.servers.chain import Chain, fund, funded_sender
from tests.simulators.device import DeviceSimulator

CHAIN_ID = 20260
STREAM = "park"
STREAM_ID = stream_id(STREAM)
MEMBERS = ("Park Operator", "Identity Platform", "Auditor", "Regulator")
KINDS = {
    "Park Operator": Kind.PARK_OPERATOR,
    "Identity Platform": Kind.IDENTITY_PLATFORM,
    "Auditor": Kind.VERIFIER,
    "Regulator": Kind.REGULATOR,
    "Steel": Kind.ENTERPRISE,
    "Glass": Kind.ENTERPRISE,
    "Wire": Kind.ENTERPRISE,
}


def key_of(title: str) -> PrivateKey:
    return PrivateKey(keccak256(b"oracle park " + title.encode()))


def member_key(index: int) -> MemberKey:
    return MemberKey(key_of(f"{MEMBERS[index]} oracle").secret)


def members_of(names: Sequence[str] = MEMBERS) -> tuple[Member, ...]:
    return tuple(
        Member(member_key(MEMBERS.index(n)).address, typed_data.account_id(n), KINDS[n])
        for n in names
    )


def _plan() -> DeploymentPlan:
    organisations = tuple(
        Organisation(
            name,
            kind,
            (
                Representative(_address(f"{name} first"), Rights.INITIATE),
                Representative(_address(f"{name} second"), Rights.APPROVE),
            ),
        )
        for name, kind in KINDS.items()
    )
    streams = (Stream(STREAM, 86_400),)
    return DeploymentPlan(organisations, members_of(), 3, streams, (), ())


def _address(title: str) -> str:
    return address_of(key_of(title).public_key)


class Institutions:
    """Acts for the people of a ledger that is deployed."""

    def __init__(
        self, client: ChainClient, sender: Sender, deployment: Deployment
    ) -> None:
        self.client = client
        self.sender = sender
        self.deployment = deployment
        self.ledger = Ledger(client, deployment)
        self.domain = Domain(CHAIN_ID, deployment.addresses["Carriers"])

    # ------------------------------------------------------------------- the people

    def govern(self, name: str, *calls: UnsignedCall) -> None:
        """Let an institution's two representatives make governed calls."""
        mandate = self.ledger.mandate(name)
        account = typed_data.account_id(name)
        nonce = self.ledger.accounts.account_of(account).nonce
        targets = tuple(str(call.to) for call in calls)
        data = tuple(call.data for call in calls)
        batch = CallBatch(targets, data, nonce, self.now() + 86_400)
        domain = self.deployment.domain(mandate.address)
        signatures = self.signatures(name, typed_data.digest(batch, domain))
        self.sender.send(mandate.execute_batch(batch, signatures))

    def instruct(self, name: str, kind: type, send: Any, **values: Any) -> None:
        """Let two representatives of an account sign and send an instruction."""
        account = typed_data.account_id(name)
        nonce = self.ledger.accounts.account_of(account).nonce
        values |= {"account": account, "nonce": nonce, "deadline": self.now() + 86_400}
        instruction = kind(**values)
        contract = self.deployment.domain(typed_data.TYPES[kind.__name__])
        digest = typed_data.digest(instruction, contract)
        self.sender.send(send(instruction, self.signatures(name, digest)))

    def signatures(self, name: str, digest: bytes) -> Signatures:
        first, second = key_of(f"{name} first"), key_of(f"{name} second")
        return Signatures(
            compact_signature(first, digest), compact_signature(second, digest)
        )

    def now(self) -> int:
        block = self.client.block()
        assert block is not None
        return max(block.timestamp, int(time.time()))

    # ----------------------------------------------------------------- the carriers

    def device(self, name: str, owner: str = "Steel") -> DeviceSimulator:
        """Enrol a carrier and return it."""
        device = DeviceSimulator(name, domain=self.domain)
        record = device.record
        assert record.channel_table is not None
        registration = Registration(
            device.identifier,
            typed_data.account_id(owner),
            device.signer.suite,
            device.signer.public_key,
            record.channel_table.to_bytes(),
        )
        call = self.ledger.carriers.register([registration])
        self.govern("Identity Platform", call)
        return device


class OraclePark(Institutions):
    """Acts for everybody on one chain.

    Addresses of contracts follow from the deployer's key: one key, used once on each
    chain, gives equal addresses and so equal signed readings on all of them.
    """

    def __init__(
        self, engine: Chain, folder: Path, deployer: PrivateKey | None = None
    ) -> None:
        self.engine = engine
        self.folder = folder
        client = ChainClient(engine.rpc_url)
        sender = funded_sender(client, deployer)
        fund(client, *(member_key(index).address for index in range(len(MEMBERS))))
        super().__init__(client, sender, deploy(client, sender, _plan()))
        self.deployment_file = folder / "deployment.json"
        self.deployment_file.write_text(self.deployment.to_json())
        self.ports = [free_port() for _ in MEMBERS]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    # ------------------------------------------------------------------ the members

    def settings(self, index: int, **changes: Any) -> MemberSettings:
        folder = self.folder / f"member-{index}"
        folder.mkdir(exist_ok=True)
        passphrase, key_file = folder / "passphrase", folder / "key.json"
        if not key_file.exists():
            passphrase.touch(0o600)
            passphrase.write_text(f"passphrase of member {index}")
            write_key(member_key(index), key_file, passphrase)
        peers = {
            member_key(i).address: f"http://127.0.0.1:{port}"
            for i, port in enumerate(self.ports)
            if i != index
        }
        settings = MemberSettings(
            name=MEMBERS[index],
            data_dir=folder,
            stream=STREAM,
            key_file=key_file,
            passphrase_file=passphrase,
            rpc_url=self.engine.rpc_url,
            deployment_file=self.deployment_file,
            port=self.ports[index],
            window_s=0.3,
            timeout_s=1.5,
            heartbeat_s=3600,
            workers=0,
            peers=peers,
        )
        return replace(settings, **changes)

    def node(self, index: int, **changes: Any) -> MemberNode:
        return MemberNode(self.settings(index, **changes), key=member_key(index))

    @contextmanager
    def running(
        self, indexes: Sequence[int] = (0, 1, 2, 3), **changes: Any
    ) -> Iterator[dict[int, MemberNode]]:
        """Run members in this process."""
        nodes = {index: self.node(index, **changes) for index in indexes}
        started = []
        try:
            for node in nodes.values():
                node.start()
                started.append(node)
            yield nodes
        finally:
            for node in nodes.values():
                node.stop()

    def process(self, index: int, **changes: Any) -> subprocess.Popen[bytes]:
        """Start a member as a process of its own."""
        path = self.folder / f"member-{index}.toml"
        path.write_text(settings_toml(self.settings(index, **changes)))
        command = [sys.executable, "-m", "oracle", "run", "--config", str(path)]
        log = (self.folder / f"member-{index}.log").open("ab")
        return subprocess.Popen(
            command, stdout=log, stderr=log, env=os.environ | {"PYTHONPATH": "."}
        )

    def anchored(self) -> int:
        """Number of batches on the chain."""
        return self.ledger.anchor.head(STREAM_ID).seq

    def status(self, index: int) -> dict[str, Any] | None:
        """Status of a member, None while it does not answer."""
        url = f"http://127.0.0.1:{self.ports[index]}/status"
        try:
            answer: dict[str, Any] = httpx.get(url, timeout=1, trust_env=False).json()
        except httpx.HTTPError:
            return None
        return answer


def settings_toml(settings: MemberSettings) -> str:
    """Write settings as the TOML file that `carbon-oracle` reads."""

    def lines(table: str, names: Sequence[str]) -> list[str]:
        values = {name: getattr(settings, name) for name in names}
        shown = [
            f"{name} = {json.dumps(str(v) if isinstance(v, Path) else v)}"
            for name, v in values.items()
            if v not in (None, "")
        ]
        return [f"[{table}]", *shown]

    text = lines("member", ("name", "data_dir", "stream", "key_file"))
    text += lines("member", ("passphrase_file", "database_url"))[1:]
    text += lines("chain", ("rpc_url", "deployment_file", "clock"))
    text += lines("http", ("host", "port"))
    text += lines("rounds", ("window_s", "timeout_s", "heartbeat_s", "max_batch"))
    text += lines("inbox", ("workers",))
    peers = [f'"{address}" = "{url}"' for address, url in settings.peers.items()]
    return "\n".join([*text, "[peers]", *peers, ""])


def free_port() -> int:
    """A port below the range that the kernel takes for outgoing connections."""
    return free_ports(1)[0]


def wait_until(condition: Any, timeout_s: float = 20.0, pause_s: float = 0.05) -> None:
    """Wait for a condition, or fail with what it said last."""
    deadline = time.monotonic() + timeout_s
    while not (last := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s} s: {last!r}")
        time.sleep(pause_s)
