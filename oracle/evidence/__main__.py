"""carbon-verify: check a proof package offline against a trust file.

    carbon-verify FILE --trust TRUST [--json] [--html OUT] [--lang zh|en]

Exit codes:

     0  accepted                           15  registry: a carrier is not proven
     1  a file cannot be read or written   16  readings: a reading fails
     2  wrong usage                        17  completeness: a reading is missing
     3  the trust file cannot be used      18  rules: a rule set differs
    11  form of the file                   19  recomputation: another figure
    12  trust: chain, contracts, members   20  report: another content
    13  statement: signatures, boundary
    14  batches: signatures, chain, log
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from oracle.errors import InvalidTrustError
from oracle.evidence.messages import LANGUAGES, TEXTS
from oracle.evidence.render import render_json, render_lines, render_page
from oracle.evidence.stages import VerificationReport
from oracle.evidence.trust import parse_trust
from oracle.evidence.verify import verify_package

EXIT_FILE = 1
EXIT_TRUST = 3

MAX_THREADS = 64


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: Command line without the program's name; that of the process by
            default.

    Returns:
        The exit code.
    """
    options = _parser().parse_args(arguments)
    texts = TEXTS[options.lang]
    try:
        data = options.file.read_bytes()
        trust = parse_trust(options.trust.read_bytes())
    except OSError as exc:
        print_error(texts["unreadable"].format(file=exc.filename, reason=exc.strerror))
        return EXIT_FILE
    except InvalidTrustError as exc:
        print_error(str(exc))
        return EXIT_TRUST
    report = verify_package(data, trust, options.threads)
    _print_report(report, options)
    if options.html is None:
        return report.exit_code
    try:
        page = render_page(report, options.file.name, options.lang)
        options.html.write_text(page, encoding="utf-8")
    except OSError as exc:
        print_error(texts["unwritable"].format(file=exc.filename, reason=exc.strerror))
        return EXIT_FILE
    return report.exit_code


def print_error(sentence: str) -> None:
    """Print a sentence to the standard error stream."""
    sys.stderr.write(f"carbon-verify: {sentence}\n")


def _print_report(report: VerificationReport, options: argparse.Namespace) -> None:
    if options.json:
        lines = [render_json(report, options.file.name)]
    else:
        lines = list(render_lines(report, options.lang))
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _parser() -> argparse.ArgumentParser:
    usage, _, codes = (__doc__ or "").partition("Exit codes:")
    parser = argparse.ArgumentParser(
        "carbon-verify",
        description=usage.strip().splitlines()[0],
        epilog=f"Exit codes:{codes}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="proof package")
    parser.add_argument(
        "--trust", type=Path, required=True, help="trust file of your own choice"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--html", type=Path, metavar="OUT", help="write a page too")
    parser.add_argument("--lang", choices=LANGUAGES, default="en", help="language")
    parser.add_argument(
        "--threads",
        type=int,
        choices=range(1, MAX_THREADS + 1),
        metavar="N",
        help="threads (default: one a processor)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
