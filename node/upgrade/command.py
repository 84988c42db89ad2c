"""``carbon-node versions`` and ``carbon-node upgrade``."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from contracts.directory import Artifact, artifact, load_artifact
from contracts.editions import is_as_shipped, registry
from contracts.errors import ContractsError, UnavailableError
from contracts.hashing import keccak256
from contracts.ledger import Ledger
from contracts.sender import Sender
from contracts.succession import renewed_with
from node import run
from node.config import Settings, load_settings
from node.errors import (
    ConflictLedgerError,
    InvalidConfigError,
    UnavailableEngineError,
)
from node.relayer import transport_key
from node.services.versions import ContractVersion, contract_versions
from node.upgrade.record import UpgradeRecord, creations, keep_record
from node.upgrade.steps import Step, Upgrade

__all__ = ["UpgradeOptions", "upgrade", "upgrade_command", "versions_command"]

_KEY = "deployer.key"
_DAY_S = 86_400


Config = Annotated[Path, typer.Option("--config", help="Settings file (TOML).")]
Rpc = Annotated[
    str, typer.Option("--rpc", help="A running chain; else the settings' is started.")
]


@dataclass(frozen=True, slots=True)
class UpgradeOptions:
    """What a person asks for."""

    contract: str
    folder: Path
    """Record, deployer's key and instruction files."""
    editions: Path | None = None
    """Folder of compiled contracts; None takes those of this release."""
    rpc_url: str = ""
    """A running chain; empty starts that of the settings."""
    valid_days: int = 7
    """How long an instruction may be carried. [days]"""


def versions_command(
    config: Config,
    rpc: Rpc = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List every version of every contract, beside what this release ships."""
    with _opened(load_settings(config), rpc) as ledger:
        found = contract_versions(ledger)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found]))
    else:
        _print_table(found)


def upgrade_command(  # the options of a command are its parameters
    contract: Annotated[str, typer.Argument(help="CarbonCodes, Market or Rulebook.")],
    config: Config,
    folder: Annotated[
        Path | None, typer.Option(help="The upgrade's folder.", show_default=False)
    ] = None,
    editions: Annotated[
        Path | None,
        typer.Option(help="Compiled contracts; else those of this release."),
    ] = None,
    rpc: Rpc = "",
    valid_days: Annotated[
        int, typer.Option(min=1, max=365, help="Life of an instruction.")
    ] = 7,
) -> None:
    """Begin an upgrade of a contract, or go one step on with it.

    Run it again after every step: the chain says where the upgrade is, and killing it
    loses nothing. The folder holds the deployer's key and the instructions to be
    signed; who only checks and signs works on a copy without the key.
    """
    folder = folder or Path(f"upgrade-{contract}")
    options = UpgradeOptions(contract, folder, editions, rpc, valid_days)
    step = upgrade(load_settings(config), options)
    typer.echo(f"state={step.state}")
    typer.echo(step.text)


def _print_table(found: list[ContractVersion]) -> None:
    table = Table("contract", "version", "address", "since block", "code digest", "is")
    state = {None: "earlier", True: "as shipped", False: "NOT AS SHIPPED"}
    for one in found:
        table.add_row(
            one.name,
            str(one.version),
            one.address,
            str(one.since_block),
            one.code_digest,
            state[one.is_as_shipped],
        )
    Console(width=200).print(table)


def upgrade(settings: Settings, options: UpgradeOptions) -> Step:
    """Go one step on with an upgrade, or begin it.

    Args:
        settings: The node's settings.
        options: What is asked for.

    Returns:
        Where the upgrade is.

    Raises:
        NodeError: It cannot go on; the sentence says why and what to do.
        ContractsError: The chain refuses or does not answer.
    """
    with _opened(settings, options.rpc_url) as ledger, _progress() as show:
        editions = _editions(options)
        record = _record(ledger, options, editions)
        key = options.folder / _KEY
        sender = Sender(ledger.client, transport_key(key)) if key.exists() else None
        made = creations(record, ledger.deployment, editions)
        return Upgrade(
            ledger,
            record,
            made,
            options.folder,
            sender,
            options.valid_days * _DAY_S,
            show,
        ).advance()


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Show a bar from the first carried call on, and none where there is none."""
    bar = Progress(console=Console(stderr=True))
    task = bar.add_task("carried over")

    def show(done: int, whole: int) -> None:
        bar.start()
        bar.update(task, completed=done, total=whole)

    try:
        yield show
    finally:
        if bar.live.is_started:
            bar.stop()


def _record(
    ledger: Ledger, options: UpgradeOptions, editions: dict[str, Artifact]
) -> UpgradeRecord:
    folder, deployment = options.folder, ledger.deployment
    digests = {name: keccak256(one.bytecode).hex() for name, one in editions.items()}
    deployer = ""
    if not (folder / "upgrade.json").exists():
        _check_is_new(ledger, options)
        folder.mkdir(parents=True, exist_ok=True)
        deployer = Sender(ledger.client, transport_key(folder / _KEY)).address
    return keep_record(
        folder,
        UpgradeRecord(
            options.contract,
            deployment.chain_id,
            deployer,
            {name: deployment.addresses[name] for name in editions},
            digests,
            ledger.client.block_number(),
        ),
    )


def _check_is_new(ledger: Ledger, options: UpgradeOptions) -> None:
    """Refuse to deploy again what is in office already."""
    if options.editions is not None:
        return
    for held in registry(ledger.client, ledger.deployment):
        if held.name != options.contract or not held.is_current:
            continue
        if is_as_shipped(held, ledger.client, ledger.deployment):
            raise InvalidConfigError(
                f"{held.name} at {held.address} is what this release ships; there is "
                "nothing to upgrade, or name other editions with --editions."
            )


def _editions(options: UpgradeOptions) -> dict[str, Artifact]:
    """Load every contract that is renewed, in the order of creation."""
    found = {}
    for name in renewed_with(options.contract):
        path = options.editions / f"{name}.json" if options.editions else None
        is_given = path is not None and path.exists()
        found[name] = load_artifact(path) if path and is_given else artifact(name)
        if found[name].name != name:
            raise InvalidConfigError(
                f"{path} holds the contract {found[name].name}, expected {name}."
            )
        if name == options.contract and options.editions and not is_given:
            raise InvalidConfigError(f"There is no edition {path}; give its folder.")
    return found


@contextmanager
def _opened(settings: Settings, rpc_url: str) -> Iterator[Ledger]:
    opened = run.open_ledger(settings, rpc_url) if rpc_url else run.open_chain(settings)
    try:
        with opened as ledger:
            yield ledger
    except UnavailableError as exc:
        raise UnavailableEngineError(str(exc)) from exc
    except ContractsError as exc:
        raise ConflictLedgerError(str(exc)) from exc
