"""``carbon-node export`` and ``carbon-node import``."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from node.config import load_settings
from node.portability.export import export_ledger
from node.portability.moving import import_ledger

__all__ = ["export_command", "import_command"]


def export_command(
    out: Annotated[Path, typer.Argument(help="File to make.")],
    config: Annotated[Path, typer.Option(help="The node's settings file (TOML).")],
    rpc: Annotated[
        str | None,
        typer.Option(help="An engine's own RPC that traces blocks (not embedded)."),
    ] = None,
) -> None:
    """Write the whole ledger into one open file; see docs/export-format.md."""
    begun = time.monotonic()
    with _progress("exporting") as report:
        facts = export_ledger(load_settings(config), out, rpc, report)
    typer.echo(
        f"{out}: {out.stat().st_size} bytes in {time.monotonic() - begun:.1f} s, "
        f"chain {facts['chain_id']} up to block {facts['height']} "
        f"{facts['block_hash']}\nSHA-256 {facts['sha256']}"
    )


def import_command(
    archive: Annotated[Path, typer.Argument(help="File made by carbon-node export.")],
    to: Annotated[Path, typer.Option("--to", help="Folder to make.")],
    rpc: Annotated[
        str | None,
        typer.Option(help="RPC of the fresh chain of another engine; else embedded."),
    ] = None,
) -> None:
    """Begin a fresh chain with the state of an exported ledger."""
    with _progress("importing") as report:
        config = import_ledger(archive, to, rpc, report)
    check = f"carbon-node fsck --config {config}"
    if rpc is None:
        typer.echo(f"{to}: a node on an embedded chain; check it with: {check}")
        return
    typer.echo(
        f"{to}: begin the network's genesis with {to / 'contracts.json'}, start it, "
        f"then check it with: {check}"
    )


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int], None]]:
    console = Console(stderr=True)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description} {task.completed} items"),
        TimeElapsedColumn(),
    )
    is_hidden = not console.is_terminal
    with Progress(
        *columns, console=console, transient=True, disable=is_hidden
    ) as progress:
        task = progress.add_task(what, total=None)
        yield lambda count: progress.advance(task, count)
