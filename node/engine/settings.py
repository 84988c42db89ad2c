"""Settings of the embedded engine.

Built once by whoever runs the engine and passed down; nothing here reads the
environment.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

MAX_TRANSACTION_BYTES = 131_072
"""Largest raw transaction accepted, as the usual Ethereum clients limit it. [B]"""

ClockMode = Literal["wall", "virtual"]


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What an embedded engine needs to know before it starts."""

    data_dir: Path
    """Folder of journal, snapshots and process record; one engine at a time."""

    chain_id: int
    """EIP-155 chain id; fixed when the data folder is first used."""

    anvil_path: Path | None = None
    """Engine program; None looks in ``node_modules`` and then on the PATH."""

    host: str = "127.0.0.1"
    """Address on which the RPC gate listens."""

    port: int = 0
    """Port of the RPC gate; 0 takes a free one."""

    clock_mode: ClockMode = "wall"
    """``wall``: block time is wall time; ``virtual``: the sandbox sets it."""

    genesis_time: int | None = None
    """Timestamp of block 0, used once; None is the wall time then. [unix s]"""

    genesis_alloc: Mapping[str, int] = field(default_factory=dict)
    """Address to balance at block 0, used once. [wei]"""

    genesis_contracts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Address to ``nonce``, ``code`` and ``storage`` at block 0, as an Ethereum genesis
    file has them, used once: the state of a ledger that was moved here."""

    block_interval_s: float | None = None
    """Time between blocks; None mines whenever a transaction waits. [s]"""

    coalesce_s: float = 0.002
    """How long an on-demand block waits for company. [s]"""

    permitted_senders: frozenset[str] | None = None
    """Addresses whose transactions are accepted; None permits everybody."""

    block_gas_limit: int = 30_000_000
    """Gas of one block, and so of one transaction; fixed at first use. [gas]"""

    snapshot_interval_blocks: int = 500
    """Blocks between two snapshots; 0 takes none. [blocks]"""

    max_request_bytes: int = 2_097_152
    """Largest body the gate reads. [B]"""

    max_pending: int = 10_000
    """Accepted transactions that may wait for a block. [transactions]"""

    start_timeout_s: float = 20.0
    """How long the engine program may take to answer first. [s]"""

    call_timeout_s: float = 60.0
    """How long one engine call may take before the engine is replaced. [s]"""
