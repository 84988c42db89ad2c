"""`carbon-node demo`: the whole main job in one process group, and its summary.

Everything is made below one folder that is emptied first: keys, chain, databases,
packages, ``summary.json``. Killed at any moment, the next run starts afresh.
"""

import datetime as dt
import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text
from rich.tree import Tree

from contracts.enumerations import Purpose
from node.demo.carriers import Carrier, make_carriers
from node.demo.compliance import Compliance
from node.demo.enrolment import enrol
from node.demo.index import index, node_settings
from node.demo.ledger import STREAM, SandboxLedger, open_ledger, sandbox_settings
from node.demo.members import Members
from node.demo.park import ENTERPRISES
from node.demo.people import MEMBERS, People
from node.demo.proof import prove, prove_on_chain
from node.demo.replay import replay
from node.demo.series import Series, load_series
from node.demo.stage import ROWS_A_DAY, START, Stage, Told
from node.demo.words import say
from node.errors import InvalidConfigError
from wallet.catalogue import Language

GENESIS_DAYS = 2
"""How many days before the month the chain begins."""
MONTH = 1
"""Month of the series that is replayed."""
_MARK = ".carbon-demo"
"""Name of the empty file that says whose a folder is."""


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """How the demo runs."""

    folder: Path
    """Emptied and filled: keys, chain, databases, packages, summary."""
    data_dir: Path
    """Folder of input data."""
    days: int = 31
    """How much of the month is replayed. [d]"""
    may_fetch: bool = True
    """Whether the publisher may be asked for an absent series."""
    language: Language = "en"
    """Language of what it shows; ``summary.json`` is in English always."""


@dataclass(slots=True)
class Demo:
    """A finished demo whose parts still run."""

    settings: DemoSettings
    ledger: SandboxLedger
    members: Members
    people: People
    summary: dict[str, Any] = field(default_factory=dict)

    def close(self) -> None:
        """Stop members and chain."""
        self.members.close()
        self.ledger.close()


@contextmanager
def run_demo(settings: DemoSettings, console: Console) -> Iterator[Demo]:
    """Run the main job and leave its parts running until the block ends.

    Args:
        settings: How it runs.
        console: Where progress and summary go.

    Yields:
        The demo with its summary.

    Raises:
        NodeError: A part cannot run, or a step did not give what it must.
    """
    started = time.monotonic()
    _empty(settings.folder)
    series = load_series(settings.data_dir, may_fetch=settings.may_fetch)
    label = _label(series)
    console.print(say(settings.language, label))
    demo = _open(settings, console)
    try:
        told = _play(demo, series, console)
        demo.summary = _summary(demo, label, told, time.monotonic() - started)
        path = settings.folder / "summary.json"
        path.write_text(json.dumps(demo.summary, indent=1, ensure_ascii=False), "utf-8")
        yield demo
    finally:
        demo.close()


def _empty(folder: Path) -> None:
    """Begin afresh, but delete nothing that is not an earlier demo's.

    Raises:
        InvalidConfigError: If the folder holds something else.
    """
    mark = folder / _MARK
    is_earlier = mark.exists() or all(
        (folder / name).is_dir() for name in ("keys", "members", "chain")
    )
    if (
        folder.exists()
        and not is_earlier
        and (not folder.is_dir() or any(folder.iterdir()))
    ):
        raise InvalidConfigError(
            f"Folder {folder} holds something that is not of a demo, which would empty "
            "it; name a new folder with --folder."
        )
    folder.mkdir(parents=True, exist_ok=True)
    mark.touch()  # first, so that a run killed while it empties can be repeated
    for one in folder.iterdir():
        if one.is_dir() and not one.is_symlink():
            shutil.rmtree(one)
        elif one != mark:
            one.unlink()


def show(demo: Demo, console: Console) -> None:
    """Print the closing summary.

    Args:
        demo: A finished demo.
        console: Where it goes.
    """
    language = demo.settings.language
    for title, facts in demo.summary["steps"].items():
        console.print(_tree(title, facts, language))
    console.print(_tree("Addresses", demo.summary["contracts"], language))
    console.print(Text(say(language, demo.summary["input"]), style="bold"))
    console.print(say(language, f"Took {demo.summary['seconds']} s. Next:"))
    for command in demo.summary["next"]:
        console.print(f"  {command}", highlight=False, soft_wrap=True)


