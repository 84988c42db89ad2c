"""Settings of `carbon-oracle`, read once from a TOML file; secrets are paths.

    [member]  name, data_dir, stream, key_file, passphrase_file, transport_key_file?,
              database_url?
    [chain]   rpc_url, deployment_file, clock?, history_file?
    [http]    host?, port?, metrics_token_file?
    [rounds]  window_s?, timeout_s?, heartbeat_s?, max_batch?
    [inbox]   workers?                                 [peers]   "<address>" = "<URL>"
    [tls]     certificate_file, certificate_key_file, ca_file; allow_plain in [http]?

Unknown tables and keys are refused, so that a misspelt one is not silently a default.
"""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from oracle.connection import TlsFiles, is_loopback
from oracle.database.address import parse_address
from oracle.errors import InvalidSettingsError

ClockSource = Literal["wall", "chain"]
_LAST_PORT = (1 << 16) - 1


@dataclass(frozen=True, slots=True)
class MemberSettings:
    """How one member runs."""

    name: str
    """Name for logs and status."""
    data_dir: Path
    """Folder of the member's database."""
    stream: str
    """Name of the stream of batches."""
    key_file: Path
    """Encrypted key that signs reports, votes and messages."""
    passphrase_file: Path
    """File with the passphrase of the key files."""
    rpc_url: str
    """Address of the chain's RPC."""
    deployment_file: Path
    """File that the deployment wrote: chain id and addresses of the contracts."""
    transport_key_file: Path | None = None
    """Encrypted key that carries transactions; None: the member's key."""
    database_url: str = ""
    """URL of a PostgreSQL database for inbox and memory; empty: a file in `data_dir`.
    It carries no password: name a file of mode 600 with `?passfile=FILE`."""
    history_file: Path | None = None
    """What a moved ledger did before its present chain, from `carbon-node import`."""
    clock: ClockSource = "wall"
    """`wall`: wall time; `chain`: time of the latest block, for the sandbox."""
    host: str = "127.0.0.1"
    """Address on which the member listens."""
    port: int = 0
    """Port on which the member listens; 0 takes a free one."""
    metrics_token_file: Path | None = None
    """File with the token that opens `/metrics`, mode 600; None: to this machine."""
    window_s: float = 10.0
    """Longest wait of a reading for the next round. [s]"""
    timeout_s: float = 5.0
    """Length of a round before the next leader takes over. [s]"""
    heartbeat_s: int = 3600
    """Longest pause of the stream, in ledger time. [s]"""
    max_batch: int = 4096
    """Most readings of a batch."""
    certificate_file: Path | None = None
    """Certificate of this member for TLS, PEM; None speaks plain HTTP."""
    certificate_key_file: Path | None = None
    """Key of the certificate, PEM, mode 600."""
    ca_file: Path | None = None
    """CA of the members' certificates, PEM; no other is trusted."""
    allow_plain: bool = False
    """Whether plain HTTP may leave this machine, as behind a proxy with TLS."""
    workers: int = 1
    """Processes that verify signatures; 0 verifies in the member's own."""
    peers: Mapping[str, str] = field(default_factory=dict)
    """Address of another member's key → its URL."""

    def __post_init__(self) -> None:
        """Refuse values that cannot work."""
        for name in ("window_s", "timeout_s", "heartbeat_s", "max_batch"):
            value = getattr(self, name)
            if not 0 < value < math.inf:
                raise InvalidSettingsError(f"{name} must be positive, given {value}")
        if not 0 <= self.port <= _LAST_PORT:
            message = f"port must be 0 to {_LAST_PORT}, given {self.port}"
            raise InvalidSettingsError(message)
        if self.database_url:
            parse_address(self.database_url)
        if self.clock not in ("wall", "chain"):
            message = f"clock must be wall or chain, given {self.clock!r}"
            raise InvalidSettingsError(message)
        files = (self.certificate_file, self.certificate_key_file, self.ca_file)
        if any(files) and not all(files):
            needed = "certificate_file, certificate_key_file and ca_file"
            raise InvalidSettingsError(f"[tls] needs {needed}, or nothing of it")
        if not self.allow_plain:
            self._check_plain()

    @property
    def tls(self) -> TlsFiles | None:
        """Own identity and the members' CA, None for plain HTTP."""
        if self.certificate_file is None or self.certificate_key_file is None:
            return None
        return TlsFiles(self.certificate_file, self.certificate_key_file, self.ca_file)

    @property
    def url(self) -> str:
        """Address of this member on its own machine."""
        scheme = "http" if self.tls is None else "https"
        return f"{scheme}://{self.host}:{self.port}"

    def _check_plain(self) -> None:
        """Refuse plain HTTP that would leave this machine."""
        if self.tls is None and not is_loopback(self.host):
            message = (
                f"host {self.host} can be reached from other machines without TLS: set "
                "[tls], listen on 127.0.0.1, or set allow_plain in [http]"
            )
            raise InvalidSettingsError(message)
        for address, url in self.peers.items():
            parts = urlsplit(url)
            if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
                message = (
                    f"peer {address} at {url} would be asked without TLS: give an "
                    "https URL, or set allow_plain in [http]"
                )
                raise InvalidSettingsError(message)


