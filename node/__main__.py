"""``carbon-node``: run a node, its engine alone, or work on its index.

Exit codes: 0 done, 1 refused or unavailable (one sentence on standard error), 3
records contradict each other and a person has to look.
"""

import errno
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from contracts.errors import ContractsError
from node import founding, run
from node.backup.command import backup_app, restore_command
from node.config import load_settings
from node.demo.command import demo_command
from node.demo.run import DemoSettings
from node.engine import __main__ as engine_command
from node.errors import (
    ConflictArchiveError,
    ConflictJournalError,
    ConflictLedgerError,
    ConflictPermissionsError,
    NodeError,
)
from node.fsck import check_node
from node.gate.command import gate_app, permissions_app
from node.ledger.cursor import position
from node.network.command import network_app
from node.operations.command import check_command
from node.organisation.command import organisation_app
from node.portability.command import export_command, import_command
from node.services.reindex import clear_ledger
from node.upgrade.command import upgrade_command, versions_command
from oracle.errors import OracleError
from oracle.operations.logs import LogFormat, configure_logs
from oracle.operations.stopping import StopSignals
from wallet.catalogue import Language
from wallet.errors import WalletError

__all__ = ["app", "main"]

EXIT_REFUSED = 1
EXIT_CONFLICT = 3

app = typer.Typer(
    help="One organisation's node of the park carbon ledger.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
Config = Annotated[Path, typer.Option("--config", help="Settings file (TOML).")]


@app.callback()
def configure(
    log_format: Annotated[
        LogFormat, typer.Option(envvar="CARBON_LOG_FORMAT", help="Form of the log.")
    ] = "logfmt",
) -> None:
    """One organisation's node of the park carbon ledger."""
    configure_logs(log_format)


@app.command("run")
def run_command(config: Config) -> None:
    """Run engine, indexer and API until SIGTERM or SIGINT."""
    with StopSignals() as signals, run.run_node(load_settings(config)) as node:
        signals.on_hasten(node.hasten)
        typer.echo(node.url)
        while not signals.asked.wait(0.5):
            if node.has_failed():
                raise ConflictLedgerError(
                    "The indexer stopped by itself; its reason is in the log above."
                )


@app.command("index")
def index_command(config: Config) -> None:
    """Bring the tables up to the chain's newest block, once."""
    settings = load_settings(config)
    with run.open_chain(settings) as ledger, run.open_store(settings) as database:
        is_final = run.is_embedded(settings)
        run.indexer_of(ledger, database, is_final=is_final).catch_up()
        with database.reading() as connection:
            at = position(connection)
    typer.echo(f"indexed up to block {at.number if at else 'none'}")


@app.command("reindex")
def reindex_command(config: Config) -> None:
    """Forget every ledger table and make it afresh from the chain."""
    settings = load_settings(config)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    made = clear_ledger(run.database_url(settings))
    if made.set_aside:
        typer.echo(f"set aside as {made.set_aside}: it could not be used")
    if made.kept:
        rows = ", ".join(f"{count} {name}" for name, count in made.kept.items())
        typer.echo(f"taken over from it: {rows}; everybody logs in again")
    index_command(config)


@app.command("fsck")
def fsck_command(config: Config) -> None:
    """Hold the tables against the chain, row for row; change nothing."""
    report = check_node(load_settings(config))
    typer.echo(
        f"up to block {report.block_number}: {report.rows} rows equal a fresh index, "
        f"{report.balances} balances equal the contracts"
    )


@app.command(
    "engine",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
def engine_only(context: typer.Context) -> None:
    """Run the embedded chain alone; see carbon-node engine --help."""
    raise typer.Exit(engine_command.main(context.args))


app.command("check")(check_command)
app.add_typer(backup_app, name="backup")
app.command("restore")(restore_command)
app.command("export")(export_command)
app.command("import")(import_command)
app.command("versions")(versions_command)
app.command("upgrade")(upgrade_command)


app.add_typer(gate_app, name="gate")
app.add_typer(permissions_app, name="permissions")
app.add_typer(network_app, name="network")
app.add_typer(organisation_app, name="organisation")


@app.command("deploy", help=(founding.__doc__ or "").replace("[", r"\["))
def deploy_command(
    plan: Annotated[Path, typer.Argument(help="Plan file (TOML).")],
    rpc: Annotated[str, typer.Option(help="The chain's RPC.")],
    out: Annotated[Path, typer.Option(help="Deployment file to write.")],
) -> None:
    """Found a ledger from a plan file."""
    columns = (
        SpinnerColumn(),
        TextColumn("contracts go on the chain"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        bar.add_task("", total=None)
        deployment = founding.found_ledger(plan, rpc, out)
    typer.echo(f"{len(deployment.addresses)} contracts deployed, see {out}")


@app.command("demo")
def demo(  # the options of a command are its parameters
    data: Annotated[
        Path, typer.Option(envvar="DATA", help="Folder of input data.")
    ] = Path("../shared/data"),
    folder: Annotated[
        Path, typer.Option(help="Emptied and filled by the demo.")
    ] = Path("var/demo"),
    days: Annotated[
        int, typer.Option(min=1, max=31, help="Days of the month to replay.")
    ] = 31,
    serve: Annotated[
        bool, typer.Option("--serve", help="Keep chain, oracle and API running.")
    ] = False,
    port: Annotated[int, typer.Option(help="Port of the API; 0: a free one.")] = 8620,
    language: Annotated[
        Language, typer.Option(envvar="CARBON_LANGUAGE", help="Of what it shows.")
    ] = "en",
) -> None:
    """Run the main job on a month of real readings, on one machine."""
    settings = DemoSettings(folder, data, days, language=language)
    demo_command(settings, serve=serve, port=port)


def main() -> None:
    """Run the command line; say errors in one sentence."""
    configure_logs()
    try:
        app()
    except (
        ConflictArchiveError,
        ConflictJournalError,
        ConflictLedgerError,
        ConflictPermissionsError,
    ) as exc:
        _leave(exc, EXIT_CONFLICT)
    except (NodeError, OracleError, WalletError, ContractsError) as exc:
        _leave(exc, EXIT_REFUSED)
    except OSError as exc:
        if exc.filename is None and exc.errno != errno.ENOSPC:
            raise  # not of a file that somebody named: a fault of the program
        where = f"{exc.filename}: " if exc.filename else ""
        _leave(
            f"{where}{exc.strerror}; correct the path, its rights or the disk, and "
            "run the command again.",
            EXIT_REFUSED,
        )


def _leave(exc: Exception | str, code: int) -> None:
    typer.echo(str(exc), err=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
