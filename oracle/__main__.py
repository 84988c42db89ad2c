"""`carbon-oracle`: run a member, check its set-up, ask it for statements.

run        the daemon; --once runs one step and ends
check      dry run: files, keys, disk, database, chain, contracts, members, clocks;
           exit status 0 well, 4 something wants a look, 1 something is wrong
key        make the member's key file
fsck       read everything again and hold it against the chain; changes nothing;
           exit status 3 at a fault, which it names
rebuild    make a damaged or lost database anew from chain, peers and what is readable
statement, code, package      ask the running member, with its own key
"""

import argparse
import json
import logging
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cbor2
from rich.console import Console
from rich.progress import Progress, TaskID

from contracts.enumerations import Purpose
from contracts.errors import ContractsError
from contracts.typed_data import boundary_id, domain
from oracle.config import MemberSettings, load_settings
from oracle.errors import ConflictDatabaseError, OracleError
from oracle.member.checkup import check_member
from oracle.member.envelope import Mailroom
from oracle.member.fsck import check_everything
from oracle.member.keys import create_key, load_key
from oracle.member.member import MemberNode
from oracle.member.rebuild import rebuild_member
from oracle.member.setup import load_deployment
from oracle.member.transport import HttpPeers
from oracle.operations.findings import Level, exit_code, to_json
from oracle.operations.logs import LOG_FORMATS, configure_logs
from oracle.operations.stopping import StopSignals

_MARKS: dict[Level, str] = {"ok": "ok  ", "warn": "WARN", "fail": "FAIL"}
REQUEST_TIMEOUT_S = 120.0
"""How long the member may work on a request. [s]"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Arguments without the program's name; None takes the process's own.

    Returns:
        Exit status: 0 done, 1 refused or unavailable; the reason is on standard error.
    """
    options = _parser().parse_args(arguments)
    level = logging.INFO if options.verbose else logging.WARNING
    configure_logs(options.log_format, level)
    act: Callable[[MemberSettings, argparse.Namespace], int] = options.act
    try:
        return act(load_settings(options.config), options)
    except (OracleError, ContractsError) as exc:
        sys.stderr.write(f"carbon-oracle: {exc}\n")
        return 1


def _run(settings: MemberSettings, options: argparse.Namespace) -> int:
    """Run the daemon until it is asked to stop, or one step."""
    if options.once:
        _run_once(settings)
        return 0
    with StopSignals() as signals:
        node = MemberNode(settings)
        signals.on_hasten(node.hasten)
        with node:
            sys.stdout.write(f"member {settings.name} at {node.url}\n")
            sys.stdout.flush()
            signals.asked.wait()
    return 0


def _run_once(settings: MemberSettings) -> None:
    node = MemberNode(settings)
    try:
        node.follower.follow()
        node.step()
        sys.stdout.write(f"{node.status()}\n")
    finally:
        node.stop()


def _check(settings: MemberSettings, options: argparse.Namespace) -> int:
    """Check the set-up without changing anything."""
    findings = check_member(settings)
    if options.json:
        sys.stdout.write(f"{json.dumps(to_json(findings), ensure_ascii=False)}\n")
        return exit_code(findings)
    for finding in findings:
        mark = _MARKS[finding.level]
        sys.stdout.write(f"{mark} {finding.subject}: {finding.detail}\n")
    return exit_code(findings)


def _key(settings: MemberSettings, _options: argparse.Namespace) -> int:
    """Make the member's key file and show its address."""
    settings.key_file.parent.mkdir(parents=True, exist_ok=True)
    key = create_key(settings.key_file, settings.passphrase_file)
    sys.stdout.write(f"{key.address}\n")
    return 0


def _rebuild(settings: MemberSettings, _options: argparse.Namespace) -> int:
    """Make the member's database anew, and say what was found."""
    with Progress(console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what)
            bar.update(tasks[what], completed=done, total=total or None)

        made = rebuild_member(settings, show)
    sys.stdout.write(f"{made.to_text()}\n")
    return 0