_TABLES = {
    "member": (
        *("name", "data_dir", "stream", "key_file", "passphrase_file"),
        *("transport_key_file", "database_url"),
    ),
    "chain": ("rpc_url", "deployment_file", "clock", "history_file"),
    "http": ("host", "port", "allow_plain", "metrics_token_file"),
    "tls": ("certificate_file", "certificate_key_file", "ca_file"),
    "rounds": ("window_s", "timeout_s", "heartbeat_s", "max_batch"),
    "inbox": ("workers",),
}
_PATHS = (
    "data_dir",
    "key_file",
    "passphrase_file",
    "transport_key_file",
    "history_file",
    "metrics_token_file",
    "certificate_file",
    "certificate_key_file",
    "ca_file",
)
_KINDS = {
    "port": (int,),
    "allow_plain": (bool,),
    "window_s": (int, float),
    "timeout_s": (int, float),
    "heartbeat_s": (int,),
    "max_batch": (int,),
    "workers": (int,),
}


def load_settings(path: Path) -> MemberSettings:
    """Read the settings of a member.

    Args:
        path: TOML file; relative paths in it start at its folder.

    Returns:
        The settings.

    Raises:
        InvalidSettingsError: The file cannot be read, or a key is missing, unknown or
            of the wrong kind; names the key.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise InvalidSettingsError(f"settings {path} cannot be read: {exc}") from exc
    values = _flatten(path, document)
    folder = path.resolve().parent
    for name in (*_PATHS, "deployment_file"):
        if name in values:
            values[name] = folder / values[name]
    required = [f.name for f in fields(MemberSettings)][:7]
    if missing := [name for name in required if name not in values]:
        raise InvalidSettingsError(f"settings {path} lack {', '.join(missing)}")
    return MemberSettings(**values)


def _flatten(path: Path, document: Mapping[str, Any]) -> dict[str, Any]:
    """Turn tables into fields and refuse what is unknown or of the wrong kind."""
    values: dict[str, Any] = {}
    for table, content in document.items():
        if table == "peers":
            values["peers"] = _texts(path, content)
            continue
        if table not in _TABLES or not isinstance(content, dict):
            known = ", ".join([*_TABLES, "peers"])
            message = f"settings {path}: expected the tables {known}, given [{table}]"
            raise InvalidSettingsError(message)
        for name, value in content.items():
            if name not in _TABLES[table]:
                known = ", ".join(_TABLES[table])
                message = f"settings {path}: [{table}] knows {known}, given {name}"
                raise InvalidSettingsError(message)
            values[name] = _checked(path, name, value)
    return values


def _checked(path: Path, name: str, value: Any) -> Any:
    kinds = _KINDS.get(name, (str,))
    if type(value) not in kinds:
        expected = " or ".join(kind.__name__ for kind in kinds)
        message = f"settings {path}: {name} must be {expected}, given {value!r}"
        raise InvalidSettingsError(message)
    return value


def _texts(path: Path, content: Any) -> dict[str, str]:
    if not isinstance(content, dict) or not all(
        isinstance(url, str) for url in content.values()
    ):
        message = f'settings {path}: [peers] takes lines of "<address>" = "<URL>"'
        raise InvalidSettingsError(message)
    return dict(content)
