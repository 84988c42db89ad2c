"""A member's database made anew from chain, peers, and what can be read of the old one.

    damaged or gone ─► set aside ─► new, votes lost ─► salvage ─► catch up ─► statements
                                                          │           │            │
                       readings that verify again ◄───────┘           │            │
                       batches whose root is the anchored one ◄───────┘            │
                       statements that compute to the recorded report ◄────────────┘

Rules kept: what was there is set aside, never deleted; nothing is believed: a salvaged
reading passes all checks anew, a peer's batch counts by its anchored root, a statement
by its recorded report; the votes are lost in any case, so the member stays silent for
the number in flight (`oracle.member.memory`). Safe to kill: run again, it goes on where
it was. Gone for good is what only this member had: readings that it had acknowledged
and nobody else has yet, where the old file cannot be read; their number is not known,
and the report says so.
"""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from oracle.config import MemberSettings
from oracle.database.aside import damaged_files, file_of, set_aside
from oracle.database.salvage import salvage_rows
from oracle.errors import ConflictDatabaseError, InvalidProposalError, OracleError
from oracle.inbox.results import Status
from oracle.inbox.store import open_engine
from oracle.member.keys import MemberKey
from oracle.member.member import MemberNode
from oracle.member.setup import database_of, open_memory
from oracle.member.soundness import check_database

logger = logging.getLogger(__name__)

SALVAGE_MESSAGES = 1_000
"""Messages that are verified and stored at a time."""
PATIENCE_S = 30.0
"""How long a rebuild waits for a peer to give what is missing. [s]"""
_GOOD = {Status.ACCEPTED, Status.REPLAYED}

Progress = Callable[[str, int, int], None]
"""What is under way, how far it is, and how far it goes."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild found and made."""

    set_aside: str | None
    """Where the old database is; None if there was none or it is sound."""
    reason: str
    """Why it was set aside; empty if it was not."""
    salvaged: int
    """Readings of the old database that verified again."""
    rejected: int
    """Messages of the old database that did not."""
    batches: int
    """Batches whose root is the anchored one."""
    readings: int
    """Readings in the database."""
    statements: int
    """Statements that compute to the recorded report."""
    votes_from: int
    """First batch that the member votes for again."""

    def to_text(self) -> str:
        """Say it in lines for a person."""
        lines = [
            f"batches     {self.batches}, each with the anchored root",
            f"readings    {self.readings}, of which {self.salvaged} were salvaged",
            f"statements  {self.statements}, each computes to the recorded report",
            f"votes       again from batch {self.votes_from} on",
        ]
        if self.set_aside:
            lines.insert(0, f"set aside   {self.set_aside} ({self.reason})")
        if self.rejected:
            lines.append(f"rejected    {self.rejected} messages that do not verify")
        if self.set_aside or self.reason:
            lines.append(
                "look after  readings that only this member had and that could not be "
                "read are gone; ask the carriers for gaps"
            )
        return "\n".join(lines)


def rebuild_member(
    settings: MemberSettings, progress: Progress, key: MemberKey | None = None
) -> Rebuilt:
    """Make a member's database anew.

    Args:
        settings: The member's settings; the member does not run.
        progress: Is told how far it is.
        key: The member's key; None opens the key file of the settings.

    Returns:
        What was found and made.

    Raises:
        ConflictDatabaseError: The member runs, or its database cannot be set aside.
        InvalidProposalError: A peer is missing, or a batch or statement is another
            than the chain's.
        ContractsError: The chain does not answer.
    """
    where, reason = _make_room(settings)
    _lose_votes(settings)
    node = MemberNode(settings, key=key)
    try:
        node.follower.follow()
        salvaged, rejected = _salvage(settings, node, progress)
        _catch_up(node, progress)
        statements = _recompute(node, progress)
        counts = node.inbox.stored.counts()
        return Rebuilt(
            set_aside=where,
            reason=reason,
            salvaged=salvaged,
            rejected=rejected,
            batches=node.follower.position.seq,
            readings=counts["readings"],
            statements=statements,
            votes_from=int(node.status()["votes_from"]),
        )
    finally:
        node.stop()


def _make_room(settings: MemberSettings) -> tuple[str | None, str]:
    """Set a database aside that is damaged or contradicts itself."""
    address = database_of(settings)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    try:
        engine = open_engine(address)
    except ConflictDatabaseError as exc:
        return set_aside(address), str(exc)
    try:
        faults = check_database(engine, address)
    except ConflictDatabaseError as exc:
        faults = [str(exc)]
    finally:
        engine.dispose()
    if not faults:
        return None, ""
    return set_aside(address), "; ".join(faults)


def _lose_votes(settings: MemberSettings) -> None:
    """Note in a new database that there were votes, before anything else is in it."""
    engine = open_engine(database_of(settings))
    try:
        memory = open_memory(settings, engine)
        if not memory.is_known():
            memory.lose()
    finally:
        engine.dispose()


# ------------------------------------------------------------------------- readings


def _salvage(
    settings: MemberSettings, node: MemberNode, progress: Progress
) -> tuple[int, int]:
    """Take in again what can be read of files set aside and verifies."""
    path = file_of(database_of(settings))
    good = bad = 0
    for damaged in damaged_files(path) if path else []:
        done = damaged.with_name(f"{damaged.name}.salvaged")
        if done.exists():
            continue
        messages = _messages(damaged)
        while part := list(islice(messages, SALVAGE_MESSAGES)):
            results = node.inbox.submit(part)
            accepted = sum(one.status in _GOOD for one in results)
            good, bad = good + accepted, bad + len(part) - accepted
            progress("salvaging readings", good + bad, 0)
        done.touch()  # a second run does not read it again
    return good, bad


def _messages(path: Path) -> Iterator[bytes]:
    for table, columns in (
        ("readings", ("raw",)),
        ("equivocations", ("stored_raw", "raw")),
    ):
        for row in salvage_rows(path, table, ", ".join(columns)):
            yield from (one for one in row if isinstance(one, bytes))


# ------------------------------------------------------------------ batches, results


def _catch_up(node: MemberNode, progress: Progress) -> None:
    """Adopt every anchored batch, each verified in full."""
    waited_until = time.monotonic() + PATIENCE_S
    while True:
        adopted = node.follower.follow()
        position, view = node.follower.position, node.follower.view
        progress("batches", position.seq, view.next_seq)
        if node.follower.conflict is not None:
            raise InvalidProposalError("rebuild", "batches", node.follower.conflict)
        if position.seq >= view.next_seq:
            break
        if adopted:
            waited_until = time.monotonic() + PATIENCE_S
        elif time.monotonic() > waited_until:
            expected = f"a peer that gives batch {position.seq} of {view.next_seq}"
            given = "none: start another member and run the same command again"
            raise InvalidProposalError("rebuild", expected, given)
        else:
            time.sleep(0.2)


def _recompute(node: MemberNode, progress: Progress) -> int:
    """Compute every recorded statement again, and keep it if it is the recorded one."""
    recorded = list(node.follower.view.statements)
    for count, statement in enumerate(recorded, 1):
        try:
            node.statements.restore(statement)
        except OracleError as exc:
            expected = f"statement {statement.hex()} as it was recorded"
            raise InvalidProposalError("rebuild", expected, str(exc)) from exc
        progress("statements", count, len(recorded))
    return len(recorded)
