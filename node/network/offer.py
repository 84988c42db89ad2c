"""What organisations hand over to found a network together: public parts only.

    each: join ─► offer.json ─► the convener: create ─► network.json ─► each: join

An offer names who the organisation's validator is, where it is found, and which
addresses shall be able to pay gas. The network file holds all offers and the genesis
that follows from them; its digest is what people read to each other.
"""

import hashlib
import ipaddress
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from node.errors import InvalidConfigError
from node.network.keys import ValidatorIdentity, is_proven

__all__ = ["NETWORK_FILE", "NetworkFile", "Offer", "read_network", "read_offer"]

NETWORK_FILE = "network.json"
"""What all organisations share."""

_NUMBERS = (
    "network_id", "chain_id", "start_time", "stake_duration_s", "stake_offset_s",
)  # fmt: skip
_NAME = "abcdefghijklmnopqrstuvwxyz0123456789-"


@dataclass(frozen=True, slots=True)
class Offer:
    """The public part of one organisation's validator."""

    name: str
    """Name of the organisation's folder: small letters, digits and dashes."""
    host: str
    """IP address under which the other validators find it."""
    staking_port: int
    http_port: int
    node_id: str
    bls_public_key: str
    proof_of_possession: str
    stake_address: str
    """Bech32 address that owns the stake."""
    reserve_address: str
    """Bech32 address that pays fees and sponsors newcomers."""
    funded: tuple[str, ...]
    """Addresses on the EVM chain: deployer, relayer, the member's transport key."""

    @property
    def identity(self) -> ValidatorIdentity:
        """Its keys' public part."""
        return ValidatorIdentity(
            self.node_id, self.bls_public_key, self.proof_of_possession
        )

    def to_json(self) -> str:
        """Write the offer."""
        return json.dumps(asdict(self), indent=1)


@dataclass(frozen=True, slots=True)
class NetworkFile:
    """A network as all its organisations know it."""

    network_id: int
    chain_id: int
    start_time: int
    """When the stakes of the founders begin. [unix s]"""
    stake_duration_s: int
    stake_offset_s: int
    offers: tuple[Offer, ...]
    """Who validates from the first block on."""
    genesis: str
    """avalanchego's genesis file."""

    @property
    def digest(self) -> str:
        """SHA-256 of the genesis, for people to compare."""
        return hashlib.sha256(self.genesis.encode()).hexdigest()

    def to_json(self) -> str:
        """Write the network."""
        return json.dumps(asdict(self), indent=1)


def read_offer(path: Path) -> Offer:
    """Read an offer and check what can be checked.

    Args:
        path: File that ``join`` wrote.

    Returns:
        The offer.

    Raises:
        InvalidConfigError: If it has another form, or its keys prove nothing.
    """
    offer = _offer(path, _content(path))
    if not is_proven(offer.identity):
        raise InvalidConfigError(
            f"Offer {path}: the proof of possession does not belong to the BLS key; "
            f"ask {offer.name} for the file that carbon-node network join wrote."
        )
    return offer


def read_network(path: Path) -> NetworkFile:
    """Read a network file.

    Args:
        path: File that ``create`` wrote.

    Returns:
        The network.

    Raises:
        InvalidConfigError: If it has another form.
    """
    content = _content(path)
    try:
        offers = tuple(_offer(path, dict(one)) for one in content["offers"])
        numbers = {name: int(content[name]) for name in _NUMBERS}
        return NetworkFile(**numbers, offers=offers, genesis=str(content["genesis"]))
    except (KeyError, TypeError, ValueError) as exc:
        raise _wrong_form(path, exc) from exc


def check_offers(offers: Sequence[Offer]) -> None:
    """Make sure that offers go together.

    Args:
        offers: Of all who found the network.

    Raises:
        InvalidConfigError: Names what two of them share.
    """
    for field in ("name", "node_id", "bls_public_key", "stake_address"):
        counted = Counter(getattr(one, field) for one in offers)
        twice = [text for text, count in counted.items() if count > 1]
        if twice:
            raise InvalidConfigError(
                f"Two offers have the same {field} {twice[0]}: every organisation "
                "makes keys of its own; leave one of them out."
            )
    places = Counter((one.host, one.staking_port) for one in offers)
    if (place := places.most_common(1)[0])[1] > 1:
        raise InvalidConfigError(
            f"Two offers are found at {place[0][0]}:{place[0][1]}; let one of them "
            "join again with another --staking-port."
        )


def check_name(name: str) -> str:
    """Refuse names that are no folder's name on every system."""
    if not name or set(name) - set(_NAME) or name.startswith("-"):
        raise InvalidConfigError(
            f"Organisation {name!r}: expected small letters, digits and dashes."
        )
    return name


def check_host(host: str) -> str:
    """Refuse what is no IP address: avalanchego takes no names."""
    try:
        return str(ipaddress.IPv4Address(host))
    except ValueError as exc:
        raise InvalidConfigError(
            f"Host {host!r}: expected an IPv4 address, for example 10.0.0.4."
        ) from exc


def _offer(path: Path, content: dict[str, Any]) -> Offer:
    try:
        funded = tuple(str(one) for one in content.pop("funded"))
        offer = Offer(**content, funded=funded)
    except (KeyError, TypeError, ValueError) as exc:
        raise _wrong_form(path, exc) from exc
    check_name(offer.name)
    check_host(offer.host)
    return offer


def _content(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError) as exc:
        raise _wrong_form(path, exc) from exc


def _wrong_form(path: Path, exc: Exception) -> InvalidConfigError:
    return InvalidConfigError(
        f"File {path} cannot be used ({exc!r}); give the one that carbon-node network "
        "join or create wrote."
    )
