"""Tables of the alarms: which are raised, and every notice of a change.

A change and its notice commit together; the notice is the outbox row of what is told
to the outside, and the history. Nothing here comes from the chain; a reindex leaves it.
"""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from node.store.schema import Base

__all__ = ["Alarm", "AlarmNotice"]


class Alarm(Base):
    """An alarm that is raised now."""

    __tablename__ = "alarms"
    kind: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    """What it is about: a stream, a carrier, a member, a folder."""
    raised_at: Mapped[int]
    """Wall time. [unix s]"""
    figures: Mapped[str]
    """JSON object: the figures of its sentence, as they were when it was raised."""


class AlarmNotice(Base):
    """A change of an alarm, told to the outside at least once."""

    __tablename__ = "alarm_notices"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str]
    subject: Mapped[str]
    change: Mapped[str]
    """``raised`` or ``cleared``."""
    at: Mapped[int]
    """Wall time. [unix s]"""
    figures: Mapped[str]
    """JSON object: the figures of its sentence."""
    delivered_at: Mapped[int | None]
    """Wall time of the delivery, or of the decision that nobody is told. [unix s]"""
    __table_args__ = (Index("ix_alarm_notices_delivered_at", "delivered_at"),)
