"""``carbon-node network``: found, run and change a network of validators."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from contracts.chain import ChainClient
from node.errors import InvalidConfigError
from node.network import ceremony, changes, running
from node.network.besu_command import besu_offer_command, create_besu
from node.network.binary import version_of
from node.network.build import ensure_avalanchego
from node.network.ceremony import NETWORK_FILE, OFFER_FILE, FoundingSettings, Place
from node.network.genesis import DAY_S
from node.network.home import ValidatorHome
from node.network.keys import certificate_node_id
from node.network.offer import NetworkFile, read_network, read_offer
from node.network.permitted import check_permitted, permissions_in
from node.network.staking import renew_stake, sponsor

__all__ = ["network_app"]

DEFAULT_CHAIN_ID = 20260
DEFAULT_NETWORK_ID = 20_260_001

network_app = typer.Typer(
    help="A network of validators: found it, join it, run it, change it.",
    no_args_is_help=True,
)
network_app.command("besu-offer")(besu_offer_command)
Folder = Annotated[Path, typer.Argument(help="Folder of an organisation or network.")]
Days = Annotated[int, typer.Option("--days", min=1, max=365, help="Length. [d]")]


class Engine(StrEnum):
    """Programs that validate."""

    AVALANCHE = "avalanche"
    BESU = "besu"


@network_app.command("install")
def install_command() -> None:
    """Build avalanchego into the user's cache, if it is not there yet."""
    with _progress() as (bar, task):

        def show(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total or None)

        program = ensure_avalanchego(show)
    typer.echo(f"{program} (avalanchego {version_of(program)})")


@network_app.command("create")
def create_command(  # noqa: PLR0913, PLR0917  # one option each
    folder: Annotated[Path, typer.Argument(help="New folder, or network file.")],
    validators: Annotated[int, typer.Option(min=4, max=10, help="How many.")] = 5,
    engine: Annotated[Engine, typer.Option(help="What validates.")] = Engine.AVALANCHE,
    name: Annotated[
        list[str] | None, typer.Option(help="Organisation, repeatable.")
    ] = None,
    offer: Annotated[
        list[Path] | None,
        typer.Option(help="An organisation's offer.json, repeatable: a ceremony."),
    ] = None,
    chain_id: Annotated[int, typer.Option(help="EIP-155 id.")] = DEFAULT_CHAIN_ID,
    network_id: Annotated[
        int, typer.Option(min=1_000_000, help="Avalanche network id.")
    ] = DEFAULT_NETWORK_ID,
    stake_days: Annotated[
        int, typer.Option(max=365, help="Until the last stake ends. [d]")
    ] = 365,
    contracts: Annotated[
        Path | None,
        typer.Option(help="contracts.json of carbon-node import: a ledger moves here."),
    ] = None,
) -> None:
    """Found a network: all on this machine, or of the offers that joined.

    Without offers, keys and folders of all organisations are made here, for trying.
    With offers, one network file is made, which every organisation joins.
    """
    names = name or [f"organisation-{number}" for number in range(1, validators + 1)]
    if engine is Engine.BESU:
        create_besu(folder, names, offer or (), chain_id)
        return
    settings = FoundingSettings(
        network_id,
        chain_id,
        stake_days * DAY_S,
        contracts=_contracts(contracts),
    )
    with _busy("keys, genesis and folders are made"):
        if offer:
            offers = [read_offer(one) for one in offer]
            network = ceremony.found_network(offers, settings)
            _write_new(folder, network.to_json())
        else:
            network = ceremony.create_here(folder, names, settings)
    typer.echo(f"{len(network.offers)} validators, genesis {network.digest}")
    typer.echo(
        "hand the file to every organisation: carbon-node network join FOLDER --network"
        if offer
        else f"next: carbon-node network start {folder}"
    )


