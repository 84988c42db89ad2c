"""Inboxes on a temporary database, with a clock that the test sets."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from oracle.inbox.inbox import Inbox, InboxSettings
from oracle.reading.suites import SoftwareSigner
from tests.servers.postgresql import PostgresqlServer
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
AddressOf = Callable[[str], Path | str]

sqlite_only = pytest.mark.parametrize("address_of", ["sqlite"], indirect=True)
"""For faults that a test can only make in a file."""


@pytest.fixture(params=["sqlite", "postgresql"])
def address_of(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AddressOf]:
    """Name a database, the same for the same name: a file, or one in PostgreSQL."""
    if request.param == "sqlite":
        yield lambda name: tmp_path / name
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql_server")
    made: dict[str, str] = {}
    with ExitStack() as stack:

        def address(name: str) -> str:
            if name not in made:
                made[name] = stack.enter_context(server.database())
            return made[name]

        yield address


@pytest.fixture
def open_inbox(
    address_of: AddressOf, clock: Clock, member_key: SoftwareSigner
) -> Iterator[OpenInbox]:
    """Open an inbox for these devices; closed at the end of the test."""
    opened = []

    def open_one(
        *devices: DeviceSimulator, name: str = "inbox.db", **settings: object
    ) -> Inbox:
        chosen = {"workers": 0} | settings
        made = InboxSettings(address_of(name), DOMAIN, **chosen)
        opened.append(Inbox(made, registry_of(*devices), member_key, clock))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()
