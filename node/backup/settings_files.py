"""The settings files of a restored node: as they were, with the paths of the new place.

Layout of a restored folder, whatever it was before::

    node.toml  deployment.json  history.sqlite?     data/node.sqlite  data/chain/…
    member/member.toml  member/data/member.db       keys/…  proofs/…
    inbox.sqlite?

Paths of files that a backup leaves out (passphrases, certificates, programs) stay as
they were, made absolute; what is then missing is named by ``carbon-node check``.
"""

import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

from node.config import Settings
from node.operations.settings import OperationsSettings
from oracle.config import MemberSettings

__all__ = ["MEMBER_TOML", "NODE_TOML", "place_member", "place_node", "to_toml"]

NODE_TOML = "node.toml"
MEMBER_TOML = "member/member.toml"


def place_node(text: str, was_in: Path, folder: Path, database_url: str | None) -> str:
    """Rewrite a node's settings for a restored folder.

    Args:
        text: Settings as they were (TOML).
        was_in: Folder of that file, to which its relative paths belong.
        folder: The restored folder.
        database_url: Another database of the index; None keeps the setting.

    Returns:
        The new settings (TOML).
    """
    entries = tomllib.loads(text)
    given = {
        "data_dir": "data",
        "deployment": "deployment.json",
        "proof_folder": "proofs",
        "history": "history.sqlite",
        "member_config": MEMBER_TOML,
        "inbox_database": _inbox(folder),
    }
    placed = _placed(entries, Settings, given, was_in)
    placed.pop("relayer_key", None)
    if "operations" in entries:
        table = entries["operations"]
        placed["operations"] = _placed(table, OperationsSettings, {}, was_in)
    if database_url is not None:
        placed["database_url"] = database_url
    return to_toml(placed)


def place_member(
    text: str, was_in: Path, folder: Path, database_url: str | None
) -> str:
    """Rewrite a member's settings for a restored folder.

    Args:
        text: Settings as they were (TOML).
        was_in: Folder of that file.
        folder: The restored folder.
        database_url: Another database of the member; None keeps the setting.

    Returns:
        The new settings (TOML).
    """
    tables = tomllib.loads(text)
    given = {
        "data_dir": "data",
        "deployment_file": "../deployment.json",
        "history_file": "../history.sqlite",
    }
    for name in ("key_file", "transport_key_file"):
        old = tables["member"].get(name)
        if old and (folder / "keys" / Path(old).name).exists():
            given[name] = f"../keys/{Path(old).name}"
    placed = {
        name: _placed(table, MemberSettings, given, was_in)
        for name, table in tables.items()
    }
    if database_url is not None:
        placed["member"]["database_url"] = database_url
    return to_toml(placed)


def _inbox(folder: Path) -> str:
    if (folder / "inbox.sqlite").exists():
        return "inbox.sqlite"
    return "member/data/member.db"


def _placed(
    entries: Mapping[str, Any],
    kind: type[Settings | MemberSettings | OperationsSettings],
    given: Mapping[str, str],
    was_in: Path,
) -> dict[str, Any]:
    hints = get_type_hints(kind)
    paths = {
        field.name
        for field in fields(kind)
        if Path in (get_args(hints[field.name]) or (hints[field.name],))
    }
    return {
        name: given.get(name, str(was_in / value)) if name in paths else value
        for name, value in entries.items()
    }


def to_toml(entries: Mapping[str, Any]) -> str:
    """Write settings as TOML.

    Args:
        entries: Names to values; tables are one level deep.

    Returns:
        The text.
    """
    plain = {name: one for name, one in entries.items() if not isinstance(one, dict)}
    lines = [f"{_key(name)} = {_value(value)}" for name, value in plain.items()]
    for name in entries.keys() - plain.keys():
        lines += ["", f"[{_key(name)}]", to_toml(entries[name]).rstrip("\n")]
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    is_bare = name.replace("_", "").replace("-", "").isalnum() and name.isascii()
    return name if is_bare else json.dumps(name)


_value: Callable[[Any], str] = json.JSONEncoder(ensure_ascii=False).encode
"""Texts, numbers, truth values and lists are written alike in JSON and TOML."""