def _contracts(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return dict(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError) as exc:
        raise InvalidConfigError(
            f"Contracts {path} cannot be read ({exc}); give the contracts.json that "
            "carbon-node import wrote."
        ) from exc


@network_app.command("join")
def join_command(  # one option each
    folder: Folder,
    name: Annotated[str, typer.Option(help="Your organisation, first step.")] = "",
    host: Annotated[str, typer.Option(help="IP address, first step.")] = "127.0.0.1",
    staking_port: Annotated[int, typer.Option(help="For other validators.")] = 9651,
    http_port: Annotated[int, typer.Option(help="On this machine.")] = 9650,
    network: Annotated[
        Path | None, typer.Option(help="The network file, second step.")
    ] = None,
) -> None:
    """Take part: first make keys and an offer, then complete the folder.

    First step: --name and --host; hand offer.json to the convener. Second step:
    --network; compare the genesis digest with the other organisations. A newcomer to
    a running network takes the same two steps, is sponsored, and stakes.
    """
    if network is None:
        ceremony.make_offer(folder, name, Place(host, staking_port, http_port))
        typer.echo(f"hand over {folder / OFFER_FILE}; everything else stays here")
        return
    found = read_network(network)
    ceremony.complete_folder(folder, read_offer(folder / OFFER_FILE), found)
    typer.echo(f"genesis {found.digest}: compare it with every other organisation")
    typer.echo(f"next: see {folder / 'README.md'}")


@network_app.command("start")
def start_command(folder: Folder) -> None:
    """Start the validators of a folder in the background; wait until they answer."""
    with _busy("validators start"):
        homes = running.start(running.homes_in(folder))
    typer.echo(f"{len(homes)} validators run; {homes[0].rpc_url}")


@network_app.command("stop")
def stop_command(folder: Folder) -> None:
    """Stop the validators of a folder."""
    stopped = running.stop(running.homes_in(folder))
    typer.echo(f"{stopped} validators stopped")


@network_app.command("status")
def status_command(folder: Folder) -> None:
    """Show the validators of a folder: process, height, neighbours, stake.

    Exit code 1 if one of them does not run, sees too few others or may not validate,
    or if somebody holds a stake who may not.
    """
    table = Table("validator", "process", "height", "sees", "stake ends", "state")
    homes = running.homes_in(folder)
    states = [running.status(home) for home in homes]
    for one in states:
        table.add_row(
            one.name,
            str(one.pid or "—"),
            "—" if one.height is None else str(one.height),
            str(one.peers),
            one.stake_end,
            one.sentence,
        )
    Console().print(table)
    intruders = {one.node_id: one for home in homes for one in running.intruders(home)}
    for stake in intruders.values():
        until = running.day(stake.end)
        typer.echo(f"{stake.node_id} holds a stake until {until} and may not validate")
    is_well = all(one.is_well for one in states) and not intruders
    raise typer.Exit(0 if is_well else 1)


@network_app.command("permitted")
def permitted_command(folder: Folder) -> None:
    """Tell whether your validator may validate by the permissions of its folder.

    Exit code 1 if it may not; service units ask before they start it.
    """
    node_id = certificate_node_id(ValidatorHome(folder).keys)
    permissions = permissions_in(folder)
    check_permitted(permissions, node_id, folder.resolve().name)
    by = "there are no permissions yet"
    if permissions is not None:
        by = f"permissions version {permissions.version}"
    typer.echo(f"{node_id} may validate: {by}")


@network_app.command("add")
def add_command(
    folder: Annotated[
        Path, typer.Argument(help="Folder of a network on this machine.")
    ],
    name: Annotated[str, typer.Argument(help="The new organisation.")],
    days: Days = 365,
) -> None:
    """Let a new organisation validate, where all folders are on this machine.

    Apart from that: join, sponsor (more than half of the organisations), meet, stake.
    """
    network = _network_of(folder)
    made = changes.add_here(folder, name, network, days, typer.echo)
    typer.echo(f"{made.node_id} validates until {_moment(made.end)}")


@network_app.command("sponsor")
def sponsor_command(
    folder: Folder,
    offer: Annotated[Path, typer.Argument(help="The newcomer's offer.json.")],
) -> None:
    """Give a newcomer your organisation's share of a stake, and know its address."""
    newcomer = read_offer(offer)
    with _busy("the P-Chain accepts the payment"):
        paid = sponsor(folder, _network_of(folder), newcomer)
    changes.meet(ValidatorHome(folder), newcomer)
    typer.echo(f"sponsored {newcomer.name} with transaction {paid}")


@network_app.command("meet")
def meet_command(
    folder: Folder,
    offer: Annotated[Path, typer.Argument(help="The other's offer.json.")],
) -> None:
    """Know another validator that came, moved or changed its keys."""
    met = read_offer(offer)
    changes.meet(ValidatorHome(folder), met)
    typer.echo(f"{met.name} is known from the next start on")


@network_app.command("stake")
def stake_command(folder: Folder, days: Days = 365) -> None:
    """Stake for your validator: as a newcomer, or when the last stake has ended."""
    network = _network_of(folder)
    with _busy("the P-Chain accepts the stake"):
        made = renew_stake(folder, network.network_id, days * DAY_S)
    typer.echo(f"{made.node_id} validates until {_moment(made.end)}")


@network_app.command("remove")
def remove_command(
    folder: Folder,
    force: Annotated[
        bool, typer.Option("--force", help="Even if the others then stand still.")
    ] = False,
) -> None:
    """Stop your validator for good; its stake counts as down until its end."""
    gone = changes.remove(ValidatorHome(folder), _network_of(folder), force=force)
    until = f"until {_moment(gone.end)} it counts as down" if gone.end else "gone"
    typer.echo(f"{gone.node_id} is stopped; {until}")


@network_app.command("rotate")
def rotate_command(
    folder: Folder,
    key: Annotated[str, typer.Argument(help="relayer or validator")],
) -> None:
    """Change keys: the relayer's at any time, the validator's between two stakes."""
    home = ValidatorHome(folder)
    if key == "relayer":
        with ChainClient(home.rpc_url) as client:
            address = changes.rotate_relayer(home, client)
        typer.echo(f"the relayer is {address}; restart the node")
    elif key == "validator":
        offer = changes.rotate_validator(home, _network_of(folder))
        typer.echo(f"the validator is {offer.node_id}; start it, then stake")
        typer.echo(f"hand {folder / OFFER_FILE} to the others, who meet it")
    else:
        raise InvalidConfigError(
            f"Key {key!r}: expected relayer or validator; see --help."
        )


def _network_of(folder: Path) -> NetworkFile:
    return read_network(folder / NETWORK_FILE)


def _write_new(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as exc:
        raise InvalidConfigError(
            f"Network file {path} exists already; give another name."
        ) from exc


def _moment(at: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at))


@contextmanager
def _busy(what: str) -> Iterator[None]:
    with _progress() as (bar, task):
        bar.update(task, description=what, total=None)
        yield


@contextmanager
def _progress() -> Iterator[tuple[Progress, TaskID]]:
    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True)) as bar:
        yield bar, bar.add_task("")