def _open(settings: DemoSettings, console: Console) -> Demo:
    doing = "Making keys, starting the chain, deploying the contracts"
    with console.status(say(settings.language, doing)):
        people = People(settings.folder / "keys")
        members = Members(settings.folder / "members")
        opening = START - dt.timedelta(days=GENESIS_DAYS)
        chain = sandbox_settings(settings.folder / "chain", opening)
        ledger = open_ledger(chain, people, members.addresses)
        deployment_file = settings.folder / "deployment.json"
        deployment_file.write_text(ledger.deployment.to_json(), "utf-8")
        members.start(ledger, deployment_file)
    return Demo(settings, ledger, members, people)


def _play(demo: Demo, series: Series, console: Console) -> list[Told]:
    days, language = demo.settings.days, demo.settings.language
    usage = series.month(MONTH)[: days * ROWS_A_DAY]
    proofs = demo.settings.folder / "proofs"
    proofs.mkdir()
    stage = Stage(demo.ledger, demo.members, days, proofs)
    carriers = make_carriers()
    told = [enrol(stage, carriers)]
    total = _deliverable(carriers, len(usage) + 1)
    with _bar(console, total, language) as progress:
        told.append(replay(stage, carriers, usage, progress))
    for step in _steps(demo, stage):
        with console.status(say(language, "Working")):
            told.append(step())
        console.print(f"✓ {say(language, told[-1].title)}")
    return told


def _deliverable(carriers: list[Carrier], rows: int) -> int:
    """Count the readings of a month that are not lost."""
    lost = (row < rows for one in carriers for row in one.meter.lost_rows)
    return len(carriers) * rows - sum(lost)


def _steps(demo: Demo, stage: Stage) -> Iterator[Callable[[], Told]]:
    acts = Compliance(stage)
    yield from (acts.account, acts.certify, acts.allocate, acts.trade, acts.surrender)
    carrier = ENTERPRISES[0].identifier(ENTERPRISES[0].meters[0])
    yield lambda: prove_on_chain(stage, carrier)
    proved = acts.statements[ENTERPRISES[0].name, Purpose.TOTAL_WITH_INDIRECT]
    yield lambda: prove(stage, proved)
    settings = node_settings(demo.settings.folder, demo.ledger)
    yield lambda: index(demo.ledger, settings)


@contextmanager
def _bar(
    console: Console, total: int, language: Language
) -> Iterator[Callable[[int], None]]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(say(language, "Readings anchored"), total=total)
        yield lambda done: progress.update(task, completed=done)


def _label(series: Series) -> str:
    """Say where the figures come from, for every output."""
    if series.is_simulated:
        return (
            f"Input: {series.origin}. Every meter, value added, quota and price is "
            f"SIMULATED, in the sandbox's January {START.year}."
        )
    return (
        f"Input: {series.origin}; January 2018 replayed as January {START.year} (a "
        "Korean plant of 2018 under Chinese factors of 2023: an illustration). One "
        "meter is the plant's; all other meters, value added, quota and prices are "
        "SIMULATED."
    )


def _summary(
    demo: Demo, label: str, told: list[Told], seconds: float
) -> dict[str, Any]:
    folder, steps = demo.settings.folder, {one.title: one.facts for one in told}
    proof = steps["Proof package verified offline"]
    return {
        "input": label,
        "seconds": round(seconds, 1),
        "chain_id": demo.ledger.deployment.chain_id,
        "block": demo.ledger.client.block_number(),
        "stream": STREAM,
        "members": dict(zip(MEMBERS, demo.members.addresses, strict=True)),
        "contracts": demo.ledger.deployment.addresses,
        "steps": steps,
        "next": [
            f".venv/bin/carbon-verify {proof['package']} --trust {proof['trust']}",
            ".venv/bin/carbon-node demo --serve   # again, with the API left running",
            f"less {folder / 'summary.json'}",
        ],
    }


def _tree(title: str, facts: dict[str, Any], language: Language) -> Tree:
    tree = Tree(Text(say(language, title), style="bold"))
    for name, value in facts.items():
        shown = say(language, name)
        if isinstance(value, dict):
            branch = tree.add(Text(shown))
            for inner, fact in value.items():
                branch.add(Text(f"{say(language, inner)}: {say(language, str(fact))}"))
        elif isinstance(value, list):
            tree.add(Text(f"{shown}: {', '.join(value)}"))
        else:
            tree.add(Text(f"{shown}: {say(language, str(value))}"))
    return tree
