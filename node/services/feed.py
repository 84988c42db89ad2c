"""The feed of events for one caller, resumable and honest about reorganisations."""

import json
import re
from collections import deque
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, or_, select, tuple_

from node.errors import InvalidRequestError
from node.services.caller import Caller
from node.store.facts import Block, Event
from node.store.read import rows

__all__ = ["FeedItem", "Follower", "Place", "parse_place"]

PUBLIC_EVENTS = (
    "AccountOpened",
    "BatchAnchored",
    "CodeIssued",
    "CodeRevoked",
    "ConfigurationSet",
    "DirectorySet",
    "Halted",
    "ReferencePriceSet",
    "RuleSet",
    "StreamOpened",
    "WorkingDaysSet",
)
"""Events that anybody may read."""

_PAGE = 200
_REMEMBERED = 256
_PLACE = re.compile(r"(\d{1,18})-(\d{1,9})-([0-9a-f]{16})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reader of the feed is: after this event of this very block."""

    block_number: int
    log_index: int
    block_mark: str
    """First 8 bytes of the block's hash, hexadecimal."""

    def __str__(self) -> str:
        """Write it as the id of a server-sent event."""
        return f"{self.block_number}-{self.log_index}-{self.block_mark}"


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One message of the feed."""

    name: str
    """The event's name, or ``rewind``."""
    data: str
    """JSON."""
    place: Place | None
    """Where the reader is after it; None starts from the beginning."""


def parse_place(text: str | None) -> Place | None:
    """Read the id of the last event that a reader has.

    Args:
        text: As the feed gave it; None or empty starts from the beginning.

    Returns:
        The place.

    Raises:
        InvalidRequestError: If it is no id of the feed.
    """
    if not text:
        return None
    match = _PLACE.fullmatch(text)
    if match is None:
        raise InvalidRequestError(
            f"Last-Event-ID: expected an id of this feed such as 12-0-{'0' * 16}, "
            f"given {text!r}; leave it out to start from the beginning."
        )
    return Place(int(match[1]), int(match[2]), match[3])


class Follower:
    """One reader's way along the feed.

    Args:
        caller: Who reads; decides which events are shown.
        place: The last event the reader has, None for none.
    """

    def __init__(self, caller: Caller, place: Place | None) -> None:
        self._caller = caller
        self._trail = deque([place] if place else [], maxlen=_REMEMBERED)

    def read(self, connection: Connection) -> list[FeedItem]:
        """Read what is new.

        Args:
            connection: The transaction.

        Returns:
            Messages in the order of the chain; a ``rewind`` first when events that
            the reader has are no longer on the chain.
        """
        if self._trail and not _is_there(connection, self._trail[-1]):
            return [self._rewind(connection)]
        found = rows(connection, self._query())
        items = [_item(row) for row in found]
        self._trail.extend(item.place for item in items if item.place)
        return items

    def _rewind(self, connection: Connection) -> FeedItem:
        while self._trail and not _is_there(connection, self._trail[-1]):
            self._trail.pop()
        place = self._trail[-1] if self._trail else None
        keep = place.block_number if place else -1
        data = {"forget_above_block": keep}
        return FeedItem("rewind", json.dumps(data), place)

    def _query(self) -> Any:
        query = (
            select(
                Event.block_number,
                Event.log_index,
                Event.tx_hash,
                Event.contract,
                Event.name,
                Event.arguments,
                Block.hash,
            )
            .join(Block, Block.block_number == Event.block_number)
            .order_by(Event.block_number, Event.log_index)
            .limit(_PAGE)
        )
        if self._trail:
            last = self._trail[-1]
            stamp = tuple_(Event.block_number, Event.log_index)
            query = query.where(stamp > (last.block_number, last.log_index))
        if self._caller.scope is None:
            return query
        mentions = [Event.arguments.contains(one) for one in self._caller.scope]
        return query.where(or_(Event.name.in_(PUBLIC_EVENTS), *mentions))


def _is_there(connection: Connection, place: Place) -> bool:
    query = select(Block.hash).where(Block.block_number == place.block_number)
    found = connection.execute(query).scalar()
    return found is not None and _mark(found) == place.block_mark


def _mark(block_hash: bytes) -> str:
    return block_hash[:8].hex()


def _item(row: dict[str, Any]) -> FeedItem:
    data = {
        "block_number": row["block_number"],
        "log_index": row["log_index"],
        "tx_hash": f"0x{row['tx_hash'].hex()}",
        "contract": row["contract"],
        "event": row["name"],
        "arguments": json.loads(row["arguments"]),
    }
    place = Place(row["block_number"], row["log_index"], _mark(row["hash"]))
    return FeedItem(row["name"], json.dumps(data, ensure_ascii=False), place)
