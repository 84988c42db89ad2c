"""Carriers as the chain has them, and the batches their readings are in."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from contracts.hashing import keccak256
from node.errors import InvalidReferenceError
from node.store.facts import Batch, Carrier, CarrierKey, CarrierStatusChange
from node.store.read import Page, newest_first, newest_value, rows

__all__ = ["carrier_owner", "list_batches", "list_carriers", "one_batch", "one_carrier"]


def list_carriers(
    connection: Connection, scope: frozenset[str] | None, cursor: str | None, limit: int
) -> Page:
    """List carriers, the newest first.

    Args:
        connection: The transaction.
        scope: Owners whose carriers are listed, None for all.
        cursor: Where the page begins.
        limit: Most rows.

    Returns:
        Identifier, hash, owner, status and cut-off of each.
    """
    query = select(Carrier.__table__, *_status())
    if scope is not None:
        query = query.where(Carrier.owner.in_(scope))
    return newest_first(connection, query, Carrier, cursor, limit)


def carrier_owner(connection: Connection, identifier: str) -> str:
    """Give the account that owns a carrier.

    Args:
        connection: The transaction.
        identifier: The carrier's identifier.

    Returns:
        The owner's account.

    Raises:
        InvalidReferenceError: If there is no such carrier.
    """
    query = select(Carrier.owner).where(_is(identifier))
    owner = connection.execute(query).scalar()
    if owner is None:
        raise InvalidReferenceError(
            f"There is no carrier {identifier!r}; its identifier is "
            "<prefix>/<suffix> as registered."
        )
    return owner


def one_carrier(connection: Connection, identifier: str) -> dict[str, Any]:
    """Describe a carrier with its keys and channels.

    Args:
        connection: The transaction.
        identifier: Its identifier.

    Returns:
        As ``list_carriers``, and ``keys`` and ``channel_table`` (canonical JSON).

    Raises:
        InvalidReferenceError: If there is no such carrier.
    """
    carrier_owner(connection, identifier)
    query = select(Carrier.__table__, *_status()).where(_is(identifier))
    found = connection.execute(query).mappings().one()
    keys = (
        select(CarrierKey.__table__)
        .where(CarrierKey.identifier_hash == found["identifier_hash"])
        .order_by(CarrierKey.epoch)
    )
    return {**found, "keys": rows(connection, keys)}


def list_batches(
    connection: Connection, stream_id: bytes | None, cursor: str | None, limit: int
) -> Page:
    """List anchored batches, the newest first.

    Args:
        connection: The transaction.
        stream_id: Stream to list, 32 bytes; None for all.
        cursor: Where the page begins.
        limit: Most rows.

    Returns:
        The batches.
    """
    query = select(Batch.__table__)
    if stream_id is not None:
        query = query.where(Batch.stream_id == stream_id)
    return newest_first(connection, query, Batch, cursor, limit)


def one_batch(connection: Connection, stream_id: bytes, seq: int) -> dict[str, Any]:
    """Describe one batch.

    Args:
        connection: The transaction.
        stream_id: Its stream, 32 bytes.
        seq: Its number in the stream.

    Returns:
        The batch.

    Raises:
        InvalidReferenceError: If it is not anchored.
    """
    query = select(Batch.__table__).where(
        Batch.stream_id == stream_id, Batch.seq == seq
    )
    found = connection.execute(query).mappings().first()
    if found is None:
        raise InvalidReferenceError(
            f"Batch {seq} of stream 0x{stream_id.hex()} is not anchored."
        )
    return dict(found)


def _is(identifier: str) -> ColumnElement[bool]:
    return Carrier.identifier_hash == keccak256(identifier.encode())


def _status() -> tuple[ColumnElement[int], ColumnElement[int | None]]:
    change = CarrierStatusChange
    where = change.identifier_hash == Carrier.identifier_hash
    status = newest_value(change.status, where).label("status")
    return status, newest_value(change.cutoff_seq, where).label("cutoff_seq")
