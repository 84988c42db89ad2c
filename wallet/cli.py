"""``carbon-wallet``: keys, instructions under two signatures, and what one owns."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from wallet.commands import instructions, keys, trades, views
from wallet.config import Settings

__all__ = ["app"]

app = typer.Typer(
    help="The key holder's side of the park carbon ledger.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(keys.app, name="key")
app.add_typer(instructions.app, name="instruction")
app.add_typer(trades.trade_app, name="trade")
app.command("surrender")(trades.surrender)
app.command("inbox")(views.inbox)
app.command("balances")(views.balances)
app.command("quota")(views.quota)
app.command("trades")(views.trades)


@app.callback()
def choose(
    context: typer.Context,
    node: Annotated[
        str,
        typer.Option(envvar="CARBON_NODE_URL", help="Address of the node's API."),
    ] = "http://127.0.0.1:8620",
    keys_folder: Annotated[
        Path,
        typer.Option("--keys", envvar="CARBON_WALLET_KEYS", help="Your key files."),
    ] = Path("~/.carbon-wallet/keys"),
    language: Annotated[
        Literal["en", "zh"],
        typer.Option(envvar="CARBON_WALLET_LANGUAGE", help="Language of instructions."),
    ] = "en",
) -> None:
    """Keys, instructions under two signatures, and what one owns."""
    context.obj = Settings(keys_folder.expanduser(), node, language=language)
