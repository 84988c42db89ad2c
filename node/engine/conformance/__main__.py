"""The acceptance test of an engine: ``python -m node.engine.conformance URL``.

Sends transactions, so use a chain that may be written to. Exit code 0 if no check
failed, else 1.
"""

import argparse
import sys
from pathlib import Path

from node.engine.conformance.suite import Result, run_conformance


def main(arguments: list[str] | None = None) -> int:
    """Run all checks, print one line each and a summary; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m node.engine.conformance", description=__doc__
    )
    parser.add_argument("url", help="address of the JSON-RPC service")
    parser.add_argument(
        "--key-file", type=Path, help="file with a funded account's private key in hex"
    )
    options = parser.parse_args(arguments)
    results = run_conformance(options.url, _key(options.key_file))
    failed = [each for each in results if each.status == "failed"]
    for each in results:
        print(_line(each))  # noqa: T201  # the program's output
    print(f"{len(results)} checks, {len(failed)} failed")  # noqa: T201  # as above
    return 1 if failed else 0


def _key(path: Path | None) -> bytes | None:
    if path is None:
        return None
    return bytes.fromhex(path.read_text(encoding="ascii").strip().removeprefix("0x"))


def _line(result: Result) -> str:
    detail = f": {result.detail}" if result.detail else ""
    return f"{result.status:8}  {result.name.replace('_', ' ')}{detail}"


if __name__ == "__main__":
    sys.exit(main())
