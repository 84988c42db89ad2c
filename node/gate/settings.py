"""Settings of a gate, read once from a TOML file; see ``node.config`` for the form."""

from dataclasses import dataclass
from pathlib import Path

from node.errors import InvalidConfigError
from oracle.connection import TlsFiles, is_loopback

__all__ = ["GateSettings"]

_DIGEST_CHARACTERS = 66


@dataclass(frozen=True, slots=True)
class GateSettings:
    """What a gate needs to know before it listens."""

    chain_id: int
    """EIP-155 chain id; transactions for any other are refused."""

    rpc_url: str = ""
    """JSON-RPC address of the engine; ``carbon-node run`` takes its own engine's."""

    host: str = "127.0.0.1"
    """Address on which the gate listens; any but loopback needs callers and TLS."""

    port: int = 8545
    """Port of the gate; 0 takes a free one."""

    callers: Path | None = None
    """Callers file, mode 600; None lets every program of this machine ask."""

    permissions: Path | None = None
    """Folder of the permissions files; None has none."""

    permissions_first: str = ""
    """SHA-256 of permissions version 1, 0x and 64 digits; needed with a folder."""

    certificate: Path | None = None
    """The gate's certificate, PEM; None speaks plain HTTP."""

    key: Path | None = None
    """Key of the certificate, PEM, mode 600."""

    client_ca: Path | None = None
    """CA of the callers' certificates, PEM; None knows callers by tokens alone."""

    max_request_bytes: int = 2_097_152
    """Largest body that is read. [B]"""

    max_answer_bytes: int = 67_108_864
    """Largest answer that is passed. [B]"""

    max_batch: int = 100
    """Calls of one request. [calls]"""

    max_log_blocks: int = 10_000
    """Blocks that one log query may go through. [blocks]"""

    max_connections: int = 256
    """Connections at a time. [connections]"""

    request_timeout_ms: int = 30_000
    """How long the calls of one request may take. [ms]"""

    head_timeout_ms: int = 10_000
    """How long a caller may take to send the head of a request. [ms]"""

    body_timeout_ms: int = 10_000
    """How long a caller may take to send a body. [ms]"""

    idle_timeout_ms: int = 75_000
    """How long a connection may stay without a request. [ms]"""

    @property
    def tls(self) -> TlsFiles | None:
        """Files of the gate's identity, None for plain HTTP."""
        if self.certificate is None or self.key is None:
            return None
        return TlsFiles(self.certificate, self.key, self.client_ca)

    def __post_init__(self) -> None:
        """Refuse what would leave the gate open.

        Raises:
            InvalidConfigError: Says which setting is missing.
        """
        if (self.certificate is None) != (self.key is None):
            raise InvalidConfigError("A gate needs both certificate and key, or none.")
        if self.client_ca is not None and self.certificate is None:
            raise InvalidConfigError(
                "Setting client_ca needs the gate's own certificate and key."
            )
        if not is_loopback(self.host) and (self.callers is None or self.tls is None):
            raise InvalidConfigError(
                f"A gate on {self.host} can be reached from other machines: it needs a "
                "callers file and a certificate with key; set them, or listen on "
                "127.0.0.1."
            )
        has_first = len(self.permissions_first) == _DIGEST_CHARACTERS
        if (self.permissions is not None) != has_first:
            raise InvalidConfigError(
                "Settings permissions and permissions_first belong together: the "
                "folder, and 0x with the 64 digits of the first version's SHA-256."
            )
