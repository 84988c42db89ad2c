"""Hyperledger Besu with QBFT: a folder for each organisation, to be carried there.

    settings ──► keys ──► genesis · static nodes · permissions · options · compose
                               └──► checked against besu_schema.yaml, then written

Nothing of this was run here: Besu cannot be had where this product is tested. Every
file that can hold a remark says so, and the runbook ends with the acceptance that an
operator runs. Keys are made only for validators that did not bring a public key; they
lie in the organisation's folder alone, mode 600.
"""

import ipaddress
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from coincurve import PrivateKey, PublicKey

from contracts.typed_data import address_of
from node.errors import InvalidConfigError
from node.network.besu_files import (
    BesuNode,
    NetworkFacts,
    compose_file,
    genesis_file,
    options_file,
    parse_enode,
    permissions_file,
    runbook,
    static_nodes_file,
)
from node.network.besu_schema import check_permissions
from node.relayer import transport_key

__all__ = [
    "NOTICE",
    "OFFER_FILE",
    "BesuSettings",
    "BesuValidator",
    "create_besu_network",
    "make_besu_offer",
    "read_besu_offer",
]

NOTICE = (
    "Besu files are written from Besu's documentation and were not run in our tests; "
    "follow RUNBOOK.md and accept the network with the RPC conformance suite."
)
"""What every output about a Besu network says."""

LEAST_VALIDATORS = 4
"""Fewer bear no faulty one (Besu documentation, QBFT, minimum number of validators)."""

_PUBLIC_KEY_BYTES = 64
_KEYS = "keys"

OFFER_FILE = "validator.json"
"""Public parts of a validator: what an organisation hands over."""


@dataclass(frozen=True, slots=True)
class BesuValidator:
    """One organisation's validator, as it is known before the network exists."""

    name: str
    """Organisation; also the name of its folder."""
    host: str
    """IP address under which the others find it; Besu's enode takes no names."""
    p2p_port: int = 30303
    public_key: bytes = b""
    """Node key, 64 bytes, x and y; empty makes one, for trying."""
    senders: tuple[str, ...] = ()
    """Addresses of its transport keys; empty makes a relayer's key, for trying."""


@dataclass(frozen=True, slots=True)
class BesuSettings:
    """What a Besu network starts with."""

    chain_id: int
    validators: tuple[BesuValidator, ...]
    block_period_s: int = 1
    """Time between blocks. [s]"""
    request_timeout_s: int = 4
    """Time after which a round without a block is given up. [s]"""
    epoch_blocks: int = 30_000
    """After so many blocks pending votes lapse. [blocks]"""
    gas_limit: int = 100_000_000
    """What a block holds. [gas]"""
    rpc_port: int = 8545
    """Port of the JSON-RPC on the organisation's own machine."""
    contracts: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """Address → state at genesis, for a ledger that was moved here."""


def create_besu_network(folder: Path, settings: BesuSettings) -> list[Path]:
    """Write the folders of a Besu network.

    Args:
        folder: Where they go; one folder an organisation, and the runbook.
        settings: What the network starts with.

    Returns:
        The organisations' folders, in the order of the validators.

    Raises:
        InvalidConfigError: A setting cannot be used, a file would not be as Besu
            documents it, or there are files of a network already.
    """
    _check_settings(settings)
    _check_unused(folder, settings)
    facts = NetworkFacts(
        chain_id=settings.chain_id,
        block_period_s=settings.block_period_s,
        request_timeout_s=settings.request_timeout_s,
        epoch_blocks=settings.epoch_blocks,
        gas_limit=settings.gas_limit,
        rpc_port=settings.rpc_port,
        contracts=settings.contracts,
        nodes=(),
    )
    genesis_file(facts)  # refuses what cannot be used before a key is made
    nodes = tuple(_node_of(folder, one) for one in settings.validators)
    facts = replace(facts, nodes=nodes)
    contents = {node.name: _files_of(node, facts) for node in facts.nodes}
    for name, made in contents.items():
        for file, text in made.items():
            (folder / name / file).write_text(text, "utf-8")
    (folder / "RUNBOOK.md").write_text(runbook(facts), "utf-8")
    return [folder / node.name for node in facts.nodes]


def make_besu_offer(folder: Path, name: str, host: str, p2p_port: int) -> Path:
    """Make an organisation's own keys and the public parts that it hands over.

    Args:
        folder: The organisation's folder; keys that are there are kept.
        name: The organisation.
        host: IP address under which the others find its validator.
        p2p_port: Port for the other validators.

    Returns:
        The file to hand over; everything else stays.

    Raises:
        InvalidConfigError: A value or a key that is there cannot be used.
    """
    _check_validator(BesuValidator(name, host, p2p_port))
    (folder / _KEYS).mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / _KEYS / "node.key"
    key = _read_node_key(path) if path.exists() else _new_node_key(path)
    relayer = transport_key(folder / _KEYS / "relayer.key")
    node = BesuNode(
        name,
        host,
        p2p_port,
        key.public_key.format(compressed=False)[1:],
        address_of(key.public_key),
        (address_of(relayer.public_key),),
    )
    text = json.dumps(node.public_parts(), indent=1) + "\n"
    (folder / OFFER_FILE).write_text(text, "utf-8")
    return folder / OFFER_FILE


