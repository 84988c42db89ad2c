"""The embedded engine in the foreground: ``python -m node.engine --data-dir D``.

Prints one line with the RPC address when ready; stops cleanly on SIGTERM and
SIGINT. Exit codes: 0 stopped, 1 refused to start (one sentence on stderr), 3 the
chain's records contradict each other. ``check`` and ``salvage`` as the first word look
at the files of a stopped engine, see ``maintenance``.
"""

import argparse
import logging
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from node.engine import maintenance
from node.engine.embedded import EmbeddedEngine
from node.engine.settings import EngineSettings
from node.errors import ConflictJournalError, NodeError

EXIT_REFUSED = 1
EXIT_CONFLICT = 3


def main(arguments: list[str] | None = None) -> int:
    """Run an embedded engine until a signal ends it; return the exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    if words and words[0] in maintenance.COMMANDS:
        return _say_refusals(lambda: maintenance.main(words))
    return _say_refusals(lambda: _run(words))


def _run(words: list[str]) -> int:
    options = _parser().parse_args(words)
    level = logging.INFO if options.verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(levelname)s %(name)s %(message)s")
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    with EmbeddedEngine(_settings(options)) as engine:
        print(engine.rpc_url, flush=True)  # noqa: T201  # the program's output
        signal.sigwait(signals)
    return 0


def _say_refusals(action: Callable[[], int]) -> int:
    try:
        return action()
    except NodeError as exc:
        print(exc, file=sys.stderr)  # noqa: T201  # the program's output
        is_conflict = isinstance(exc, ConflictJournalError)
        return EXIT_CONFLICT if is_conflict else EXIT_REFUSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="carbon-node engine",
        description="Run the embedded chain alone until SIGTERM or SIGINT.",
        epilog="carbon-node engine check and salvage look at its files when stopped.",
    )
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--chain-id", type=int, required=True)
    parser.add_argument("--anvil", type=Path, help="path of the anvil program")
    parser.add_argument("--clock", choices=("wall", "virtual"), default="wall")
    parser.add_argument("--genesis-time", type=int, help="block 0 [unix s]")
    parser.add_argument("--block-interval", type=float, help="[s]; default on demand")
    parser.add_argument(
        "--alloc", action="append", default=[], metavar="ADDRESS=WEI",
        help="balance at block 0; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--permit", action="append", metavar="ADDRESS",
        help="permitted sender; may be repeated, default everybody",
    )  # fmt: skip
    parser.add_argument("--snapshot-every", type=int, default=500, help="[blocks]")
    parser.add_argument("--verbose", action="store_true")
    return parser


def _settings(options: argparse.Namespace) -> EngineSettings:
    pairs = (each.split("=", 1) for each in options.alloc)
    return EngineSettings(
        data_dir=options.data_dir,
        chain_id=options.chain_id,
        anvil_path=options.anvil,
        port=options.port,
        clock_mode=options.clock,
        genesis_time=options.genesis_time,
        genesis_alloc={address: int(wei) for address, wei in pairs},
        block_interval_s=options.block_interval,
        permitted_senders=frozenset(options.permit) if options.permit else None,
        snapshot_interval_blocks=options.snapshot_every,
    )


if __name__ == "__main__":
    sys.exit(main())
