"""Founding a network, alone on one machine or together.

Each organisation makes its keys in its own folder and hands over an ``Offer``; one of
them, the convener, makes the network file of all offers; each completes its folder
from it. The convener can leave somebody out, which everybody sees, and nothing more:
the genesis follows from the offers, and ``complete_folder`` makes it anew and compares.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from coincurve import PrivateKey

from contracts.typed_data import address_of
from node.errors import InvalidConfigError
from node.network.documents import write_documents
from node.network.formats import bech32_address, short_hash
from node.network.genesis import (
    DAY_S,
    LONGEST_STAKE_S,
    STAKE,
    ContractState,
    GenesisSettings,
    GenesisStaker,
    moved_contracts,
    network_genesis,
)
from node.network.home import Peer, ValidatorHome, ValidatorSettings
from node.network.keys import make_validator_keys, write_secret
from node.network.local import FUNDS_WEI, PREFIX, free_ports
from node.network.offer import (
    NETWORK_FILE,
    NetworkFile,
    Offer,
    check_host,
    check_name,
    check_offers,
)
from node.network.permitted import require_permitted
from node.relayer import transport_key
from oracle.member.keys import MemberKey, write_key

__all__ = [
    "NETWORK_FILE",
    "OFFER_FILE",
    "FoundingSettings",
    "Place",
    "complete_folder",
    "create_here",
    "found_network",
    "make_offer",
    "p_chain_key",
    "quorum_of_sponsors",
]

OFFER_FILE = "offer.json"
"""What one organisation hands over."""
_FEES = STAKE // 1000
_LEAST_VALIDATORS, _MOST_VALIDATORS = 4, 10
"""Above that, two thirds and what the tolerated number leaves are too near."""


@dataclass(frozen=True, slots=True)
class FoundingSettings:
    """What the founders agree on."""

    network_id: int
    chain_id: int
    stake_duration_s: int = LONGEST_STAKE_S
    """Time until the last stake ends. [s]"""
    stake_offset_s: int = 14 * DAY_S
    """By how much each next founder's stake ends earlier. [s]"""
    start_time: int = field(default_factory=lambda: int(time.time()))
    """When stakes begin. [unix s]"""
    contracts: Mapping[str, ContractState] = field(default_factory=dict)
    """State of a ledger that is moved here, from ``carbon-node import``."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a validator is found."""

    host: str = "127.0.0.1"
    staking_port: int = 9651
    http_port: int = 9650


def make_offer(folder: Path, name: str, place: Place) -> Offer:
    """Make an organisation's keys, or take those that are there, and its offer.

    Args:
        folder: The organisation's own folder.
        name: Its name in the network.
        place: Where its validator will be found.

    Returns:
        The offer, also written to ``offer.json``.

    Raises:
        InvalidConfigError: If name, address or present keys cannot be used.
    """
    check_name(name)
    home = ValidatorHome(folder)
    identity = make_validator_keys(home.keys)
    payers = [transport_key(path) for path in _gas_keys(folder)]
    stake, reserve = (p_chain_key(folder, one) for one in ("stake", "reserve"))
    offer = Offer(
        name,
        check_host(place.host),
        place.staking_port,
        place.http_port,
        identity.node_id,
        identity.bls_public_key,
        identity.proof_of_possession,
        p_chain_address(stake),
        p_chain_address(reserve),
        (*(address_of(one.public_key) for one in payers), _member_address(folder)),
    )
    (folder / OFFER_FILE).write_text(offer.to_json(), "utf-8")
    return offer


def found_network(offers: Sequence[Offer], settings: FoundingSettings) -> NetworkFile:
    """Make the network that follows from offers.

    Args:
        offers: Of all founders.
        settings: What they agree on.

    Returns:
        The network.

    Raises:
        InvalidConfigError: If offers do not go together, or are too few.
    """
    if not _LEAST_VALIDATORS <= len(offers) <= _MOST_VALIDATORS:
        raise InvalidConfigError(
            f"A network of {len(offers)} validators was not tried; expected "
            f"{_LEAST_VALIDATORS} to {_MOST_VALIDATORS}, and five or more to go on "
            "well when one is down."
        )
    check_offers(offers)
    _check_stakes(len(offers), settings)
    genesis = network_genesis(
        GenesisSettings(
            settings.network_id,
            settings.chain_id,
            settings.start_time,
            tuple(
                GenesisStaker(one.identity, one.stake_address, one.reserve_address)
                for one in offers
            ),
            {address: FUNDS_WEI for one in offers for address in one.funded},
            settings.contracts,
            reserve=STAKE // quorum_of_sponsors(len(offers)) + _FEES,
            stake_duration_s=settings.stake_duration_s,
            stake_offset_s=settings.stake_offset_s,
        )
    )
    return NetworkFile(
        settings.network_id,
        settings.chain_id,
        settings.start_time,
        settings.stake_duration_s,
        settings.stake_offset_s,
        tuple(offers),
        genesis,
    )