def read_besu_offer(path: Path) -> BesuValidator:
    """Read what an organisation handed over.

    Args:
        path: Its ``validator.json``.

    Returns:
        Its validator, without any secret.

    Raises:
        InvalidConfigError: The file is no such offer.
    """
    try:
        parts = json.loads(path.read_text("utf-8"))
        point, host, port = parse_enode(parts["enode"])
        senders = tuple(str(one) for one in parts["senders"])
        name = str(parts["name"])
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise InvalidConfigError(
            f"Offer {path} cannot be used ({exc!r}); expected name, enode and senders "
            "as carbon-node network writes them into validator.json."
        ) from exc
    return BesuValidator(name, host, port, point, senders)


def _files_of(node: BesuNode, facts: NetworkFacts) -> dict[str, str]:
    return {
        "genesis.json": genesis_file(facts),
        "static-nodes.json": static_nodes_file(node, facts),
        "permissions_config.toml": permissions_file(facts),
        "config.toml": options_file(node, facts),
        "compose.yaml": compose_file(node, facts),
        OFFER_FILE: json.dumps(node.public_parts(), indent=1) + "\n",
        "NOT-RUN-HERE.txt": f"{NOTICE}\n",
    }


def _node_of(folder: Path, validator: BesuValidator) -> BesuNode:
    """Give what the others know of a validator, making the keys that it lacks."""
    home = folder / validator.name
    home.mkdir(parents=True, exist_ok=True)
    if not (validator.public_key and validator.senders):
        (home / _KEYS).mkdir(mode=0o700, exist_ok=True)
    if not validator.public_key:
        key = _new_node_key(home / _KEYS / "node.key")
        public = key.public_key.format(compressed=False)[1:]
        validator = replace(validator, public_key=public)
    if not validator.senders:
        relayer = transport_key(home / _KEYS / "relayer.key")
        address = address_of(relayer.public_key)
        validator = replace(validator, senders=(address,))
    public_key = PublicKey(b"\x04" + validator.public_key)
    return BesuNode(
        validator.name,
        validator.host,
        validator.p2p_port,
        validator.public_key,
        address_of(public_key),
        validator.senders,
    )


def _new_node_key(path: Path) -> PrivateKey:
    key = PrivateKey()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"0x{key.secret.hex()}\n")
    return key


def _read_node_key(path: Path) -> PrivateKey:
    if path.stat().st_mode & 0o077:
        raise InvalidConfigError(
            f"Node key {path} can be read by others; run: chmod 600 {path}"
        )
    text = path.read_text("utf-8", "replace").strip()
    if not re.fullmatch("(0x)?[0-9a-f]{64}", text):
        raise InvalidConfigError(
            f"Node key {path} cannot be used; expected 0x and 64 hexadecimal digits."
        )
    return PrivateKey(bytes.fromhex(text.removeprefix("0x")))


def _check_settings(settings: BesuSettings) -> None:
    names = [one.name for one in settings.validators]
    if len(names) < LEAST_VALIDATORS:
        raise InvalidConfigError(
            f"QBFT needs at least {LEAST_VALIDATORS} validators to bear a faulty one, "
            f"given {len(names)}; name more organisations."
        )
    if len(set(names)) < len(names):
        raise InvalidConfigError(
            f"Organisations are named twice in {', '.join(names)}; one validator each."
        )
    places = {(one.host, one.p2p_port) for one in settings.validators}
    if len(places) < len(names):
        raise InvalidConfigError(
            "Two validators have the same address and port; give each its own."
        )
    for one in settings.validators:
        _check_validator(one)


def _check_validator(validator: BesuValidator) -> None:
    name = validator.name
    if not name or name.startswith(".") or Path(name).name != name:
        raise InvalidConfigError(
            f"Organisation {name!r} cannot be a folder's name; use a plain name."
        )
    try:
        ipaddress.ip_address(validator.host)
    except ValueError as exc:
        raise InvalidConfigError(
            f"Validator {name} has host {validator.host!r}, expected an IP address: "
            "an enode of Besu takes no names."
        ) from exc
    senders = {"nodes-allowlist": [], "accounts-allowlist": list(validator.senders)}
    check_permissions(senders)
    try:
        if validator.public_key:
            PublicKey(b"\x04" + validator.public_key)
    except ValueError as exc:
        raise InvalidConfigError(
            f"Validator {name} brings {len(validator.public_key)} bytes as its public "
            f"key, expected {_PUBLIC_KEY_BYTES} of a point on secp256k1; export it "
            "with besu public-key export."
        ) from exc


def _check_unused(folder: Path, settings: BesuSettings) -> None:
    for validator in settings.validators:
        home = folder / validator.name
        if home.exists() and any(home.iterdir()):
            raise InvalidConfigError(
                f"Folder {home} holds files already, perhaps keys; choose an empty "
                "folder, nothing was changed."
            )
