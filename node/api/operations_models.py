"""What the API says of health and alarms; sentences come in every language."""

from typing import Any, Literal

from node.api.models import Model

__all__ = ["AlarmModel", "AlarmsModel", "HealthModel", "NoticeModel", "PartModel"]


class PartModel(Model):
    """A part of the node and its light."""

    name: str
    subject: str
    light: Literal["green", "yellow", "red"]
    figures: dict[str, str]
    sentence: dict[str, str]
    advice: dict[str, str]
    """What to do; empty where nothing is."""


class HealthModel(Model):
    """The node's health; its light is the worst of its parts."""

    light: Literal["green", "yellow", "red"]
    at: int
    """When the node was looked at. [unix s]"""
    parts: list[PartModel]


class AlarmModel(Model):
    """A raised alarm."""

    kind: str
    subject: str
    raised_at: int
    figures: dict[str, Any]
    sentence: dict[str, str]


class NoticeModel(Model):
    """A change of an alarm."""

    id: int
    kind: str
    subject: str
    change: Literal["raised", "cleared"]
    at: int
    delivered_at: int | None
    figures: dict[str, Any]
    sentence: dict[str, str]


class AlarmsModel(Model):
    """Raised alarms, the oldest first, and the latest notices, the newest first."""

    raised: list[AlarmModel]
    notices: list[NoticeModel]
