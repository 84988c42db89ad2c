"""One look at a running member, for its figures; a few small questions to its store."""

import shutil
import time
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import sqlalchemy as sa
from fastapi import FastAPI

from oracle.config import MemberSettings
from oracle.inbox.app import create_app
from oracle.inbox.inbox import Inbox
from oracle.inbox.results import Status
from oracle.inbox.tables import dead_letters, equivocations, readings, receipts
from oracle.member.desk import Desk
from oracle.member.follow import Follower
from oracle.member.gossip import Gossip
from oracle.member.leader import leader_of
from oracle.member.setup import receipt_signer
from oracle.member.votes import Voter
from oracle.operations.access import OperatorAccess
from oracle.operations.metrics import (
    Durations,
    MemberFigures,
    durations,
    member_registry,
)
from oracle.operations.pages import add_metrics

__all__ = ["MemberParts", "look_at", "status_of", "watched_inbox"]

_MOST_PENDING = 100_000
_TABLES = (readings, receipts, dead_letters, equivocations)


@dataclass(frozen=True, slots=True)
class MemberParts:
    """The parts of a member that are looked at."""

    desk: Desk
    inbox: Inbox
    follower: Follower
    voter: Voter
    gossip: Gossip
    settings: MemberSettings


def watched_inbox(parts: MemberParts) -> tuple[FastAPI, Durations]:
    """Build the inbox's application, with the member's figures beside.

    Args:
        parts: The member's parts.

    Returns:
        The application, and the durations that the member counts.

    Raises:
        InvalidSettingsError: The file of the operators' token cannot be used.
    """
    registry = member_registry(lambda: look_at(parts))
    access = OperatorAccess.from_file(parts.settings.metrics_token_file)
    app = create_app(parts.inbox)
    add_metrics(app, registry, access)
    return app, durations(registry)


def status_of(parts: MemberParts, chain_id: int) -> dict[str, Any]:
    """Tell what an operator may know of a member: progress, and what must agree.

    Args:
        parts: The member's parts.
        chain_id: The chain.

    Returns:
        Entries of the member's status.
    """
    position, view = parts.follower.position, parts.follower.view
    desk = parts.desk
    return {
        "member": parts.settings.name,
        "address": desk.key.address,
        "receipt_key": receipt_signer(desk.key).public_key.hex(),
        "batches": position.seq,
        "head": position.head.hex(),
        "batches_on_chain": view.next_seq,
        "last_ts": position.last_ts,
        "block": parts.follower.head.number,
        "round": parts.voter.round,
        "configuration": view.configuration.version,
        "votes_from": desk.memory.first_seq,
        "pending": desk.inbox.count_pending(_MOST_PENDING, desk.clock()),
        "conflict": parts.follower.conflict,
        "version": version("park-carbon-ledger"),
        "chain_id": chain_id,
        "configuration_digest": view.configuration_digest.hex(),
        "time": round(time.time(), 3),
    }


def look_at(parts: MemberParts) -> MemberFigures:
    """Look at a member.

    Args:
        parts: Its parts.

    Returns:
        Its figures.

    Raises:
        UnavailableInboxError: The database cannot be read.
    """
    follower, now = parts.follower, parts.desk.clock()
    view, position = follower.view, follower.position
    with parts.inbox.engine.connect() as connection:
        rows = {table.name: _last_row(connection, table) for table in _TABLES}
        size = _database_bytes(connection)
    last, reached = rows[readings.name], parts.gossip.reached
    since, tallies = max(position.last_ts, follower.adopted_at), parts.inbox.tallies
    return MemberFigures(
        answers={status.name.lower(): tallies[status] for status in Status},
        waiting=parts.inbox.waiting,
        rows=rows,
        pending=parts.desk.inbox.count_pending(_MOST_PENDING, now),
        gossip_rows={peer: max(0, last - row) for peer, row in reached.items()},
        batches=position.seq,
        batches_on_chain=view.next_seq,
        stream_age_s=max(0, now - since) if position.seq else 0,
        max_silence_s=view.max_silence_s or 0,
        block=follower.head.number,
        round=parts.voter.round,
        is_leader=_is_leader(parts),
        forced=len(view.forced),
        is_stopped=bool(follower.conflict),
        database_bytes=size,
        disk_free_bytes=shutil.disk_usage(parts.settings.data_dir).free,
    )


def _is_leader(parts: MemberParts) -> bool:
    configuration = parts.follower.view.configuration
    own = configuration.index_of(parts.desk.key.address)
    if own is None:
        return False
    members, seq = len(configuration.members), parts.follower.position.seq
    return leader_of(seq, parts.voter.round, members) == own


def _last_row(connection: sa.Connection, table: sa.Table) -> int:
    """Give the number of rows that were ever stored: one look at the key's index."""
    found = connection.execute(sa.select(sa.func.max(table.c.id))).scalar()
    return int(found or 0)


def _database_bytes(connection: sa.Connection) -> int:
    if connection.dialect.name == "postgresql":
        query = "select pg_database_size(current_database())"
    else:
        query = (
            "select page_count * page_size from pragma_page_count(), pragma_page_size()"
        )
    return int(connection.execute(sa.text(query)).scalar_one())
