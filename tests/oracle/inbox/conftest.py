"""Inboxes on a temporary database, with a clock that the test sets."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from oracle.inbox.inbox import Inbox, InboxSettings
from oracle.reading.suites import SoftwareSigner
from tests.simulators.device import DOMAIN, START, DeviceSimulator, registry_of


class Clock:
    """A clock that stands until the test moves it."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock(START + 86_400)


@pytest.fixture
def member_key() -> SoftwareSigner:
    return SoftwareSigner(ec.generate_private_key(ec.SECP256R1()))


OpenInbox = Callable[..., Inbox]


@pytest.fixture
def open_inbox(
    tmp_path: Path, clock: Clock, member_key: SoftwareSigner
) -> Iterator[OpenInbox]:
    """Open an inbox for these devices; closed at the end of the test."""
    opened = []

    def open_one(
        *devices: DeviceSimulator, name: str = "inbox.db", **settings: object
    ) -> Inbox:
        chosen = {"workers": 0} | settings
        made = InboxSettings(tmp_path / name, DOMAIN, **chosen)
        opened.append(Inbox(made, registry_of(*devices), member_key, clock))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()
