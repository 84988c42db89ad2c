"""Status of the node, and the stream of new facts."""

import time
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from typing import Annotated, Any

import anyio
import anyio.lowlevel
from fastapi import APIRouter, Header, Request
from fastapi.concurrency import run_in_threadpool
from sse_starlette import EventSourceResponse, ServerSentEvent

from node.api.access import Anyone, Parts, PartsOf
from node.api.models import StatusModel
from node.services.feed import FeedItem, Follower, parse_place
from node.services.status import node_status

router = APIRouter(tags=["status"])

_POLL_S = 0.25
STREAM_LIFE_S = 900.0
"""Longest life of one stream. [s]"""


@router.get("/status", response_model=StatusModel)
def get_status(parts: PartsOf) -> Any:
    """Say how chain, index and engine are, and where the contracts are."""
    return node_status(parts.database, parts.ledger, parts.engine, parts.permissions())


@router.get("/events", response_class=EventSourceResponse)
async def stream_events(
    request: Request,
    parts: PartsOf,
    caller: Anyone,
    last_event_id: Annotated[str | None, Header()] = None,
) -> EventSourceResponse:
    """Stream facts as the index takes them in.

    Send the id of the last event as ``Last-Event-ID`` to go on from there. An event
    ``rewind`` says above which block everything must be forgotten, because the chain
    was reorganised. Without login only public events come.
    """
    follower = Follower(caller, parse_place(last_event_id))
    slots, is_known = request.app.state.streams, caller.address is not None
    slots.require(is_known)
    events = _stream(parts, follower, slots.taken(is_known))
    return EventSourceResponse(events, ping=15)


async def _stream(
    parts: Parts, follower: Follower, place: AbstractContextManager[None]
) -> AsyncIterator[ServerSentEvent]:
    """Read on until the reader leaves, the node stops or the stream's life is over.

    A reader comes back with ``Last-Event-ID``; what it may see is looked up anew then.
    """
    end = time.monotonic() + STREAM_LIFE_S
    with place:
        async for event in _events(parts, follower, end):
            yield event


async def _events(
    parts: Parts, follower: Follower, end: float
) -> AsyncIterator[ServerSentEvent]:
    while not parts.is_stopping() and time.monotonic() < end:
        items = await run_in_threadpool(_read, parts, follower)
        for item in items:
            place = str(item.place) if item.place else ""
            yield ServerSentEvent(item.data, event=item.name, id=place)
            await anyio.lowlevel.checkpoint()  # notices a reader who left
        if not items:
            await anyio.sleep(_POLL_S)


def _read(parts: Parts, follower: Follower) -> list[FeedItem]:
    with parts.database.reading() as connection:
        return follower.read(connection)
