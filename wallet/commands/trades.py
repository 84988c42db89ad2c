"""``carbon-wallet trade block`` and ``surrender``: the two everyday instructions.

Both draft, show and sign as the first person, and hand the instruction to the node,
where the others find it in their inbox; with ``--out`` they keep it in a file.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from wallet.commands.session import AsJson, Key, PasswordFile, Yes, open_node, unlock
from wallet.commands.signing import Choice, hand_over, report, show, sign_with_node
from wallet.desk import draft, write_file
from wallet.signers import KeySigner

__all__ = ["surrender", "trade_app"]

trade_app = typer.Typer(help="Trades.", no_args_is_help=True)

Out = Annotated[
    Path | None,
    typer.Option("--out", help="File to keep it in, instead of the node's inbox."),
]
Vintage = Annotated[str, typer.Option("--vintage", help="Allocation year.")]
Tonnes = Annotated[str, typer.Option("--tonnes", help="Whole tonnes. [t]")]


@trade_app.command("block")
def block(  # noqa: PLR0913, PLR0917  # the options of a command are its parameters
    context: typer.Context,
    seller: Annotated[str, typer.Option(help="Seller's account.")],
    buyer: Annotated[str, typer.Option(help="Buyer's account.")],
    vintage: Vintage,
    tonnes: Tonnes,
    price: Annotated[str, typer.Option(help="Price per tonne. [CNY]")],
    key: Key,
    out: Out = None,
    password_file: PasswordFile = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Begin a block trade; both sides sign the same instruction, two people each."""
    fields = {"seller": seller, "buyer": buyer, "vintage": vintage}
    fields |= {"tonnes": tonnes, "price_fen": price}
    signer = unlock(context, key, password_file)
    choice = Choice(is_agreed=yes)
    _begin(context, signer, ("BlockTrade", fields), choice, out, as_json=as_json)


def surrender(  # noqa: PLR0913, PLR0917  # the options of a command
    context: typer.Context,
    account: Annotated[str, typer.Option(help="The enterprise.")],
    statement: Annotated[str, typer.Option(help="Its confirmed statement (0x…).")],
    vintage: Vintage,
    tonnes: Tonnes,
    key: Key,
    out: Out = None,
    password_file: PasswordFile = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Begin a surrender of quota against a confirmed statement."""
    fields = {"account": account, "statement": statement}
    fields |= {"vintage": vintage, "tonnes": tonnes}
    signer = unlock(context, key, password_file)
    choice = Choice(is_agreed=yes)
    _begin(context, signer, ("SurrenderQuota", fields), choice, out, as_json=as_json)


def _begin(
    context: typer.Context,
    signer: KeySigner,
    matter: tuple[str, Mapping[str, str]],
    choice: Choice,
    out: Path | None,
    *,
    as_json: bool,
) -> None:
    kind, fields = matter
    with open_node(context, signer) as client:
        drafted = draft(client, kind, fields)
        made = sign_with_node(context, client, drafted, signer, choice)
        if out is None:
            report(context, hand_over(client, made), as_json=as_json)
            return
    write_file(out, made)
    show(context, made, {}, as_json=as_json)
