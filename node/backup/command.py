"""``carbon-node backup`` and ``carbon-node restore``."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn
from typer.core import TyperGroup

from node.backup.archive import Report, check_digest
from node.backup.create import make_backup
from node.backup.keys import create_identity, load_identities
from node.backup.manifest import Manifest
from node.backup.restore import Order, Restored, restore_backup
from node.backup.unpack import read_backup

__all__ = ["backup_app", "restore_command"]


class _CreateByDefault(TyperGroup):
    """Takes ``backup --config … OUT`` for ``backup create --config … OUT``."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]  # the context that typer itself hands over
        if args and args[0] not in self.commands and args[0] != "--help":
            args = ["create", *args]
        return super().parse_args(ctx, args)


backup_app = typer.Typer(
    cls=_CreateByDefault,
    help="Back up a node, running or not: carbon-node backup --config FILE OUT.",
    no_args_is_help=True,
)
Identity = Annotated[
    Path, typer.Option("--identity", help="File of the key that opens the backup.")
]


@backup_app.command("create")
def create_command(
    out: Annotated[Path, typer.Argument(help="Archive to make.")],
    config: Annotated[Path, typer.Option(help="The node's settings file (TOML).")],
    recipient: Annotated[list[str], typer.Option(help="Public key age1…, repeatable.")],
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="Add the encrypted key files.")
    ] = False,
) -> None:
    """Make an encrypted backup of one moment, and read it back."""
    begun = time.monotonic()
    with _progress("backing up", None) as report:
        made = make_backup(config, out, recipient, report, with_keys=with_keys)
    typer.echo(
        f"{out}: {out.stat().st_size} bytes in {time.monotonic() - begun:.1f} s, "
        f"SHA-256 {made.sha256}\n{_point(made.manifest)}"
    )


@backup_app.command("verify")
def verify_command(
    archive: Annotated[Path, typer.Argument(help="Archive to verify.")],
    identity: Annotated[
        Path | None,
        typer.Option(help="Key that opens it; without one only its digest is held."),
    ] = None,
) -> None:
    """Verify a backup: its digest, and with a key every part of it."""
    if identity is None:
        digest = check_digest(archive)
        typer.echo(f"{archive}: as it was made, SHA-256 {digest}; parts not opened")
        return
    identities = load_identities(identity)
    with _progress("verifying", archive) as report:
        manifest = read_backup(archive, identities, None, report)
    typer.echo(f"{archive}: {len(manifest.entries)} parts good\n{_point(manifest)}")


@backup_app.command("key")
def key_command(
    out: Annotated[Path, typer.Argument(help="Identity file to make, mode 600.")],
) -> None:
    """Make the key that opens backups; print its public part."""
    typer.echo(create_identity(out))


def restore_command(  # noqa: PLR0913, PLR0917  # the options of a command
    archive: Annotated[Path, typer.Argument(help="Archive to restore.")],
    to: Annotated[Path, typer.Option("--to", help="Folder to make.")],
    identity: Identity,
    database_url: Annotated[
        str | None, typer.Option(help="Empty database for the index.")
    ] = None,
    member_database_url: Annotated[
        str | None, typer.Option(help="Empty database for the member.")
    ] = None,
    deployment: Annotated[
        Path | None, typer.Option(help="Refuse the backup of any other ledger.")
    ] = None,
    sha256: Annotated[
        str | None, typer.Option(help="Refuse any archive but that of this digest.")
    ] = None,
) -> None:
    """Restore a backup into a new folder, and check what came out."""
    urls = (database_url, member_database_url)
    order = Order(archive, to, identity, *urls, deployment, sha256)
    begun = time.monotonic()
    with _progress("restoring", archive) as report:
        done = restore_backup(order, report)
    age_s = int(time.time()) - done.manifest.made_at
    typer.echo(
        f"{to}: restored in {time.monotonic() - begun:.1f} s, from {age_s} s ago\n"
        f"{_point(done.manifest)}\n"
        f"{_checked(done)}\n"
        f"start it with: carbon-node run --config {done.config}"
    )


def _checked(done: Restored) -> str:
    found = done.checked
    if found is None:
        later = f"carbon-node fsck --config {done.config}"
        return f"fsck: the chain does not answer now; run later: {later}"
    return (
        f"fsck: {found.rows} rows equal a fresh index up to block "
        f"{found.block_number}, {found.balances} balances equal"
    )


def _point(manifest: Manifest) -> str:
    """Say up to where a backup reaches."""
    facts = manifest.facts
    names = ("chain_height", "index_block", "batches", "readings", "received_at")
    known = [f"{n}={facts[n]}" for n in names if facts.get(n) is not None]
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(manifest.made_at))
    return f"point: {at} chain={manifest.chain_id} {' '.join(known)}"


@contextmanager
def _progress(what: str, archive: Path | None) -> Iterator[Report]:
    """Show a bar on standard error; leave none behind."""
    total = archive.stat().st_size if archive and archive.exists() else None
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    console = Console(stderr=True)
    is_hidden = not console.is_terminal
    with Progress(
        *columns, console=console, transient=True, disable=is_hidden
    ) as progress:
        task = progress.add_task(what, total=total)
        yield lambda count: progress.advance(task, count)