def complete_folder(folder: Path, own: Offer, network: NetworkFile) -> ValidatorHome:
    """Write genesis, settings, service units and README into a folder.

    Args:
        folder: The organisation's folder, where ``make_offer`` made the keys.
        own: Its offer.
        network: The network, which it founds or joins as a newcomer.

    Returns:
        The folder, ready to start.

    Raises:
        InvalidConfigError: If the network file changes what the organisation offered.
        InvalidAccessError: If the folder's permissions do not let it validate.
    """
    found = [one for one in network.offers if one.name == own.name]
    if found and found[0] != own:
        raise InvalidConfigError(
            f"The network file has another offer of {own.name} than {folder} made; "
            "let the convener create it again from the present offer.json."
        )
    _check_genesis(network)
    require_permitted(folder, own.node_id, own.name, network.chain_id)
    peers = tuple(
        Peer(one.node_id, one.host, one.staking_port)
        for one in network.offers
        if one.node_id != own.node_id
    )
    settings = ValidatorSettings(
        network.network_id,
        len(network.offers),
        own.http_port,
        own.staking_port,
        own.host,
        peers,
    )
    home = ValidatorHome(folder)
    home.write(settings, network.genesis)
    (folder / NETWORK_FILE).write_text(network.to_json(), "utf-8")
    write_documents(folder, own, network)
    return home


def create_here(
    folder: Path, names: Sequence[str], settings: FoundingSettings
) -> NetworkFile:
    """Hold the whole ceremony on one machine, for trying.

    Args:
        folder: New or empty folder; one folder an organisation goes into it.
        names: Of the organisations.
        settings: What they agree on.

    Returns:
        The network, also written to ``network.json``.

    Raises:
        InvalidConfigError: If the folder is in use, or names cannot be used.
    """
    if folder.exists() and any(folder.iterdir()):
        raise InvalidConfigError(
            f"Folder {folder} is in use; give an empty or a new one."
        )
    ports = free_ports(2 * len(names))
    pairs = zip(names, ports[::2], ports[1::2], strict=True)
    offers = [
        make_offer(folder / name, name, Place(staking_port=staking, http_port=http))
        for name, staking, http in pairs
    ]
    network = found_network(offers, settings)
    for offer in offers:
        complete_folder(folder / offer.name, offer, network)
    (folder / NETWORK_FILE).write_text(network.to_json(), "utf-8")
    return network


def quorum_of_sponsors(validators: int) -> int:
    """Give how many organisations' reserves admit a newcomer: more than half."""
    return validators // 2 + 1


def p_chain_key(folder: Path, which: str) -> PrivateKey:
    """Read the ``stake`` or ``reserve`` key of a folder; make it if there is none."""
    return transport_key(folder / "keys" / f"{which}.key")


def p_chain_address(key: PrivateKey) -> str:
    """Give the Bech32 address, without chain, of a key."""
    return bech32_address(PREFIX, short_hash(key.public_key.format()))


def _gas_keys(folder: Path) -> Iterable[Path]:
    """Name the keys that send transactions: the deployer's, the node's relayer's."""
    return folder / "deployment.key", folder / "keys" / "relayer.key"


def _member_address(folder: Path) -> str:
    """Make the key that carries the oracle member's transactions; give its address."""
    passphrase, path = folder / "keys" / "passphrase", folder / "keys" / "member.json"
    note = folder / "keys" / "member.address"
    if not path.exists():
        key = MemberKey(PrivateKey().secret)
        if not passphrase.exists():
            write_secret(passphrase, PrivateKey().secret.hex().encode())
        write_key(key, path, passphrase)
        note.write_text(key.address, "ascii")
    return note.read_text("ascii")


def _check_stakes(validators: int, settings: FoundingSettings) -> None:
    spread = settings.stake_offset_s * (validators - 1)
    if not spread < settings.stake_duration_s <= LONGEST_STAKE_S:
        raise InvalidConfigError(
            f"Stakes of {settings.stake_duration_s} s, each next ending "
            f"{settings.stake_offset_s} s earlier: expected at most "
            f"{LONGEST_STAKE_S} s and more than {spread} s."
        )


def _check_genesis(network: NetworkFile) -> None:
    """Make sure that the genesis follows from the offers and nothing else.

    The contracts of a moved ledger are the exception: ``carbon-node fsck`` holds them
    against the export, which every organisation imports by itself.
    """
    try:
        contracts = moved_contracts(network.genesis)
    except (ValueError, KeyError, TypeError, AttributeError):
        contracts = {}  # another form, which the comparison refuses
    agreed = FoundingSettings(
        network.network_id,
        network.chain_id,
        network.stake_duration_s,
        network.stake_offset_s,
        network.start_time,
        contracts,
    )
    if found_network(network.offers, agreed).genesis != network.genesis:
        raise InvalidConfigError(
            "The genesis in the network file is not the one that follows from its "
            "offers: it gives somebody something that nobody offered; ask the convener."
        )
