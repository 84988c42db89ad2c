"""Settings of a node, read once from a TOML file and passed down.

Relative paths are relative to the file. Secrets are paths: no key or password stands
in a setting. An unknown or ill-typed entry is refused, so a misspelt one is noticed.
"""

import tomllib
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_type_hints

from node.errors import InvalidConfigError
from node.operations.settings import OperationsSettings

__all__ = ["Settings", "load_settings", "read_settings"]

ClockMode = Literal["wall", "virtual"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a node needs to know before it runs."""

    data_dir: Path
    """Folder of the chain's journal, the database and the relayer's key."""

    deployment: Path
    """File that the deployment of the contracts wrote."""

    chain_id: int
    """EIP-155 chain id; the chain, the deployment and this must agree."""

    public_url: str
    """Address under which people reach the API; part of every login text."""

    host: str = "127.0.0.1"
    """Address on which the API listens."""

    port: int = 8620
    """Port of the API; 0 takes a free one."""

    database_url: str = ""
    """SQLAlchemy URL; empty is SQLite in ``data_dir``."""

    relayer_key: Path | None = None
    """File with the transport key, 64 hexadecimal digits, mode 600; None makes one
    in ``data_dir``. The key owns nothing."""

    rpc_url: str = ""
    """JSON-RPC address of a chain that runs elsewhere; empty runs the embedded one."""

    history: Path | None = None
    """What a moved ledger did before its present chain, written by ``import``; None
    where the ledger began on its chain."""

    validator: Path | None = None
    """Folder of this organisation's Avalanche validator, which the node then runs as
    its chain, see ``node/network/home.py``; None runs the embedded one."""

    avalanchego_path: Path | None = None
    """Program of the validator; None takes the cached one, see ``carbon-node network
    install``."""

    rpc_port: int = 0
    """Port of the embedded chain's RPC gate; 0 takes a free one."""

    anvil_path: Path | None = None
    """Program of the embedded chain; None looks in ``node_modules`` and the PATH."""

    clock_mode: ClockMode = "wall"
    """``wall``, or ``virtual`` for a sandbox whose time is set."""

    block_interval_s: int = 0
    """Time between blocks of the embedded chain; 0 mines when there is work. [s]"""

    poll_interval_ms: int = 250
    """Pause of the indexer when there is nothing new. [ms]"""

    token_life_s: int = 900
    """Life of a login's bearer token. [s]"""

    inbox_database: Path | None = None
    """Database of a member's inbox on this machine, for readings; None has none."""

    inbox_database_url: str = ""
    """The same where it is in PostgreSQL: URL without a password, as
    ``database_url``."""

    proof_folder: Path | None = None
    """Folder of proof packages; None has none."""

    member_config: Path | None = None
    """Settings file of this organisation's oracle member, which is asked for proof
    packages where no folder of them is set; None has none."""

    gate: Path | None = None
    """Settings file of the RPC gate through which others reach this node's chain, see
    ``node/gate/settings.py``; None opens the chain to this machine alone."""

    operations: OperationsSettings = field(default_factory=OperationsSettings)
    """Watch and alarms; a table of its own, see ``node/operations/settings.py``."""

    @property
    def is_embedded(self) -> bool:
        """Whether the chain is the node's own, embedded one."""
        return not self.rpc_url and self.validator is None


def load_settings(path: Path) -> Settings:
    """Read settings.

    Args:
        path: TOML file.

    Returns:
        The settings, paths made absolute.

    Raises:
        InvalidConfigError: If the file, an entry or a type is wrong.
    """
    entries = _entries(path)
    watched = entries.pop("operations", {})
    values = _values(path, entries, Settings)
    operations = OperationsSettings(**_values(path, watched, OperationsSettings))
    return Settings(**values, operations=operations)


def read_settings(path: Path, kind: type[T]) -> T:
    """Read the settings of another part, in the same form.

    Args:
        path: TOML file.
        kind: Its settings, a dataclass without tables.

    Returns:
        The settings, paths made absolute.

    Raises:
        InvalidConfigError: If the file, an entry or a type is wrong.
    """
    return kind(**_values(path, _entries(path), kind))


def _entries(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as exc:
        raise InvalidConfigError(
            f"Settings file {path} cannot be read ({exc.strerror}); give the right "
            "path with --config."
        ) from exc
    except ValueError as exc:
        raise InvalidConfigError(f"Settings file {path} is no TOML: {exc}.") from exc


def _values(path: Path, entries: Any, kind: type) -> dict[str, Any]:
    """Check the entries of a table, and find its paths from the file's folder."""
    if not isinstance(entries, dict):
        raise InvalidConfigError(
            f"Settings file {path}: expected a table [operations], given {entries!r}."
        )
    _check_names(path, entries, kind)
    hints = get_type_hints(kind)
    values = {name: _value(name, entry, hints[name]) for name, entry in entries.items()}
    folder = path.resolve().parent
    return {
        name: folder / value if isinstance(value, Path) else value
        for name, value in values.items()
    }


def _check_names(path: Path, entries: Any, kind: Any) -> None:
    known = {one.name for one in fields(kind)}
    needed = {
        one.name
        for one in fields(kind)
        if one.default is MISSING and one.default_factory is MISSING
    }
    unknown, absent = set(entries) - known, needed - set(entries)
    if unknown or absent:
        faults = [f"unknown {name}" for name in sorted(unknown)]
        faults += [f"without {name}" for name in sorted(absent)]
        raise InvalidConfigError(
            f"Settings file {path} is {', '.join(faults)}; the settings are "
            f"{', '.join(sorted(known))}."
        )


def _value(name: str, entry: Any, hint: Any) -> Any:
    if hint == dict[str, str] and isinstance(entry, dict):
        return {key: _value(f"{name}.{key}", one, str) for key, one in entry.items()}
    choices = get_args(hint) or (hint,)
    if Path in choices and isinstance(entry, str):
        return Path(entry)
    if str in choices and isinstance(entry, str):
        return entry
    if int in choices and type(entry) is int and entry >= 0:
        return entry
    if entry in choices and isinstance(entry, str):
        return entry
    wanted = " or ".join(getattr(one, "__name__", repr(one)) for one in choices)
    raise InvalidConfigError(
        f"Setting {name}: expected {wanted}, given {entry!r}; correct the file."
    )
