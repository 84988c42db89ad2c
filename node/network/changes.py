"""Validators that come and go, and keys that change, while the network runs.

What avalanchego's primary network offers bounds this: a stake cannot be taken back
before its end, so a validator that leaves counts as one that is down until then, and
TLS and BLS keys, to which the stake is bound, change between two stakes.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from coincurve import PrivateKey
from eth_account import Account

from contracts.chain import ChainClient
from contracts.errors import ContractsError
from contracts.gas import gas_price_wei
from contracts.typed_data import address_of
from node.errors import InvalidConfigError, UnavailableEngineError
from node.network.apis import ValidatorApi
from node.network.binary import find_avalanchego
from node.network.ceremony import (
    OFFER_FILE,
    Place,
    complete_folder,
    make_offer,
    quorum_of_sponsors,
)
from node.network.genesis import DAY_S
from node.network.home import Peer, ValidatorHome
from node.network.keys import BLS_KEY, TLS_CERTIFICATE, TLS_KEY, certificate_node_id
from node.network.local import free_ports
from node.network.offer import NetworkFile, Offer, read_offer
from node.network.permitted import require_permitted
from node.network.process import ValidatorProcess
from node.network.staking import PChain, Validation, renew_stake, sponsor
from node.relayer import transport_key

__all__ = [
    "Departure",
    "add_here",
    "meet",
    "remove",
    "rotate_relayer",
    "rotate_validator",
]

_TRANSFER_GAS = 21_000
_BOOT_TIMEOUT_S = 120.0
_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Departure:
    """A validator that was stopped for good."""

    node_id: str
    end: int | None
    """When its stake ends and the others no longer miss it; None: it has. [unix s]"""


def meet(home: ValidatorHome, newcomer: Offer) -> None:
    """Let a validator know another one, from its next start on.

    Args:
        home: The validator's folder.
        newcomer: Who came, or changed its keys or its place.

    Raises:
        InvalidAccessError: If the folder's permissions do not let it validate.
    """
    if newcomer.node_id == certificate_node_id(home.keys):
        return
    require_permitted(home.folder, newcomer.node_id, newcomer.name)
    kept = [
        peer
        for peer in home.peers
        if (peer.host, peer.staking_port) != (newcomer.host, newcomer.staking_port)
        and peer.node_id != newcomer.node_id
    ]
    place = Peer(newcomer.node_id, newcomer.host, newcomer.staking_port)
    home.write_peers([*kept, place])


def add_here(
    folder: Path, name: str, network: NetworkFile, days: int, say: Callable[[str], None]
) -> Validation:
    """Let a new organisation validate, on one machine that holds all folders.

    Args:
        folder: The network's folder; its validators run.
        name: The new organisation.
        network: The network.
        days: How long it stakes at first. [d]
        say: Told what happens.

    Returns:
        The newcomer's stake.

    Raises:
        InvalidConfigError: If the sponsors' reserves are spent.
        InvalidAccessError: If the permissions of one of the others do not let it
            validate; its keys and its offer are made then, for them to agree on.
        UnavailableEngineError: If it does not catch up.
    """
    home = ValidatorHome(folder / name)
    offer = (
        read_offer(home.folder / OFFER_FILE)
        if (home.folder / OFFER_FILE).exists()
        else make_offer(home.folder, name, Place("127.0.0.1", *free_ports(2)))
    )
    for one in network.offers:
        require_permitted(folder / one.name, offer.node_id, name)
    complete_folder(home.folder, offer, network)
    say(f"{name} has keys; its validator starts and catches up")
    process = ValidatorProcess(home, find_avalanchego())
    if process.pid is None:
        process.start(leashed=False)
    _wait_for(home)
    for one in network.offers[: quorum_of_sponsors(len(network.offers))]:
        say(f"{one.name} sponsors {name}")
        sponsor(folder / one.name, network, offer)
    for one in network.offers:
        meet(ValidatorHome(folder / one.name), offer)
    return renew_stake(home.folder, network.network_id, days * DAY_S)


def remove(home: ValidatorHome, network: NetworkFile, *, force: bool) -> Departure:
    """Stop a validator for good, if the others go on without it.

    Args:
        home: Its folder; the validator runs on this machine.
        network: The network.
        force: Stop it even if the others then stand still.

    Returns:
        When its stake ends.

    Raises:
        InvalidConfigError: If the others would stand still until then.
    """
    own = certificate_node_id(home.keys)
    chain = PChain(ValidatorApi(home.base_url), network.network_id)
    stakes = chain.validations()
    mine = next((one for one in stakes if one.node_id == own), None)
    others = sum(one.is_connected for one in stakes if one.node_id != own)
    if mine is not None and others < home.needed_votes(len(stakes)) and not force:
        raise InvalidConfigError(
            f"Without {own} only {others} of {len(stakes)} validators run, and "
            f"{home.needed_votes(len(stakes))} are needed until its stake ends at "
            f"{_moment(mine.end)}: bring others back first, or stop it then."
        )
    ValidatorProcess(home, find_avalanchego()).stop()
    return Departure(own, mine.end if mine else None)


def rotate_relayer(home: ValidatorHome, client: ChainClient) -> str:
    """Change the relayer's key; what the old one holds goes to the new one.

    Killed in the middle it is taken up by the same call.

    Args:
        home: The organisation's folder.
        client: The chain.

    Returns:
        The new key's address. The node takes it from its next start on.

    Raises:
        UnavailableEngineError: If the chain does not carry the funds over.
    """
    present, coming = home.keys / "relayer.key", home.keys / "relayer.next.key"
    old, new = transport_key(present), transport_key(coming)
    try:
        _pass_on(client, old, address_of(new.public_key))
    except ContractsError as exc:
        raise UnavailableEngineError(
            f"The relayer's funds cannot be passed on ({exc}); the old key stays, run "
            "the command again."
        ) from exc
    present.rename(home.keys / f"relayer.{address_of(old.public_key)}.key")
    coming.rename(present)
    return address_of(new.public_key)


def rotate_validator(home: ValidatorHome, network: NetworkFile) -> Offer:
    """Change TLS and BLS keys, and so the node id, between two stakes.

    Args:
        home: The organisation's folder; its validator runs.
        network: The network.

    Returns:
        The new offer, for the others to ``meet``.

    Raises:
        InvalidConfigError: If a stake still runs on the present keys.
    """
    own = certificate_node_id(home.keys)
    chain = PChain(ValidatorApi(home.base_url), network.network_id)
    if (present := chain.validation_of(own)) is not None:
        raise InvalidConfigError(
            f"The stake of {own} is bound to its keys and ends at "
            f"{_moment(present.end)}; change them then, before you stake again."
        )
    ValidatorProcess(home, find_avalanchego()).stop()
    offer = read_offer(home.folder / OFFER_FILE)
    retired = home.keys / f"retired-{own}"
    retired.mkdir(mode=0o700, exist_ok=True)
    for name in (TLS_KEY, BLS_KEY, TLS_CERTIFICATE):
        if (home.keys / name).exists():
            (home.keys / name).rename(retired / name)
    place = Place(offer.host, offer.staking_port, offer.http_port)
    return make_offer(home.folder, offer.name, place)


def _pass_on(client: ChainClient, key: PrivateKey, to: str) -> None:
    account = Account.from_key(key.secret)
    price = gas_price_wei(client)
    balance = int(client.request("eth_getBalance", account.address, "latest"), 16)
    value = balance - price * _TRANSFER_GAS
    if value <= 0:
        return
    fields = {"chainId": client.chain_id(), "gas": _TRANSFER_GAS, "gasPrice": price}
    fields |= {"nonce": client.transaction_count(account.address, "pending")}
    signed = account.sign_transaction(fields | {"to": to, "value": value, "data": b""})
    client.wait_receipt(client.send_raw(bytes(signed.raw_transaction)), 60)


def _wait_for(home: ValidatorHome) -> None:
    deadline = time.monotonic() + _BOOT_TIMEOUT_S
    while not ValidatorApi(home.base_url).is_bootstrapped():
        if time.monotonic() > deadline:
            raise UnavailableEngineError(
                f"The validator in {home.folder} has not caught up within "
                f"{_BOOT_TIMEOUT_S:g} s; see {home.log} and run the command again."
            )
        time.sleep(_POLL_S)


def _moment(at: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at))
