"""The folder of one organisation's validator: keys, genesis, settings, data.

The settings file is avalanchego's own; every path in it is relative to the folder, so
the folder can be carried to the machine where it shall run. Rules of consensus stand
in it as well, and every validator must have the same.

Consensus asks a sample of the stake again and again. avalanchego's default sample of
20 suits a thousand validators; with five equal ones a sample of 20 misses a quorum of
15 once in five times when one is down, and reaches it once in eight when two are. A
sample of 400 is nearly a count, and costs no more: a validator is asked once, however
often it was drawn (see ``docs/adr``).
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from node.errors import InvalidConfigError
from node.network.genesis import LONGEST_STAKE_S, STAKE
from node.network.keys import BLS_KEY, TLS_CERTIFICATE, TLS_KEY

__all__ = ["Peer", "ValidatorHome", "ValidatorSettings", "quorum_of", "tolerated"]

SAMPLE = 400
"""Units of stake that one poll draws."""
_LEAST_SHARE = (68, 100)
"""More than two thirds, whatever the number of validators."""
_BLOCK_DELAY = "250ms"
_SHORTEST_STAKE_S = 60


@dataclass(frozen=True, slots=True)
class Peer:
    """Another validator, as one finds it."""

    node_id: str
    host: str
    """IP address; avalanchego takes no names."""
    staking_port: int


@dataclass(frozen=True, slots=True)
class ValidatorSettings:
    """What one validator needs to know."""

    network_id: int
    validators: int
    """How many the network starts with; all must assume the same."""
    http_port: int
    """Port of its RPC, on loopback: the node's gate stands before it."""
    staking_port: int
    """Port for the other validators."""
    host: str = "127.0.0.1"
    """IP address under which the others find it."""
    peers: tuple[Peer, ...] = ()
    """The other validators that are known."""


