"""The four members of the demo's oracle, each with own key, database and port.

Each member's folder also has its settings as ``member.toml``, so that while the demo
is served `carbon-oracle` can check a member, or ask it for statements and packages.
"""

import json
import secrets
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from node.demo.ledger import STREAM, SandboxLedger
from node.demo.people import MEMBERS
from oracle.config import ClockSource, MemberSettings
from oracle.member.keys import MemberKey, create_key
from oracle.member.member import MemberNode

PAUSE_S = 0.05


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How fast the members work; the sandbox hurries."""

    window_s: float = 0.5
    """Longest wait of a reading for its round. [s]"""
    timeout_s: float = 4.0
    """Length of a round before the next leader takes over. [s]"""
    heartbeat_s: int = 86_400
    """Longest pause of the stream, in ledger time. [s]"""
    clock: ClockSource = "chain"


SANDBOX = Rhythm()


class Members:
    """Keys and nodes of the members.

    Args:
        folder: One folder a member is made in it.
        rhythm: How fast they work.
    """

    def __init__(self, folder: Path, rhythm: Rhythm = SANDBOX) -> None:
        self._folder = folder
        self._rhythm = rhythm
        self.keys = [self._make_key(name) for name in MEMBERS]
        self.nodes: list[MemberNode] = []

    @property
    def addresses(self) -> list[str]:
        """Addresses of the keys, in the order of `MEMBERS`."""
        return [key.address for key in self.keys]

    @property
    def leader(self) -> MemberNode:
        """The member that statements are asked of: the park operator's."""
        return self.nodes[0]

    def start(self, ledger: SandboxLedger, deployment_file: Path) -> None:
        """Start all members.

        Args:
            ledger: The chain they work on.
            deployment_file: Where its contracts are.
        """
        ports = free_ports(len(MEMBERS))
        urls = [f"http://127.0.0.1:{port}" for port in ports]
        peers = dict(zip(self.addresses, urls, strict=True))
        for name, key, port in zip(MEMBERS, self.keys, ports, strict=True):
            settings = MemberSettings(
                name=name,
                data_dir=self._folder / name,
                stream=STREAM,
                key_file=self._key_file(name),
                passphrase_file=self._passphrase_file(name),
                rpc_url=ledger.engine.rpc_url,
                deployment_file=deployment_file,
                clock=self._rhythm.clock,
                port=port,
                window_s=self._rhythm.window_s,
                timeout_s=self._rhythm.timeout_s,
                heartbeat_s=self._rhythm.heartbeat_s,
                peers=peers,
            )
            self.config_file(name).write_text(_toml(settings), "utf-8")
            node = MemberNode(settings, key=key)
            node.start()
            self.nodes.append(node)

    def config_file(self, name: str) -> Path:
        """Return the path of a member's settings."""
        return self._folder / name / "member.toml"

    def wait_followed(self, block_number: int) -> None:
        """Return when every member has read the chain up to a block."""
        while any(node.follower.head.number < block_number for node in self.nodes):
            time.sleep(PAUSE_S)

    def close(self) -> None:
        """Stop all members."""
        for node in self.nodes:
            node.stop()

    def _make_key(self, name: str) -> MemberKey:
        folder = self._folder / name
        folder.mkdir(mode=0o700, parents=True)
        passphrase = self._passphrase_file(name)
        passphrase.touch(mode=0o600)
        passphrase.write_text(secrets.token_hex(16), "ascii")
        return create_key(self._key_file(name), passphrase)

    def _key_file(self, name: str) -> Path:
        return self._folder / name / "key.json"

    def _passphrase_file(self, name: str) -> Path:
        return self._folder / name / "passphrase"


def _toml(settings: MemberSettings) -> str:
    """Write settings as the file that `carbon-oracle` reads."""
    tables = {
        "member": ("name", "data_dir", "stream", "key_file", "passphrase_file"),
        "chain": ("rpc_url", "deployment_file", "clock"),
        "http": ("host", "port"),
        "rounds": ("window_s", "timeout_s", "heartbeat_s"),
    }
    lines = []
    for table, names in tables.items():
        values = ((name, getattr(settings, name)) for name in names)
        lines += [f"[{table}]", *(f"{name} = {_word(value)}" for name, value in values)]
    peers = [
        f"{_word(address)} = {_word(url)}" for address, url in settings.peers.items()
    ]
    return "\n".join([*lines, "[peers]", *peers, ""])


def _word(value: str | float | Path) -> str:
    """Write a value of TOML; a path as an absolute one."""
    shown = str(value.resolve()) if isinstance(value, Path) else value
    return json.dumps(shown, ensure_ascii=False)


def free_ports(count: int) -> Sequence[int]:
    """Return loopback ports that were free a moment ago.

    Args:
        count: How many.
    """
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports
