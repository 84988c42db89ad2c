"""``carbon-node gate`` and ``carbon-node permissions``: who may come in, decided on.

The gate runs alone before any engine's RPC address. A token is printed once and never
kept; the file holds its digest.
"""

import json
import os
import signal
import threading
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from node.config import read_settings
from node.errors import InvalidConfigError
from node.gate.ballots import PermissionFolder, add_vote, collect_votes
from node.gate.callers import new_token, read_callers
from node.gate.drafting import begin, draft_of, propose
from node.gate.open import folder_of, open_gate
from node.gate.permissions import Permissions
from node.gate.settings import GateSettings
from wallet.errors import WalletError
from wallet.keystore import read_password
from wallet.signers import KeySigner

__all__ = ["gate_app", "permissions_app"]

gate_app = typer.Typer(
    help="The RPC gate: alone before an engine, and tokens for its callers.",
    invoke_without_command=True,
)
permissions_app = typer.Typer(
    help="Which organisations may validate, deploy, send and read.",
    no_args_is_help=True,
)

GateFile = Annotated[Path, typer.Option("--config", help="The gate's settings (TOML).")]
Draft = Annotated[Path, typer.Argument(help="File of tables [[organisations]].")]


@gate_app.callback()
def serve(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option("--config", help="The gate's settings (TOML).")
    ] = None,
) -> None:
    """Serve a gate before the engine of setting rpc_url, until SIGTERM or SIGINT."""
    if context.invoked_subcommand is not None:
        return
    if config is None:
        raise InvalidConfigError("Give the gate's settings with --config FILE.")
    settings = read_settings(config, GateSettings)
    if not settings.rpc_url:
        raise InvalidConfigError(
            f"Settings file {config} is without rpc_url, the engine behind the gate."
        )
    stop = threading.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda *_: stop.set())
    with open_gate(settings, settings.rpc_url) as gate:
        typer.echo(gate.url)
        stop.wait()


@gate_app.command("token")
def token_command(
    name: Annotated[str, typer.Argument(help="The caller's name.")],
    callers: Annotated[Path, typer.Option(help="Callers file; made where absent.")],
    organisation: Annotated[
        str, typer.Option(help="Its name in the permissions file.")
    ] = "",
    rights: Annotated[
        str, typer.Option(help="Of read, send, deploy, with commas.")
    ] = "read",
    requests_per_s: Annotated[int, typer.Option(min=1, help="Calls a second.")] = 100,
) -> None:
    """Make a token for a new caller: printed once, its digest goes into the file."""
    text = callers.read_text("utf-8") if callers.exists() else ""
    token, digest = new_token()
    lines = ["[[callers]]", f"name = {json.dumps(name, ensure_ascii=False)}"]
    if organisation:
        lines.append(f"organisation = {json.dumps(organisation, ensure_ascii=False)}")
    given = [one.strip() for one in rights.split(",") if one.strip()]
    lines += [f"token_sha256 = {json.dumps(digest)}", f"rights = {json.dumps(given)}"]
    lines += [f"requests_per_s = {requests_per_s}", ""]
    _write_checked(callers, "\n".join([text.rstrip(), "", *lines]).lstrip())
    typer.echo(token)


@permissions_app.command("begin")
def begin_command(
    draft: Draft,
    folder: Annotated[Path, typer.Option(help="Folder of the versions.")],
    chain_id: Annotated[int, typer.Option(min=1, help="The chain.")],
) -> None:
    """Write version 1; its digest goes into every gate's settings."""
    made = begin(folder, chain_id, draft_of(draft))
    typer.echo(f'permissions_first = "0x{made.digest.hex()}"')


@permissions_app.command("propose")
def propose_command(draft: Draft, config: GateFile) -> None:
    """Write the next version, for the present organisations to sign."""
    folder = _folder(config)
    made = propose(folder, draft_of(draft))
    typer.echo(f"version {made.version}, SHA-256 0x{made.digest.hex()}")
    _show_ballot(folder, folder.in_force())


@permissions_app.command("sign")
def sign_command(
    config: GateFile,
    key: Annotated[Path, typer.Option(help="Key file of a representative.")],
    password_file: Annotated[Path, typer.Option(help="File with its password.")],
) -> None:
    """Sign the proposed version after showing it, with one of the voters' keys."""
    folder = _folder(config)
    present = folder.in_force()
    ballot = folder.ballot(present)
    if ballot is None:
        raise InvalidConfigError(f"No version after {present.version} is proposed.")
    _show(ballot.proposed)
    signer = _unlock(key, password_file)
    if not any(signer.address.lower() in voter.keys for voter in present.voters):
        raise InvalidConfigError(
            f"Key {signer.address} is of no voter of version {present.version}; take "
            "the key of a representative that its file lists."
        )
    add_vote(folder.folder, ballot.proposed, signer)
    _show_ballot(folder, present)


@permissions_app.command("collect")
def collect_command(
    config: GateFile,
    brought: Annotated[Path, typer.Argument(help="Another's file of signatures.")],
) -> None:
    """Take over the signatures that another organisation made elsewhere."""
    folder = _folder(config)
    present = folder.in_force()
    ballot = folder.ballot(present)
    if ballot is None:
        raise InvalidConfigError(f"No version after {present.version} is proposed.")
    count = collect_votes(folder.folder, ballot.proposed, brought)
    typer.echo(f"{count} valid signatures taken over")
    _show_ballot(folder, present)


@permissions_app.command("show")
def show_command(config: GateFile) -> None:
    """Show the version in force with its digest, and how far the next one has come."""
    folder = _folder(config)
    present = folder.in_force()
    _show(present)
    _show_ballot(folder, present)


def _folder(config: Path) -> PermissionFolder:
    folder = folder_of(read_settings(config, GateSettings))
    if folder is None:
        raise InvalidConfigError(
            f"Settings file {config} is without permissions; make version 1 with "
            "carbon-node permissions begin."
        )
    return folder


def _unlock(key: Path, password_file: Path) -> KeySigner:
    try:
        return KeySigner.unlock(key, read_password(password_file))
    except WalletError as exc:
        raise InvalidConfigError(f"Key {key} cannot be used: {exc}") from exc


def _show(permissions: Permissions) -> None:
    typer.echo(
        f"permissions version {permissions.version} of chain {permissions.chain_id}, "
        f"SHA-256 0x{permissions.digest.hex()}"
    )
    table = Table("organisation", "rights", "votes", "senders", "deployers", "nodes")
    for one in permissions.organisations:
        counts = (len(one.senders), len(one.deployers), len(one.validators))
        rights = ", ".join(sorted(one.rights)) or "none"
        vote = "yes" if one.keys else "no"
        table.add_row(one.name, rights, vote, *(str(count) for count in counts))
    Console().print(table)


def _show_ballot(folder: PermissionFolder, present: Permissions) -> None:
    ballot = folder.ballot(present)
    if ballot is None:
        return
    state = "carried" if ballot.is_carried else "open"
    typer.echo(
        f"version {ballot.proposed.version} is {state}: {len(ballot.agreed)} of "
        f"{ballot.quorum} needed organisations agreed ({', '.join(ballot.agreed)}); "
        f"without two signatures: {', '.join(ballot.open) or 'none'}"
    )


def _write_checked(path: Path, text: str) -> None:
    """Write a callers file, mode 600, if what it would hold can be read."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        read_callers(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
