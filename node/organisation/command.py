"""``carbon-node organisation``: take an organisation in, or let one go.

The same command again moves the ceremony on: it shows every step and whose signatures
are missing, and carries out what is fully signed. Instructions are signed with
``carbon-wallet instruction sign FILE --offline``, permissions with ``carbon-node
permissions sign``.
"""

from pathlib import Path
from typing import Annotated

import typer

from contracts.enumerations import AccountStatus, CarrierStatus
from contracts.hashing import keccak256
from contracts.typed_data import account_id
from node import run
from node.config import Settings, load_settings, read_settings
from node.errors import InvalidConfigError
from node.gate.ballots import PermissionFolder
from node.gate.open import folder_of
from node.gate.settings import GateSettings
from node.network.home import ValidatorHome
from node.organisation import plan as plans
from node.organisation.carrying import Carrying
from node.organisation.ceremony import Ceremony, Step, folder_name
from node.organisation.plan import OnboardingPlan, RemovalPlan, load_plan
from node.relayer import relayer_key
from node.services.carriers import list_carriers
from node.store.read import MAX_LIMIT

__all__ = ["organisation_app"]

EXIT_OPEN = 2

organisation_app = typer.Typer(
    help="Take an organisation in, or let one go, by signed steps.",
    no_args_is_help=True,
)

Config = Annotated[Path, typer.Option("--config", help="The node's settings (TOML).")]
Rpc = Annotated[
    str, typer.Option(help="RPC of the running chain; default: as the settings say.")
]
Folder = Annotated[
    Path | None, typer.Option(help="Folder of the files to sign; default: data_dir.")
]


@organisation_app.command("onboard", help=plans.__doc__)
def onboard_command(
    plan: Annotated[Path, typer.Argument(help="Plan file (TOML).")],
    config: Config,
    rpc: Rpc = "",
    folder: Folder = None,
) -> None:
    """Take an organisation in, as far as it is signed."""
    settings, wanted = load_settings(config), load_plan(plan)
    with run.open_ledger(settings, _rpc_url(settings, rpc)) as ledger:
        carrying = Carrying(ledger.client, relayer_key(settings))
        where = _folder(settings, folder, wanted.name)
        ceremony = Ceremony(ledger, where, _permissions(settings), carrying)
        _report(ceremony.onboard(wanted), wanted)


@organisation_app.command("remove")
def remove_command(  # noqa: PLR0913, PLR0917  # the options of a command
    name: Annotated[str, typer.Argument(help="The organisation's registered name.")],
    config: Config,
    reason: Annotated[Path, typer.Option(help="Document that gives the reason.")],
    status: Annotated[
        str, typer.Option(help="closed (final), suspended or frozen.")
    ] = "closed",
    cutoff: Annotated[
        list[str] | None,
        typer.Option(help="IDENTIFIER=SEQ: last reading of a carrier that counts."),
    ] = None,
    rpc: Rpc = "",
    folder: Folder = None,
) -> None:
    """Let an organisation go, as far as it is signed."""
    settings = load_settings(config)
    removal = RemovalPlan(
        name,
        _status(status),
        _digest(reason),
        carriers=_carriers(settings, name),
        cutoffs=_cutoffs(cutoff or []),
    )
    with run.open_ledger(settings, _rpc_url(settings, rpc)) as ledger:
        carrying = Carrying(ledger.client, relayer_key(settings))
        where = _folder(settings, folder, f"{name}-removal")
        ceremony = Ceremony(ledger, where, _permissions(settings), carrying)
        _report(ceremony.remove(removal), None)


def _report(steps: list[Step], plan: OnboardingPlan | None) -> None:
    """Show the steps; exit code 2 while signatures are missing."""
    for step in steps:
        typer.echo(f"{step.state}  {step.what}")
        if step.state == "open":
            typer.echo(f"      waits for {step.waits_for}")
        if step.file is not None:
            typer.echo(f"      file {step.file}")
    if any(step.state == "open" for step in steps):
        raise typer.Exit(EXIT_OPEN)
    if plan is not None and plan.member_key:
        typer.echo(
            f"every member adds {plan.member_key} to [peers] of its settings and "
            "restarts, one after the other"
        )


def _rpc_url(settings: Settings, given: str) -> str:
    if given or settings.rpc_url:
        return given or settings.rpc_url
    if settings.validator is not None:
        return ValidatorHome(settings.validator).rpc_url
    if settings.rpc_port:
        return f"http://127.0.0.1:{settings.rpc_port}"
    raise InvalidConfigError(
        "The embedded chain's gate has a port of its own at every start; give its "
        "address with --rpc, or set rpc_port."
    )


def _permissions(settings: Settings) -> PermissionFolder | None:
    if settings.gate is None:
        return None
    return folder_of(read_settings(settings.gate, GateSettings))


def _folder(settings: Settings, given: Path | None, name: str) -> Path:
    return given or settings.data_dir / "ceremonies" / folder_name(name)


def _status(text: str) -> AccountStatus:
    allowed = (AccountStatus.CLOSED, AccountStatus.SUSPENDED, AccountStatus.FROZEN)
    for one in allowed:
        if one.name.lower() == text:
            return one
    names = ", ".join(one.name.lower() for one in allowed)
    raise InvalidConfigError(f"Option status: expected {names}, given {text!r}.")


def _digest(path: Path) -> bytes:
    try:
        return keccak256(path.read_bytes())
    except OSError as exc:
        raise InvalidConfigError(
            f"Document {path} cannot be read ({exc.strerror}); its digest goes on the "
            "ledger as the reason."
        ) from exc


def _cutoffs(pairs: list[str]) -> dict[str, int]:
    found = {}
    for pair in pairs:
        identifier, _, seq = pair.rpartition("=")
        if not identifier or not seq.isdecimal():
            raise InvalidConfigError(
                f"Option cutoff: expected IDENTIFIER=SEQ, given {pair!r}."
            )
        found[identifier] = int(seq)
    return found


def _carriers(settings: Settings, name: str) -> dict[bytes, str]:
    """Find the active carriers of an organisation in the node's tables."""
    scope, cursor = frozenset({account_id(name)}), None
    found: dict[bytes, str] = {}
    with run.open_store(settings) as database, database.reading() as connection:
        while True:
            page = list_carriers(connection, scope, cursor, MAX_LIMIT)
            for row in page.items:
                if row["status"] == CarrierStatus.ACTIVE:
                    found[row["identifier_hash"]] = row["identifier"]
            if (cursor := page.next) is None:
                return found
