"""``carbon-wallet instruction``: draft, show, sign, approve, submit, follow."""

import time
from pathlib import Path
from typing import Annotated

import typer

from wallet.commands.session import AsJson, Key, PasswordFile, Yes, open_node, unlock
from wallet.commands.signing import (
    Choice,
    find,
    hand_over,
    is_digest,
    report,
    show,
    sign_offline,
    sign_with_node,
)
from wallet.desk import draft, read_file, write_file
from wallet.errors import InvalidInstructionError, UnavailableNodeError
from wallet.instruction_file import to_json
from wallet.instructions import Instruction
from wallet.signers import KeySigner

__all__ = ["app"]

app = typer.Typer(
    help="Instructions under two signatures, in a file or at the node.",
    no_args_is_help=True,
)

_DONE = {"executed", "refused", "expired"}
_FOLLOW_S = 0.25

File = Annotated[Path, typer.Argument(help="The instruction's file.")]
Where = Annotated[str, typer.Argument(help="The instruction's file, or its id (0x…).")]
Account = Annotated[
    str | None,
    typer.Option("--account", help="Party you sign for, where you have several."),
]


@app.command("new")
def new(  # noqa: PLR0913, PLR0917  # the options of a command are its parameters
    context: typer.Context,
    kind: str,
    fields: Annotated[list[str], typer.Argument(help="name=value …")],
    out: Annotated[Path, typer.Option("--out", help="File to write.")],
    key: Key,
    institution: Annotated[
        str | None, typer.Option(help="Whose mandate acts (Call, CallBatch).")
    ] = None,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Draft an instruction; number, time, chain and contract come from the node."""
    signer = unlock(context, key, password_file)
    with open_node(context, signer) as client:
        made = draft(client, kind, _pairs(fields), institution)
        write_file(out, made)
        show(context, made, client.names(), as_json=as_json)


@app.command("show")
def show_command(context: typer.Context, file: File, as_json: AsJson = False) -> None:
    """Show an instruction in words; needs no node and no key."""
    show(context, read_file(file), {}, as_json=as_json)


@app.command("sign")
def sign_command(  # noqa: PLR0913, PLR0917  # the options of a command
    context: typer.Context,
    where: Where,
    key: Key,
    account: Account = None,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no node.")] = False,
    password_file: PasswordFile = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Sign, after showing it: the first part that is not signed yet."""
    signer = unlock(context, key, password_file)
    choice = Choice(account, None, yes)
    if not offline:
        made = _sign_where(context, where, signer, choice)
    else:
        file = Path(where)
        made = sign_offline(context, read_file(file), signer, choice)
        write_file(file, made)
    show(context, made, {}, as_json=as_json)


@app.command("approve")
def approve(  # noqa: PLR0913, PLR0917  # the options of a command
    context: typer.Context,
    where: Where,
    key: Key,
    account: Account = None,
    password_file: PasswordFile = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Approve what another person initiated, in a file or at the node."""
    signer = unlock(context, key, password_file)
    made = _sign_where(context, where, signer, Choice(account, "approve", yes))
    show(context, made, {}, as_json=as_json)


@app.command("submit")
def submit(
    context: typer.Context,
    where: Where,
    key: Key,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Hand an instruction to the node, and to the chain once all have signed."""
    signer = unlock(context, key, password_file)
    with open_node(context, signer) as client:
        answer = hand_over(client, find(client, where))
    report(context, answer, as_json=as_json)


@app.command("follow")
def follow(  # the options of a command
    context: typer.Context,
    where: Where,
    key: Key,
    wait_s: Annotated[int, typer.Option(help="Longest wait. [s]")] = 60,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Wait until an instruction is executed, refused or expired."""
    signer = unlock(context, key, password_file)
    with open_node(context, signer) as client:
        digest = f"0x{find(client, where).digest.hex()}"
        give_up = time.monotonic() + wait_s
        answer = client.get(f"/instructions/{digest}")
        while answer["status"] not in _DONE:
            if time.monotonic() > give_up:
                raise UnavailableNodeError(
                    f"Instruction {digest} is {answer['status']} after {wait_s} s; "
                    "follow it again, or submit it once all have signed."
                )
            time.sleep(_FOLLOW_S)
            answer = client.get(f"/instructions/{digest}")
    report(context, answer, as_json=as_json)


def _sign_where(
    context: typer.Context, where: str, signer: KeySigner, choice: Choice
) -> Instruction:
    """Sign an instruction where it is: in its file, or at the node."""
    with open_node(context, signer) as client:
        found = find(client, where)
        made = sign_with_node(context, client, found, signer, choice)
        if is_digest(where):
            client.post("/instructions", to_json(made))
        else:
            write_file(Path(where), made)
    return made


def _pairs(fields: list[str]) -> dict[str, str]:
    pairs = [field.partition("=") for field in fields]
    for name, equals, _ in pairs:
        if not equals:
            raise InvalidInstructionError("argument", "name=value", repr(name))
    return {name: value for name, _, value in pairs}
