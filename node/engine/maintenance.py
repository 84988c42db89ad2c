"""``carbon-node engine check`` and ``carbon-node engine salvage``: an operator's tools.

For the files of an embedded chain that is stopped. ``check`` changes nothing, says of
each file whether it is good, and with ``--replay`` makes every block again in an engine
of its own. ``salvage`` mends what is safe and refuses the rest. Exit codes: 0 all good
or mended, 1 refused for now, 3 records contradict each other.
"""

import argparse
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from node.engine.chain import Chain, lock_folder
from node.engine.examine import (
    Account,
    Examination,
    SeenSnapshot,
    copied_journal,
    examine,
)
from node.engine.journal import FILE_NAME, Journal
from node.engine.salvage import salvage
from node.engine.settings import EngineSettings
from node.engine.witness import FILE_NAME as WITNESS_NAME
from node.errors import InvalidConfigError

__all__ = ["COMMANDS", "main"]

COMMANDS = ("check", "salvage")
EXIT_CONFLICT = 3


def main(arguments: list[str]) -> int:
    """Run ``check`` or ``salvage``; return the exit code.

    Raises:
        NodeError: Why it cannot be done.
    """
    options = _parser().parse_args(arguments)
    if not options.data_dir.is_dir():
        raise InvalidConfigError(
            f"there is no folder {options.data_dir}; give --data-dir the folder of an "
            "embedded chain, usually DATA_DIR/chain"
        )
    console = Console(highlight=False, soft_wrap=True)
    with Console(stderr=True).status(f"{options.command} {options.data_dir}"):
        if options.command == "salvage":
            done = salvage(options.data_dir)
            for sentence in done or ["nothing to mend: journal and witness agree"]:
                console.print(sentence)
            return 0
        return _check(options, console)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="carbon-node engine", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--data-dir", type=Path, required=True, help="chain's folder")
    parser.add_argument(
        "--replay", action="store_true", help="check: make every block again"
    )
    parser.add_argument("--anvil", type=Path, help="path of the anvil program")
    return parser


def _check(options: argparse.Namespace, console: Console) -> int:
    with _locked(options.data_dir):
        found = examine(options.data_dir)
        for line in _lines(found):
            console.print(line)
        if not _is_good(found):
            console.print(
                f"mend with: carbon-node engine salvage --data-dir {options.data_dir}"
            )
            return EXIT_CONFLICT
        if options.replay:
            height, digest = _replay(options.data_dir, options.anvil)
            console.print(f"replayed from block 0 to block {height}, hash 0x{digest}")
    return 0


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    lock = lock_folder(folder)
    try:
        yield
    finally:
        os.close(lock)


def _is_good(found: Examination) -> bool:
    journal, witness = found.journal, found.witness
    alike = found.common == witness.records and found.synced <= witness.records
    is_reached = all((s.height or 0) <= journal.height for s in found.snapshots)
    return journal.fault is None and alike and is_reached and journal.records > 0


def _lines(found: Examination) -> Iterator[str]:
    """Write a line for each file: its name, how far it reaches, its state."""
    for name, account in ((FILE_NAME, found.journal), (WITNESS_NAME, found.witness)):
        reach = f"block {account.height}, {account.records} records"
        yield f"{name:32} {reach}: {account.fault or _relation(found, account)}"
    for seen in found.snapshots:
        reach = "" if seen.height is None else f"block {seen.height}: "
        yield f"{'snapshots/' + seen.path.name:32} {reach}{_worth(found, seen)}"


def _relation(found: Examination, account: Account) -> str:
    shorter = min(found.journal.records, found.witness.records)
    if found.common < shorter:
        return f"another history than the other file from record {found.common + 1} on"
    longer = max(found.journal.records, found.witness.records)
    if account.records < longer:
        return f"sound, but ends {longer - account.records} records before the other"
    return "good"


def _worth(found: Examination, seen: SeenSnapshot) -> str:
    if seen.height is None:
        return "damaged: passed over at the start"
    if seen.height > max(found.journal.height, found.witness.height):
        return "beyond the end of the chain: the other files are older"
    return "good" if seen.is_vouched else "not of this chain: passed over at the start"


def _replay(folder: Path, anvil: Path | None) -> tuple[int, str]:
    """Make every block again from a copy; return the last one's height and hash."""
    with tempfile.TemporaryDirectory() as place:
        scratch = Path(place)
        with copied_journal(folder) as copy:
            for path in copy.parent.iterdir():
                shutil.copyfile(path, scratch / path.name)
        shutil.copyfile(folder / WITNESS_NAME, scratch / WITNESS_NAME)
        chain = Chain(_settings(scratch, anvil))
        try:
            return chain.head.height, (chain.head.hash or b"").hex()
        finally:
            chain.close()


def _settings(folder: Path, anvil: Path | None) -> EngineSettings:
    """Read from the journal what an engine has to be told."""
    journal = Journal(folder / FILE_NAME)
    try:
        chain_id = int(journal.meta("chain_id") or "0")
        genesis = json.loads(journal.meta("genesis") or "{}")
    finally:
        journal.close()
    gas_limit = int(genesis.get("gasLimit", "0x0"), 16)
    return EngineSettings(folder, chain_id, anvil, block_gas_limit=gas_limit)
