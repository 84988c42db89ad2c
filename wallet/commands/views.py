"""What a key holder looks at: inbox, balances, quota, trades."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from wallet.amounts import format_fen, format_tonnes
from wallet.catalogue import Language, say, word
from wallet.client import NodeClient
from wallet.commands.session import (
    AsJson,
    Key,
    PasswordFile,
    open_node,
    settings_of,
    unlock,
)
from wallet.commands.signing import missing_words
from wallet.instruction_file import from_json
from wallet.show import sentence
from wallet.tables import print_rows

__all__ = ["balances", "inbox", "quota", "trades"]

Rows = list[dict[str, Any]]


def inbox(
    context: typer.Context,
    key: Key,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """List what waits for signatures of your accounts."""
    language = settings_of(context).language
    words = _words_of(context, as_json=as_json)

    def read(client: NodeClient) -> Rows:
        names = client.names()
        return [
            {
                "id": one["digest"],
                "status": word(words, "status", one["status"]),
                "says": sentence(from_json(one["instruction"]), language, names),
                "still_to_sign": missing_words(words, one["missing"], names),
                "brought_by": one["created_by"],
            }
            for one in client.get("/instructions")
        ]

    columns = ("id", "status", "says", "still_to_sign")
    _look(context, key, password_file, read, columns, as_json=as_json)


def balances(
    context: typer.Context,
    key: Key,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """List money and holdings of the accounts you may see."""
    words = _words_of(context, as_json=as_json)

    def read(client: NodeClient) -> Rows:
        names = client.names()
        money = [
            {
                **row,
                "asset": say(words, "asset.money"),
                "amount": format_fen(row["fen"]),
            }
            for row in client.get("/cash/balances")
        ]
        held = [
            {
                **row,
                "asset": say(words, "asset.quota", vintage=str(row["vintage"])),
                "amount": format_tonnes(row["tonnes"]),
            }
            for row in client.get("/quota/balances")
        ]
        return [{"name": names.get(row["account"], ""), **row} for row in money + held]

    columns = ("name", "account", "asset", "amount")
    _look(context, key, password_file, read, columns, as_json=as_json)


def quota(
    context: typer.Context,
    key: Key,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Show where the quota of every vintage is, in tonnes."""
    columns = (
        "vintage",
        "issued_tonnes",
        "held_tonnes",
        "surrendered_tonnes",
        "cancelled_tonnes",
    )

    def read(client: NodeClient) -> Rows:
        return list(client.get("/quota/supply"))

    _look(context, key, password_file, read, columns, as_json=as_json)


def trades(
    context: typer.Context,
    key: Key,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """List the block trades you may see, the newest first."""

    def read(client: NodeClient) -> Rows:
        names = client.names()
        return [
            {
                **row,
                "seller_name": names.get(row["seller"], row["seller"]),
                "buyer_name": names.get(row["buyer"], row["buyer"]),
                "price": format_fen(row["price_fen"]),
                "total": format_fen(row["price_fen"] * row["tonnes"]),
            }
            for row in _every(client, "/trades")
        ]

    columns = ("seller_name", "buyer_name", "vintage", "tonnes", "price", "total")
    _look(context, key, password_file, read, columns, as_json=as_json)


def _words_of(context: typer.Context, *, as_json: bool) -> Language:
    """Give the language of fixed words: programs read the same ones everywhere."""
    return "en" if as_json else settings_of(context).language


def _every(client: NodeClient, path: str) -> Rows:
    page = client.get(path)
    rows: Rows = list(page["items"])
    while page["next"] is not None:
        page = client.get(path, cursor=page["next"])
        rows += page["items"]
    return rows


def _look(
    context: typer.Context,
    key: str,
    password_file: Path | None,
    read: Callable[[NodeClient], Rows],
    columns: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    signer = unlock(context, key, password_file)
    with open_node(context, signer) as client:
        rows = read(client)
    print_rows(rows, columns, settings_of(context).language, as_json=as_json)
