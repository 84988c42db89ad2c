"""`make soak`: faults without end; every acknowledgement held against the outcome.

    lap    kills of an inbox ─► of a chain ─► troubles of members ─► of five validators
    part   one of these: a folder of its own, a seed of its own, a verdict of its own

Laps follow each other until so many kills are reached or the time is over. A finished
part is a line in `var/soak/parts.jsonl`, so a run that was interrupted or killed goes
on behind its last part; the folder of a part that was not clean is kept. Writes
`var/soak/summary.json`; ends with 1 when anything was lost, doubled, altered or forked,
or did not recover.
"""

import argparse
import json
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.faults.kills import kill_chain, kill_inbox
from tests.faults.tally import Tally
from tests.faults.troubles import TROUBLES, strike_members
from tests.faults.validators import strike_validators

Run = Callable[[Path, int, int, Callable[[], None]], Tally]
SEED = 20_260
FOLDER = Path("var/soak")


@dataclass(frozen=True, slots=True)
class Part:
    """One run with a verdict."""

    name: str
    """What is struck."""
    run: Run
    """How."""
    rounds: int
    """How often."""


LAP = (
    Part("inbox", kill_inbox, 50),
    Part("chain", kill_chain, 50),
    Part("members", strike_members, len(TROUBLES)),
    Part("validators", strike_validators, 4),
)
"""What follows each other; the last two have kills among other faults."""


def main(arguments: list[str] | None = None) -> int:
    """Run, print, write; gives the exit code."""
    options = _options(arguments)
    FOLDER.mkdir(parents=True, exist_ok=True)
    journal, console = FOLDER / "parts.jsonl", Console()
    if options.fresh:
        journal.unlink(missing_ok=True)
    done = _read(journal)
    if done:
        console.print(f"going on behind {len(done)} finished parts of {journal}")
    deadline = time.monotonic() + 60 * options.minutes
    with _bar() as bar:
        task = bar.add_task("soak", total=options.cycles, note="")
        for number, part in _parts(options.only):
            total = _sum(done)
            bar.update(task, completed=total.cycles, note=_note(part, total))
            if number < len(done):
                continue
            if total.cycles >= options.cycles or time.monotonic() > deadline:
                break
            done.append(_run(part, number, lambda: bar.advance(task, 1)))
            with journal.open("a") as file:
                file.write(json.dumps(done[-1]) + "\n")
    return _finish(done, console, journal)


def _parts(only: list[str] | None) -> Iterator[tuple[int, Part]]:
    """Number parts, lap after lap."""
    chosen = [part for part in LAP if not only or part.name in only]
    for number in count():
        yield number, chosen[number % len(chosen)]


def _run(part: Part, number: int, progress: Callable[[], None]) -> dict[str, Any]:
    """Run a part; whatever ends it early is a finding, not the end of the soak."""
    folder = FOLDER.resolve() / f"part-{number}-{part.name}"
    shutil.rmtree(folder, ignore_errors=True)
    started = time.monotonic()
    try:
        tally = part.run(folder, part.rounds, SEED + number, progress)
    except Exception as exc:  # noqa: BLE001  the summary tells it
        tally = Tally(stuck=1, wrong=[f"stuck: {type(exc).__name__}: {exc}"])
    if tally.is_clean:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        tally.wrong.append(f"see {folder}, seed {SEED + number}")
    took_s = round(time.monotonic() - started, 1)
    return {"part": part.name, "took_s": took_s, **tally.to_dict()}


def _sum(done: list[dict[str, Any]], name: str | None = None) -> Tally:
    """Add up all parts, or those of one name."""
    total = Tally()
    for values in done:
        if name in (None, values["part"]):
            total.add(Tally.from_dict(values))
    return total


def _finish(done: list[dict[str, Any]], console: Console, journal: Path) -> int:
    """Print the table, write the summary, and let the next run begin anew."""
    total = _sum(done)
    table = Table("part", "kills", "faults", "acknowledged", "wrong", "p50 s", "p95 s")
    for name in dict.fromkeys([values["part"] for values in done]):
        _row(table, name, _sum(done, name))
    _row(table, "all", total)
    console.print(table)
    for one in total.wrong:
        console.print(f"[red]{one}[/red]")
    summary = total.to_dict()
    del summary["recovery_s"]
    summary["took_s"] = round(sum(values["took_s"] for values in done), 1)
    summary["cycles_by_part"] = {
        part.name: _sum(done, part.name).cycles for part in LAP
    }
    (FOLDER / "summary.json").write_text(json.dumps(summary, indent=1) + "\n", "utf-8")
    journal.replace(FOLDER / "parts.last.jsonl")
    return 0 if total.is_clean and total.cycles else 1


def _row(table: Table, name: str, tally: Tally) -> None:
    numbers = (tally.cycles, sum(tally.faults.values()), tally.acknowledged)
    shown = [f"{number:,}" for number in (*numbers, tally.findings)]
    times = [f"{tally.percentile(share):.2f}" for share in (0.5, 0.95)]
    table.add_row(name, *shown, *times)


def _note(part: Part, total: Tally) -> str:
    wrong = "nothing lost" if total.is_clean else f"{len(total.wrong)} findings"
    return f"{part.name} · {total.acknowledged:,} acknowledged · {wrong}"


def _bar() -> Progress:
    words = TextColumn("{task.completed:.0f} of {task.total:.0f} kills")
    columns = (*Progress.get_default_columns()[:2], words)
    return Progress(*columns, TextColumn("{task.fields[note]}"), TimeElapsedColumn())


def _read(journal: Path) -> list[dict[str, Any]]:
    """Read finished parts; a line cut short is none."""
    if not journal.exists():
        return []
    lines = journal.read_text().splitlines(keepends=True)
    whole = [line for line in lines if line.endswith("\n")]
    journal.write_text("".join(whole))
    return [json.loads(line) for line in whole]


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--cycles", type=int, default=1000, help="kills to reach")
    parser.add_argument("--minutes", type=float, default=180, help="longest run [min]")
    parser.add_argument("--fresh", action="store_true", help="forget an unfinished run")
    parser.add_argument(
        "--only", action="append", choices=[part.name for part in LAP], help="one part"
    )
    return parser.parse_args(arguments)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupt)  # what a part started is stopped as well
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted: make soak goes on behind the last finished part")
