"""What every command shares: options, settings, the unlocked key, the node."""

from pathlib import Path
from typing import Annotated

import typer

from wallet import keystore
from wallet.client import NodeClient
from wallet.config import Settings
from wallet.signers import KeySigner

__all__ = [
    "AsJson",
    "Key",
    "PasswordFile",
    "Yes",
    "open_node",
    "read_password",
    "settings_of",
    "unlock",
]

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, no table.")]
Key = Annotated[
    str,
    typer.Option("--key", envvar="CARBON_WALLET_KEY", help="Label of your key."),
]
PasswordFile = Annotated[
    Path | None,
    typer.Option(
        "--password-file",
        envvar="CARBON_WALLET_PASSWORD_FILE",
        help="File with the key's password; asked for when left out.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Sign without asking again.")]


def settings_of(context: typer.Context) -> Settings:
    """Give the settings that the command line built."""
    settings = context.obj
    if not isinstance(settings, Settings):
        raise TypeError(f"expected Settings, got {type(settings).__name__}")
    return settings


def read_password(password_file: Path | None, *, is_new: bool = False) -> str:
    """Read a password from its file, or ask for it.

    Args:
        password_file: The file, None to ask.
        is_new: Whether to ask twice.

    Returns:
        The password.

    Raises:
        InvalidKeystoreError: If the file is exposed or cannot be read.
    """
    if password_file is None:
        asked = typer.prompt("Password", hide_input=True, confirmation_prompt=is_new)
        return str(asked)
    return keystore.read_password(password_file)


def unlock(context: typer.Context, label: str, password_file: Path | None) -> KeySigner:
    """Open a key of the wallet.

    Args:
        context: The command's context.
        label: Label of the key.
        password_file: File with its password, None to ask.

    Returns:
        The signer.

    Raises:
        InvalidKeystoreError: If there is no such key or the password is wrong.
    """
    stored = keystore.read_key(settings_of(context).keys / f"{label}.json")
    return KeySigner.unlock(stored.path, read_password(password_file))


def open_node(context: typer.Context, signer: KeySigner | None = None) -> NodeClient:
    """Connect to the node of the settings; logs in when entered with a signer."""
    settings = settings_of(context)
    return NodeClient(settings.node_url, signer, settings.timeout_s)
