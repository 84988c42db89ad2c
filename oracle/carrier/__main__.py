"""Command line of a software carrier: `carbon-carrier`.

    new-key   make an encrypted key file and print what to register
    replay    play a meter series: sign, store, send, resume
    status    show what an outbox holds

Concrete parts are put together here and nowhere else.
"""

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table

from oracle.carrier.outbox import CarrierIdentity, Outbox, read_status
from oracle.carrier.signers import create_key, load_key, read_passphrase
from oracle.carrier.sources import MeterReading, SeriesFormat, read_series
from oracle.carrier.uplink import MemberKey, Uplink
from oracle.errors import OracleError
from oracle.reading.checks import Domain
from oracle.reading.suites import Suite, key_id_of

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
SIGNED_AT_ONCE = 96
"""Readings of one commit of the outbox when they are not paced."""

KeyFile = Annotated[Path, typer.Option("--key", help="Encrypted key file.")]
PassphraseFile = Annotated[
    Path, typer.Option(help="File with the passphrase, mode 600.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def new_key(
    key: Annotated[Path, typer.Argument(help="File to write; never overwritten.")],
    passphrase_file: PassphraseFile,
    suite: Annotated[str, typer.Option(help="ES256 or EDDSA.")] = "ES256",
    as_json: AsJson = False,
) -> None:
    """Make a key, encrypted at rest, and print its public part."""
    if suite.upper() not in Suite.__members__:
        raise typer.BadParameter(f"expected ES256 or EDDSA, given {suite}")
    signer = create_key(key, Suite[suite.upper()], read_passphrase(passphrase_file))
    _show(
        {
            "key_file": str(key),
            "suite": signer.suite.name,
            "public_key": signer.public_key.hex(),
            "key_id": key_id_of(signer.suite, signer.public_key).hex(),
        },
        as_json,
    )


@app.command()
def replay(  # noqa: PLR0913, PLR0917  # options of a command line
    series: Annotated[Path, typer.Argument(help="CSV of intervals, plain or gzip.")],
    url: Annotated[str, typer.Option(help="Address of the member's inbox.")],
    identifier: Annotated[str, typer.Option(help="Identifier of the carrier.")],
    key: KeyFile,
    passphrase_file: PassphraseFile,
    chain_id: Annotated[int, typer.Option(help="Chain id of the ledger.")],
    carriers: Annotated[str, typer.Option(help="Address of the contract Carriers.")],
    outbox: Annotated[Path, typer.Option(help="Store of signed readings.")],
    column: Annotated[
        list[str], typer.Option(help="REGISTER=COLUMN, may be repeated.")
    ] = ["1=Usage_kWh"],  # noqa: B006  # typer copies it
    counts_per_unit: Annotated[int, typer.Option(help="Counts for one unit.")] = 100,
    start: Annotated[
        datetime | None, typer.Option(help="Shift the series to begin here (UTC).")
    ] = None,
    rows: Annotated[int | None, typer.Option(help="Intervals to play.")] = None,
    speed: Annotated[
        float, typer.Option(help="Times real time; 0 for as fast as possible.")
    ] = 0,
    member_key: Annotated[
        str | None, typer.Option(help="Public key of the member (hex), for receipts.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Play a meter series through a software carrier; run again to resume."""
    form = SeriesFormat(_columns(column), counts_per_unit)
    count = None if rows is None else rows + 1
    played = list(islice(read_series(series, form), count))
    shift_s = 0 if start is None else _utc(start) - played[0].ts
    readings = [replace(one, ts=one.ts + shift_s) for one in played]
    identity = CarrierIdentity(identifier, Domain(chain_id, carriers))
    signer = load_key(key, read_passphrase(passphrase_file))
    with Outbox(outbox, identity, signer) as store, _client() as client:
        uplink = Uplink(url, client, _member_key(member_key, identity.domain))
        _play(store, uplink, readings, (form.step_s, speed))
        status = store.status()
    done = uplink.statistics
    _show(
        {
            "identifier": identifier,
            "shift_s": shift_s,
            "readings": status.next_seq,
            "receipted": status.receipted,
            "refused": status.refused,
            "sent_now": done.accepted,
            "known_before": done.replayed,
            "retries": done.retries,
        },
        as_json,
    )


@app.command()
def status(
    outbox: Annotated[Path, typer.Argument(help="Store of signed readings.")],
    as_json: AsJson = False,
) -> None:
    """Show what an outbox holds."""
    identifier, one = read_status(outbox)
    _show(
        {
            "identifier": identifier,
            "next_seq": one.next_seq,
            "unsent": one.unsent,
            "receipted": one.receipted,
            "refused": one.refused,
            "last_ts": one.last_ts,
        },
        as_json,
    )


def main() -> None:
    """Run the command line; an expected error is one sentence and exit code 1."""
    try:
        app()
    except OracleError as exc:
        Console(stderr=True, soft_wrap=True).print(str(exc), style="red", markup=False)
        sys.exit(1)
    except KeyboardInterrupt:
        Console(stderr=True).print("stopped; run the same command again to resume")
        sys.exit(130)


def _play(
    store: Outbox,
    uplink: Uplink,
    readings: list[MeterReading],
    pace: tuple[int, float],
) -> None:
    """Sign and send, with a bar that counts receipts."""
    step_s, speed = pace
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress("replay", *columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("replay", total=len(readings))
        for part in _parts(readings, 1 if speed else SIGNED_AT_ONCE):
            if store.append(part, step_s) and speed:
                time.sleep(step_s / speed)
            if speed or store.status().unsent >= uplink.batch_messages:
                _drain(store, uplink)
            progress.update(task, completed=store.status().receipted)
        for _ in uplink.drain(store):
            progress.update(task, completed=store.status().receipted)


def _client() -> httpx.Client:
    """Open an HTTP client that asks no proxy for this machine."""
    direct = ("all://127.0.0.1", "all://localhost", "all://[::1]")
    return httpx.Client(timeout=30, mounts=dict.fromkeys(direct))


def _drain(store: Outbox, uplink: Uplink) -> None:
    for _ in uplink.drain(store):
        pass


def _parts(readings: list[MeterReading], size: int) -> Iterator[list[MeterReading]]:
    return (readings[at : at + size] for at in range(0, len(readings), size))


def _member_key(text: str | None, domain: Domain) -> MemberKey | None:
    """Read a public key: 64 bytes are ES256, 32 bytes EdDSA."""
    if text is None:
        return None
    suites = {128: Suite.ES256, 64: Suite.EDDSA}
    try:
        return MemberKey(suites[len(text)], bytes.fromhex(text), domain)
    except (KeyError, ValueError) as exc:
        message = f"expected 128 or 64 hex digits as member key, given {len(text)}"
        raise typer.BadParameter(message) from exc


def _utc(moment: datetime) -> int:
    """Read a moment without zone as UTC, in unix seconds."""
    return int(moment.replace(tzinfo=UTC).timestamp())


def _columns(pairs: list[str]) -> dict[int, str]:
    """Read REGISTER=COLUMN pairs."""
    columns = {}
    for pair in pairs:
        register, _, name = pair.partition("=")
        if not (register.isdigit() and name):
            raise typer.BadParameter(f"expected REGISTER=COLUMN, given {pair}")
        columns[int(register)] = name
    return columns


def _show(facts: dict[str, object], as_json: bool) -> None:
    """Print facts as a table, or as JSON."""
    if as_json:
        sys.stdout.write(json.dumps(facts) + "\n")
        return
    table = Table(show_header=False)
    for name, value in facts.items():
        table.add_row(name.replace("_", " "), str(value))
    Console().print(table)


if __name__ == "__main__":
    main()
