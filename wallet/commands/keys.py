"""``carbon-wallet key``: make, list and show keys."""

import typer

from wallet.commands.session import (
    AsJson,
    PasswordFile,
    read_password,
    settings_of,
)
from wallet.keystore import StoredKey, create_key, list_keys, read_key
from wallet.tables import print_rows

__all__ = ["app"]

app = typer.Typer(help="Your encrypted keys.", no_args_is_help=True)


@app.command("new")
def new(
    context: typer.Context,
    label: str,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a key, encrypted with a password."""
    password = read_password(password_file, is_new=True)
    stored = create_key(settings_of(context).keys, label, password)
    _print(context, [stored], as_json=as_json)


@app.command("list")
def list_all(context: typer.Context, as_json: AsJson = False) -> None:
    """List your keys."""
    _print(context, list_keys(settings_of(context).keys), as_json=as_json)


@app.command("show")
def show(context: typer.Context, label: str, as_json: AsJson = False) -> None:
    """Show a key's address and file; never the key itself."""
    stored = read_key(settings_of(context).keys / f"{label}.json")
    _print(context, [stored], as_json=as_json)


def _print(context: typer.Context, keys: list[StoredKey], *, as_json: bool) -> None:
    rows = [
        {"label": one.label, "address": one.address, "file": str(one.path)}
        for one in keys
    ]
    language = settings_of(context).language
    print_rows(rows, ("label", "address", "file"), language, as_json=as_json)
