"""Write versions of the permissions: the first one, and proposals of the next."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from node.errors import InvalidConfigError
from node.gate.ballots import (
    PermissionFolder,
    file_names,
    read_votes,
    replace_file,
)
from node.gate.permissions import (
    FORMAT,
    Organisation,
    Permissions,
    parse_permissions,
    read_organisations,
)

__all__ = ["begin", "draft_of", "propose", "write_organisations"]


def begin(
    folder: Path, chain_id: int, organisations: Sequence[Organisation]
) -> Permissions:
    """Write version 1.

    Args:
        folder: Where the versions are to be.
        chain_id: The chain they are for.
        organisations: Who has which rights.

    Returns:
        The permissions; their digest goes into every gate's settings.

    Raises:
        InvalidConfigError: If there is one already, nobody has a vote, or an entry is
            wrong.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / file_names(1)[0]
    if path.exists():
        raise InvalidConfigError(
            f"Permissions file {path} exists already; propose the next version, or "
            "choose another folder."
        )
    return _write(path, chain_id, 1, bytes(32), organisations)


def propose(
    folder: PermissionFolder, organisations: Sequence[Organisation]
) -> Permissions:
    """Write the version after the one in force, for the organisations to sign.

    The same proposal again changes nothing, so a broken-off run can be repeated.

    Args:
        folder: The versions so far.
        organisations: Who is to have which rights.

    Returns:
        The proposal.

    Raises:
        InvalidConfigError: If an entry is wrong, or another proposal has signatures.
    """
    present = folder.in_force()
    name, signatures = file_names(present.version + 1)
    path, head = folder.folder / name, (present.chain_id, present.version + 1)
    text = _render(*head, present.digest, organisations)
    wanted = parse_permissions(text.encode(), name)
    if path.exists() and path.read_bytes() == text.encode():
        return wanted
    if read_votes(folder.folder / signatures):
        raise InvalidConfigError(
            f"Permissions file {name} is another proposal and has signatures; wait for "
            f"its quorum, or take away {name} and {signatures} with those who signed."
        )
    return _write(path, *head, present.digest, organisations)


def draft_of(path: Path) -> tuple[Organisation, ...]:
    """Read the organisations of a draft: tables [[organisations]] and nothing else.

    Raises:
        InvalidConfigError: If it cannot be read, or an entry is wrong.
    """
    try:
        return read_organisations(path.read_bytes(), path.name)
    except OSError as exc:
        raise InvalidConfigError(
            f"Draft {path} cannot be read ({exc.strerror}); correct the path."
        ) from exc


def write_organisations(organisations: Iterable[Organisation]) -> str:
    """Write the tables of a permissions file."""
    return "\n".join(_table(one) for one in organisations)


def _write(
    path: Path,
    chain_id: int,
    version: int,
    previous: bytes,
    organisations: Sequence[Organisation],
) -> Permissions:
    text = _render(chain_id, version, previous, organisations)
    made = parse_permissions(text.encode(), path.name)
    if not made.voters:
        raise InvalidConfigError(
            f"Permissions file {path.name}: no organisation has keys, so nobody could "
            "decide on the next version; give the institutions theirs."
        )
    replace_file(path, text)
    return made


def _render(
    chain_id: int, version: int, previous: bytes, organisations: Sequence[Organisation]
) -> str:
    head = (
        f'format = "{FORMAT}"\nchain_id = {chain_id}\nversion = {version}\n'
        f'previous = "0x{previous.hex()}"\n\n'
    )
    return head + write_organisations(organisations)


def _table(one: Organisation) -> str:
    lists: dict[str, Any] = {
        "rights": sorted(one.rights),
        "keys": list(one.keys),
        "senders": sorted(f"0x{sender.hex()}" for sender in one.senders),
        "deployers": sorted(f"0x{deployer.hex()}" for deployer in one.deployers),
        "validators": list(one.validators),
    }
    lines = ["[[organisations]]", f"name = {_text(one.name)}"]
    lines += [f"{name} = {_text(value)}" for name, value in lists.items() if value]
    return "\n".join([*lines, ""])


def _text(value: Any) -> str:
    """Write a text, or a list of texts, as TOML does; JSON is the same there."""
    return json.dumps(value, ensure_ascii=False)
