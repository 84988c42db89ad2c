"""Run ``carbon-wallet``; whatever is refused is one sentence on standard error.

Exit codes: 0 done, 1 refused, 4 the node cannot be reached.
"""

import sys

import typer

from wallet.cli import app
from wallet.errors import UnavailableNodeError, WalletError

__all__ = ["main"]

EXIT_REFUSED = 1
EXIT_UNAVAILABLE = 4


def main() -> None:
    """Run the command line."""
    try:
        app()
    except WalletError as exc:
        typer.echo(str(exc), err=True)
        is_away = isinstance(exc, UnavailableNodeError)
        sys.exit(EXIT_UNAVAILABLE if is_away else EXIT_REFUSED)


if __name__ == "__main__":
    main()
