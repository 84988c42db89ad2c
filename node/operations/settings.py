"""Settings of watch and alarms, the table ``[operations]`` of the node's file."""

from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["OperationsSettings"]


@dataclass(frozen=True, slots=True)
class OperationsSettings:
    """What is watched, when an alarm is raised, and who is told."""

    token_file: Path | None = None
    """File with the operators' token, mode 600; with it health page, alarms and metrics
    are open to who shows it, without it to callers on this machine alone."""

    watch_interval_s: int = 10
    """Pause between two looks. [s]"""

    members: dict[str, str] = field(default_factory=dict)
    """Address of an oracle member's key → its URL; none takes the peers of setting
    ``member_config``."""

    member_down_s: int = 60
    """How long a member may not answer. [s]"""

    stream_age_percent: int = 100
    """Age of a stream's last batch from which the stream is stale, in percent of its
    greatest silence. [%]"""

    carrier_silence_s: int = 7200
    """How long an active carrier may send nothing; 0 watches none. [s]"""

    disk_free_mb: int = 1024
    """Least free room of each folder. [MB]"""

    disk_free_inodes_percent: int = 5
    """Least free inodes of each folder's file system. [%]"""

    chain_stalled_s: int = 60
    """How long the chain may not answer, or not mine what waits. [s]"""

    indexer_lag_blocks: int = 20
    """Blocks by which the index may be behind the chain."""

    indexer_behind_s: int = 60
    """How long it may be behind by more. [s]"""

    webhook: str = ""
    """URL to which every notice of an alarm is posted; empty posts none."""

    webhook_secret_file: Path | None = None
    """File with the secret that signs the notices (HMAC-SHA256), mode 600."""

    command: Path | None = None
    """Program that is given every notice as JSON on its standard input."""
