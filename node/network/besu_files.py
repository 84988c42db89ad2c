"""Texts of a Besu network's files. Pure: the same facts always make the same texts.

Every text that Besu reads is checked against ``besu_schema.yaml`` before it is given.

References:
    Besu documentation; pages and commits stand in ``besu_schema.yaml``.
"""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from string import Template
from typing import Any

import rlp  # type: ignore[import-untyped]  # the library ships no types

from contracts.hashing import address_bytes, checksum_address
from node.errors import InvalidConfigError
from node.network.besu_schema import check_genesis, check_options, check_permissions

__all__ = [
    "IMAGE",
    "BesuNode",
    "NetworkFacts",
    "compose_file",
    "genesis_file",
    "options_file",
    "parse_enode",
    "permissions_file",
    "runbook",
    "static_nodes_file",
    "validators_of",
]

IMAGE = "hyperledger/besu:26.8.0"
"""Least version that the files are meant for; the operator adds the digest."""

_MARK = "NOT RUN IN OUR TESTS: written from Besu's documentation; see RUNBOOK.md.\n"
_VANITY = bytes(32)
_ADDRESS_BYTES = 20
_MIX_HASH = "0x63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365"
_FORKS = (
    "homesteadBlock", "eip150Block", "eip155Block", "eip158Block", "byzantiumBlock",
    "constantinopleBlock", "muirGlacierBlock", "berlinBlock", "londonBlock",
    "shanghaiTime", "cancunTime",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class BesuNode:
    """What everybody knows of a validator."""

    name: str
    host: str
    p2p_port: int
    public_key: bytes
    """64 bytes, x and y."""
    address: str
    """Address of the node key: the validator's name in votes and in ``extraData``."""
    senders: tuple[str, ...]
    """Addresses of its transport keys."""

    @property
    def enode(self) -> str:
        """Where and who it is, as Besu writes it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"enode://{self.public_key.hex()}@{host}:{self.p2p_port}"

    def public_parts(self) -> dict[str, Any]:
        """Give what an organisation hands over to the others."""
        return {
            "name": self.name,
            "enode": self.enode,
            "address": self.address,
            "senders": list(self.senders),
        }


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    """What is the same for all validators."""

    chain_id: int
    block_period_s: int
    """[s]"""
    request_timeout_s: int
    """[s]"""
    epoch_blocks: int
    """[blocks]"""
    gas_limit: int
    """[gas]"""
    rpc_port: int
    contracts: Mapping[str, Mapping[str, object]]
    nodes: tuple[BesuNode, ...]


def parse_enode(text: str) -> tuple[bytes, str, int]:
    """Read an enode.

    Args:
        text: As ``BesuNode.enode`` writes it.

    Returns:
        Public key (64 bytes), IP address and port.

    Raises:
        InvalidConfigError: It is none.
    """
    check_permissions({"nodes-allowlist": [text], "accounts-allowlist": []})
    key, _, place = text.removeprefix("enode://").partition("@")
    host, _, port = place.partition("?")[0].rpartition(":")
    return bytes.fromhex(key), host.strip("[]"), int(port)


def extra_data(validators: Sequence[str]) -> bytes:
    """Encode the first validators as QBFT keeps them in the first block.

    Args:
        validators: Their addresses; they are put in ascending order.

    Returns:
        RLP of 32 bytes of vanity, validators, no vote, round 0, no seals.
    """
    addresses = sorted(map(address_bytes, validators))
    encoded: bytes = rlp.encode([_VANITY, addresses, [], b"", []])
    return encoded


def validators_of(data: bytes) -> list[str]:
    """Decode the validators of a first block.

    Args:
        data: Its ``extraData``.

    Returns:
        Their addresses.

    Raises:
        InvalidConfigError: It is no QBFT data of a first block.
    """
    try:
        vanity, addresses, vote, number, seals = rlp.decode(data)
    except (rlp.exceptions.RLPException, ValueError, TypeError) as exc:
        raise InvalidConfigError(
            f"The genesis file's extraData is no QBFT data ({exc}); create it anew."
        ) from exc
    sizes = {len(address) for address in addresses}
    if (len(vanity), vote, number, seals) != (len(_VANITY), [], b"", []):
        raise InvalidConfigError(
            "The genesis file's extraData carries a vote, a round or seals; the first "
            "block has none: create it anew."
        )
    if sizes != {_ADDRESS_BYTES}:
        raise InvalidConfigError(
            f"The genesis file's extraData has validators of {sorted(sizes)} bytes, "
            f"expected {_ADDRESS_BYTES}; create it anew."
        )
    return [checksum_address(address) for address in addresses]


def genesis_file(facts: NetworkFacts) -> str:
    """Write the first block; the same for all validators, byte for byte."""
    genesis = {
        "config": {
            "chainId": facts.chain_id,
            **dict.fromkeys(_FORKS, 0),
            "zeroBaseFee": True,
            "qbft": {
                "blockperiodseconds": facts.block_period_s,
                "epochlength": facts.epoch_blocks,
                "requesttimeoutseconds": facts.request_timeout_s,
            },
        },
        "nonce": "0x0",
        "timestamp": "0x0",
        "extraData": f"0x{extra_data([one.address for one in facts.nodes]).hex()}",
        "gasLimit": hex(facts.gas_limit),
        "difficulty": "0x1",
        "mixHash": _MIX_HASH,
        "coinbase": f"0x{'00' * _ADDRESS_BYTES}",
        "alloc": {address: dict(held) for address, held in facts.contracts.items()},
    }
    check_genesis(genesis)
    return json.dumps(genesis, indent=1) + "\n"


def static_nodes_file(node: BesuNode, facts: NetworkFacts) -> str:
    """Write where one validator finds the others."""
    others = [one.enode for one in facts.nodes if one != node]
    return json.dumps(others, indent=1) + "\n"


def permissions_file(facts: NetworkFacts) -> str:
    """Write which nodes may connect and which addresses may send."""
    permissions = {
        "nodes-allowlist": [one.enode for one in facts.nodes],
        "accounts-allowlist": [who for one in facts.nodes for who in one.senders],
    }
    check_permissions(permissions)
    return _toml(permissions)


def options_file(node: BesuNode, facts: NetworkFacts) -> str:
    """Write the options of one validator, as paths stand inside its container."""
    options = {
        "data-path": "/opt/besu/data",
        "genesis-file": "/etc/besu/genesis.json",
        "node-private-key-file": "/etc/besu/node.key",
        "static-nodes-file": "/etc/besu/static-nodes.json",
        "network-id": facts.chain_id,
        "p2p-host": node.host,
        "p2p-port": node.p2p_port,
        "nat-method": "NONE",
        "discovery-enabled": False,
        "sync-mode": "FULL",
        # All states are kept: audits ask for balances at old blocks.
        "data-storage-format": "FOREST",
        "permissions-nodes-config-file-enabled": True,
        "permissions-accounts-config-file-enabled": True,
        "min-gas-price": 0,
        "rpc-tx-feecap": 0,
        "tx-pool": "sequenced",
        "tx-pool-max-size": 8192,
        # One relayer may queue everything that an organisation has to say.
        "tx-pool-limit-by-account-percentage": 1.0,
        "rpc-http-enabled": True,
        "rpc-http-host": "0.0.0.0",  # noqa: S104  # inside the container; compose binds loopback
        "rpc-http-port": 8545,
        "rpc-http-api": ["ETH", "NET", "WEB3", "QBFT"],
        "rpc-http-cors-origins": ["none"],
        "rpc-http-max-batch-size": 1024,
        "rpc-max-logs-range": 65_536,
        "host-allowlist": ["localhost", "127.0.0.1"],
        "rpc-ws-enabled": False,
        "graphql-http-enabled": False,
        "engine-rpc-enabled": False,
    }
    check_options(options)
    return _toml(options)


def compose_file(node: BesuNode, facts: NetworkFacts) -> str:
    """Write how one validator's container is run."""
    values = {"port": str(node.p2p_port), "rpc": str(facts.rpc_port)}
    return _filled("besu_compose.yaml", values | {"image": IMAGE})


def runbook(facts: NetworkFacts) -> str:
    """Write the ceremony, the daily acts and the acceptance."""
    rows = [
        f"| {one.name} | `{one.address}` | `{one.host}:{one.p2p_port}` |"
        for one in facts.nodes
    ]
    values = {
        "validators": "\n".join(rows),
        "chain_id": str(facts.chain_id),
        "rpc": str(facts.rpc_port),
        "image": IMAGE,
        "faulty": str((len(facts.nodes) - 1) // 3),
    }
    return _filled("besu_runbook.md", values)


def _filled(name: str, values: Mapping[str, str]) -> str:
    text = files("node.network").joinpath(name).read_text("utf-8")
    return _Form(text).substitute(values)


class _Form(Template):
    """A text with places like ``<<port>>``; dollars belong to the shell and compose."""

    delimiter = "<<"
    pattern = r"""
    (?P<escaped>(?!)) | (?P<named>(?!)) | <<(?P<braced>[a-z_]+)>> | (?P<invalid><<)
    """  # type: ignore[assignment]  # the library takes a text or a compiled pattern
    flags = re.VERBOSE


def _toml(entries: Mapping[str, Any]) -> str:
    """Write flat TOML; JSON's texts, numbers and arrays are TOML's."""
    lines = [f"{name}={json.dumps(value)}" for name, value in entries.items()]
    text = f"# {_MARK}" + "\n".join(lines) + "\n"
    if tomllib.loads(text) != dict(entries):
        raise InvalidConfigError("A name or address cannot be written as TOML.")
    return text