def _fsck(settings: MemberSettings, _options: argparse.Namespace) -> int:
    """Read everything again; the first fault is named and gives exit status 3."""
    done: dict[str, int] = {}
    with Console(stderr=True).status("fsck") as status:

        def show(what: str, count: int) -> None:
            done[what] = done.get(what, 0) + count
            status.update(f"fsck: {done[what]} {what}")

        try:
            found = check_everything(settings, show)
        except ConflictDatabaseError as exc:
            sys.stderr.write(f"carbon-oracle: {exc}\n")
            return 3
    sys.stdout.write(
        f"{found.batches} batches as anchored ({found.behind} not adopted yet), "
        f"{found.readings} readings in them, {found.receipts} receipts\n"
    )
    return 0


def _statement(settings: MemberSettings, options: argparse.Namespace) -> int:
    """Ask the running member to propose a statement."""
    purpose = Purpose[options.purpose.upper()]
    period = [boundary_id(options.boundary), options.start, options.end]
    body = cbor2.dumps([*period, int(purpose)])
    answer = _ask_own(settings, "statement-request", body)
    sys.stdout.write(f"{answer.hex()}\n")
    return 0


def _code(settings: MemberSettings, options: argparse.Namespace) -> int:
    """Ask the running member to propose a certificate."""
    answer = _ask_own(settings, "code-request", options.statement)
    sys.stdout.write(f"{int.from_bytes(answer, 'big')}\n")
    return 0


def _package(settings: MemberSettings, options: argparse.Namespace) -> int:
    """Ask the running member for a statement's proof package."""
    answer = _ask_own(settings, "package-request", options.statement)
    options.out.write_bytes(answer)
    sys.stdout.write(f"{options.out} {len(answer)} bytes\n")
    return 0


def _ask_own(settings: MemberSettings, kind: str, body: bytes) -> bytes:
    """Send a request under the member's own key to its own address."""
    key = load_key(settings.key_file, settings.passphrase_file)
    deployment = load_deployment(settings)
    anchor = deployment.addresses["ReadingAnchor"]
    room = Mailroom(key.private, domain(deployment.chain_id, anchor), time.time)
    own = {key.address: settings.url}
    peers = HttpPeers(room, own, REQUEST_TIMEOUT_S, settings.tls)
    try:
        return peers.ask(key.address, kind, body)
    finally:
        peers.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="carbon-oracle", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--verbose", action="store_true", help="log what happens")
    parser.add_argument(
        "--log-format", choices=LOG_FORMATS, default=LOG_FORMATS[0], help="of the log"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = _command(commands, "run", _run, "run the member")
    run.add_argument("--once", action="store_true", help="one step, then end")
    check = _command(commands, "check", _check, "check the set-up")
    check.add_argument("--json", action="store_true", help="findings as JSON")
    _command(commands, "key", _key, "make the member's key file")
    _command(commands, "fsck", _fsck, "read everything again, change nothing")
    _command(commands, "rebuild", _rebuild, "make a damaged or lost database anew")
    statement = _command(commands, "statement", _statement, "propose a statement")
    statement.add_argument("--boundary", required=True, help="name of the boundary")
    statement.add_argument("--start", type=int, required=True, help="unix s")
    statement.add_argument("--end", type=int, required=True, help="unix s")
    purposes = [purpose.name.lower() for purpose in Purpose]
    statement.add_argument("--purpose", choices=purposes, required=True)
    code = _command(commands, "code", _code, "propose a certificate")
    package = _command(commands, "package", _package, "write a proof package")
    package.add_argument("--out", type=Path, required=True, help="file to write")
    for command in (code, package):
        command.add_argument("--statement", type=bytes.fromhex, required=True)
    return parser


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    act: Callable[[MemberSettings, argparse.Namespace], int],
    text: str,
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text)
    command.add_argument("--config", type=Path, required=True, help="TOML file")
    command.set_defaults(act=act)
    return command


if __name__ == "__main__":
    sys.exit(main())