def tolerated(validators: int) -> int:
    """Give how many of so many equal validators may be down: (n − 1) / 3, or 1."""
    return max((validators - 1) // 3, 1 if validators > 3 else 0)  # noqa: PLR2004  # four is the smallest number that bears a loss


def quorum_of(validators: int) -> int:
    """Give the votes of a sample that decide a poll.

    Halfway between what is there when the tolerated number is down and when one more
    is, and more than two thirds.

    Args:
        validators: How many validators have equal stakes.

    Returns:
        Votes out of ``SAMPLE``.
    """
    up = validators - tolerated(validators)
    halfway = SAMPLE * (2 * up - 1) // (2 * validators)
    share, whole = _LEAST_SHARE
    return max(halfway, SAMPLE * share // whole)


@dataclass(frozen=True, slots=True)
class ValidatorHome:
    """Paths of one validator's folder."""

    folder: Path

    @property
    def keys(self) -> Path:
        """Folder of its keys, mode 700."""
        return self.folder / "keys"

    @property
    def genesis(self) -> Path:
        """The network's genesis file."""
        return self.folder / "genesis.json"

    @property
    def config(self) -> Path:
        """Settings file of avalanchego."""
        return self.folder / "validator.json"

    @property
    def record(self) -> Path:
        """Process id and start time of the running validator."""
        return self.folder / "validator.pid"

    @property
    def log(self) -> Path:
        """What the validator said while it started or fell."""
        return self.folder / "validator.log"

    @property
    def http_port(self) -> int:
        """Port of its RPC.

        Raises:
            InvalidConfigError: If the settings file cannot be used.
        """
        return int(self.entries()["http-port"])

    @property
    def base_url(self) -> str:
        """Address of its APIs on this machine."""
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def rpc_url(self) -> str:
        """Address of its Ethereum JSON-RPC on this machine."""
        return f"{self.base_url}/ext/bc/C/rpc"

    @property
    def needed_peers(self) -> int:
        """How many others must be connected for blocks to be made.

        Raises:
            InvalidConfigError: If the settings file cannot be used.
        """
        return self.needed_votes(len(self.peers) + 1) - 1

    def needed_votes(self, validators: int) -> int:
        """How many of so many equal validators must vote for a block."""
        return math.ceil(validators * int(self.entries()["snow-quorum-size"]) / SAMPLE)

    @property
    def peers(self) -> list[Peer]:
        """The other validators that are known.

        Raises:
            InvalidConfigError: If the settings file cannot be used.
        """
        entries = self.entries()
        names = str(entries["bootstrap-ids"]).split(",")
        places = [one.rpartition(":") for one in entries["bootstrap-ips"].split(",")]
        return [
            Peer(name, host, int(port))
            for name, (host, _, port) in zip(names, places, strict=True)
            if name
        ]

    def write_peers(self, peers: Sequence[Peer]) -> None:
        """Change which validators are known, and leave all else."""
        entries = self.entries() | _peer_entries(peers)
        new = self.config.with_suffix(".new")
        new.write_text(json.dumps(entries, indent=1), "utf-8")
        new.replace(self.config)

    def entries(self) -> dict[str, Any]:
        """Read the settings file.

        Raises:
            InvalidConfigError: If it cannot be used.
        """
        try:
            content = json.loads(self.config.read_text("utf-8"))
            return dict(content) | {"http-port": int(content["http-port"])}
        except (OSError, ValueError, KeyError, TypeError) as exc:
            raise InvalidConfigError(
                f"The validator's settings {self.config} cannot be used ({exc!r}); "
                "write them anew with carbon-node network join."
            ) from exc

    def write(self, settings: ValidatorSettings, genesis: str) -> None:
        """Write genesis and settings; keys and data stay as they are.

        Args:
            settings: Of this validator.
            genesis: The network's genesis file, JSON.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self.genesis.write_text(genesis, "utf-8")
        self.config.write_text(json.dumps(_entries(settings), indent=1), "utf-8")
        chain = self.folder / "chains" / "C" / "config.json"
        chain.parent.mkdir(parents=True, exist_ok=True)
        chain.write_text(json.dumps(_CHAIN, indent=1), "utf-8")


_CHAIN = {
    "eth-apis": [
        *("eth", "eth-filter", "net", "web3"),
        *("internal-eth", "internal-blockchain", "internal-transaction"),
    ],
    "log-level": "warn",
    "pruning-enabled": False,
    "local-txs-enabled": True,
    "api-max-blocks-per-request": 100_000,
    "tx-pool-account-slots": 4_096,
    "tx-pool-account-queue": 4_096,
    "push-gossip-frequency": "50ms",
    "gas-target": 15_000_000,
    "rpc-tx-fee-cap": 0,
}
"""Every state is kept (audits ask for old ones), one relayer may queue a batch, and no
cap in coins stands in the way of a large transaction: coins are worth nothing here."""


def _entries(settings: ValidatorSettings) -> dict[str, Any]:
    return {
        "network-id": settings.network_id,
        "genesis-file": "genesis.json",
        "data-dir": "data",
        "log-dir": "logs",
        "log-level": "info",
        "log-display-level": "error",
        "log-rotater-max-size": 8,
        "log-rotater-max-files": 5,
        "chain-config-dir": "chains",
        "staking-tls-key-file": f"keys/{TLS_KEY}",
        "staking-tls-cert-file": f"keys/{TLS_CERTIFICATE}",
        "staking-signer-key-file": f"keys/{BLS_KEY}",
        "http-host": "127.0.0.1",
        "http-port": settings.http_port,
        "http-allowed-hosts": ["localhost"],
        "staking-port": settings.staking_port,
        "public-ip": settings.host,
        **_peer_entries(settings.peers),
        "network-allow-private-ips": True,
        "fd-limit": 8192,
        **_consensus(settings.validators),
        **_PATIENCE,
    }


def _peer_entries(peers: Sequence[Peer]) -> dict[str, str]:
    return {
        "bootstrap-ips": ",".join(f"{one.host}:{one.staking_port}" for one in peers),
        "bootstrap-ids": ",".join(one.node_id for one in peers),
    }


def _consensus(validators: int) -> dict[str, Any]:
    """Rules that must be the same on every validator."""
    return {
        "snow-sample-size": SAMPLE,
        "snow-quorum-size": quorum_of(validators),
        "proposervm-min-block-delay": _BLOCK_DELAY,
        "min-validator-stake": STAKE,
        "max-validator-stake": STAKE,
        "min-stake-duration": f"{_SHORTEST_STAKE_S}s",
        "max-stake-duration": f"{LONGEST_STAKE_S}s",
        "stake-min-consumption-rate": 0,
        "stake-max-consumption-rate": 0,
    }


_PATIENCE = {
    "network-health-min-conn-peers": 1,
    "network-max-reconnect-delay": "3s",
    "network-initial-reconnect-delay": "250ms",
    "network-peer-list-pull-gossip-frequency": "250ms",
    "benchlist-duration": "10s",
    "benchlist-min-failing-duration": "5s",
    "health-check-frequency": "2s",
    "http-shutdown-wait": "0s",
    "consensus-frontier-poll-frequency": "250ms",
}
"""A validator that comes back is asked again within seconds, not minutes."""
