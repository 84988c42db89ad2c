"""One look at the node: chain, index, streams, members, carriers, disks, database.

A look never fails: what cannot be known now is a fact too. It changes nothing. What
takes long is looked at less often: carriers by the hundred thousand cost seconds.
"""

import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from contracts.errors import ContractsError
from contracts.ledger import Ledger
from node.engine.ports import ChainEngine
from node.errors import NodeError
from node.ledger.cursor import position
from node.operations.facts import (
    CarrierFacts,
    ChainFacts,
    DiskFacts,
    Facts,
    IndexFacts,
)
from node.operations.peers import MemberPoll
from node.operations.queries import active_carriers, forced_of, streams_of, work_of
from node.operations.settings import OperationsSettings
from node.store.database import Database
from oracle.errors import OracleError

__all__ = ["ArrivalSource", "Observed", "Observer"]

_CARRIER_LOOKS = 8
"""Looks at the carriers within the silence that is allowed."""
_MOST_CARRIER_PAUSE_S = 300.0


class ArrivalSource(Protocol):
    """Where last arrivals of carriers can be looked up; an inbox's reader is one."""

    def last_arrivals(self) -> Sequence[tuple[str, int]]:
        """List identifier and time of the last arrival of every carrier. [unix s]."""
        ...


@dataclass(frozen=True, slots=True)
class Observed:
    """The parts that are looked at."""

    engine: ChainEngine
    ledger: Ledger
    database: Database
    members: MemberPoll
    folders: tuple[Path, ...]
    """Folders whose room counts."""
    arrivals: ArrivalSource | None
    """The inbox, None where the node reads none."""
    is_indexing: Callable[[], bool]
    """Whether the indexer runs."""


class Observer:
    """Looks at the parts of one node.

    Args:
        parts: The parts.
        settings: What is allowed.
    """

    def __init__(self, parts: Observed, settings: OperationsSettings) -> None:
        self._parts = parts
        self._settings = settings
        started = time.monotonic()
        self._moved_at = self._near_at = started
        self._height: int | None = None
        self._now = 0
        self._carriers: CarrierFacts | None = None
        self._carriers_at = float("-inf")  # ledger time, which a sandbox moves on

    def look(self) -> Facts:
        """Look at everything.

        Returns:
            What was found.
        """
        chain = self._chain()
        now = self._ledger_time(chain)
        found: dict[str, Any] = {"streams": (), "forced": (), "work": None}
        indexed, fault = None, ""
        try:
            with self._parts.database.reading() as connection:
                at = position(connection)
                indexed = at.number if at else None
                found["streams"] = streams_of(connection, now)
                found["forced"] = forced_of(connection, now)
                found["work"] = work_of(connection)
            self._look_at_carriers(now)
        except (NodeError, OracleError) as exc:
            fault = str(exc)
        return Facts(
            at=int(time.time()),
            chain=chain,
            index=self._index(chain.height, indexed),
            members=self._parts.members.ask(),
            carriers=self._carriers,
            disks=tuple(filter(None, map(_disk, self._parts.folders))),
            fault=fault,
            **found,
        )

    def _chain(self) -> ChainFacts:
        health = self._parts.engine.health()
        height = block_time = None
        message = health.message
        try:
            block = self._parts.ledger.client.block("latest")
        except ContractsError as exc:
            block, message = None, str(exc)
        if block is not None:
            height, block_time = block.number, block.timestamp
        is_idle = not health.pending
        if height is not None and (is_idle or height != self._height):
            self._moved_at = time.monotonic()
        self._height = height if height is not None else self._height
        stalled_s = time.monotonic() - self._moved_at
        state = health.state if height is not None else "recovering"
        return ChainFacts(state, message, height, block_time, health.pending, stalled_s)

    def _ledger_time(self, chain: ChainFacts) -> int:
        """Tell the ledger's time; it stands still while the embedded chain does."""
        try:
            self._now = max(self._parts.engine.clock.now(), chain.block_time or 0)
        except NodeError:
            self._now = max(self._now, chain.block_time or 0)
        return self._now

    def _index(self, height: int | None, indexed: int | None) -> IndexFacts:
        known = height is not None and indexed is not None
        lag = max(0, height - indexed) if known else None  # type: ignore[operator]  # both are known
        if lag is not None and lag <= self._settings.indexer_lag_blocks:
            self._near_at = time.monotonic()
        behind_s = time.monotonic() - self._near_at
        return IndexFacts(self._parts.is_indexing(), indexed, lag, behind_s)

    def _look_at_carriers(self, now: int) -> None:
        allowed_s, source = self._settings.carrier_silence_s, self._parts.arrivals
        pause_s = min(_MOST_CARRIER_PAUSE_S, allowed_s / _CARRIER_LOOKS)
        is_early = now - self._carriers_at < pause_s
        if source is None or not allowed_s or is_early:
            return
        with self._parts.database.reading() as connection:
            active = active_carriers(connection)
        heard = dict(source.last_arrivals())
        ages = ((name, now - heard.get(name, since)) for name, since in active.items())
        silent = sorted((one for one in ages if one[1] > allowed_s), key=_longest)
        self._carriers = CarrierFacts(len(active), tuple(silent))
        self._carriers_at = (
            now  # now alone: what failed is tried again at the next look
        )


def _longest(one: tuple[str, int]) -> tuple[int, str]:
    return -one[1], one[0]


def _disk(folder: Path) -> DiskFacts | None:
    try:
        usage, files = shutil.disk_usage(folder), os.statvfs(folder)
    except OSError:
        return None
    inodes = 100 * files.f_favail // files.f_files if files.f_files else 100
    return DiskFacts(str(folder), usage.free, usage.total, inodes)
