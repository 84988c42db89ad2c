"""What every test may use: the data folder, free ports, and a closed network."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import wallet.secret_storage  # noqa: F401  first, so that no test raises the recursion limit
from tests.servers import chain
from tests.servers.postgresql import PostgresqlServer

ROOT = Path(__file__).resolve().parent.parent
EMBEDDED_ONLY = {
    "tests/node/engine/": "is about the embedded chain itself",
    "tests/node/gate/": "the gate before the journal, and one before an address",
    "tests/node/backup/": "backs up the embedded chain's journal",
    "tests/node/portability/": "moves a ledger between both engines by itself",
    "tests/node/upgrade/": "needs a clock that can be set: governance waits days",
    "tests/node/test_kill_node.py": "kills the embedded chain with its node",
    "tests/node/test_reorganisations.py": "avalanchego never takes a block back",
    "tests/node/test_rolled_back.py": "rolls the embedded chain's journal back",
    "tests/end_to_end/test_node_kill.py": "kills the embedded chain with its node",
    "tests/end_to_end/test_demo.py": "the demo's clock runs a month in a minute",
    "tests/end_to_end/test_deliveries.py": "compares equal chains, one a schedule",
}
"""Folder or file → why its tests do not run on a network."""


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of input data (setting DATA); leaves the test out without it."""
    folder = Path(os.environ.get("DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"left out: the data folder {folder.name!r} (DATA) is not here")
    return folder


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let one option choose the chain under all tests."""
    parser.addoption(
        "--engine",
        choices=("embedded", "avalanche"),
        default="embedded",
        help="the chain that tests run on: embedded, or a network of five validators",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Tell the chain's fixtures what was chosen."""
    chain.choose(config.getoption("--engine"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what the chosen chain cannot do, with the reason."""
    for item in items:
        place = item.path.relative_to(ROOT).as_posix()
        for start, reason in EMBEDDED_ONLY.items():
            if place.startswith(start):
                item.add_marker(pytest.mark.embedded_only(reason))
        marker = item.get_closest_marker("embedded_only")
        if marker is not None and not chain.is_embedded():
            item.add_marker(pytest.mark.skip(f"embedded_only: {marker.args[0]}"))


def pytest_unconfigure() -> None:
    """Stop the network of this process, if a test started one."""
    chain.close()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say in one line what the absence of the data folder left out."""
    skipped = terminalreporter.stats.get("skipped", [])
    left_out = [one for one in skipped if "left out" in str(one.longrepr)]
    if left_out:
        terminalreporter.write_line(
            f"{len(left_out)} corpus tests left out: the data folder is not here; name "
            "it with DATA=/path to run them"
        )


@pytest.fixture
def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    """A real PostgreSQL server, started when the first test asks for it."""
    with PostgresqlServer() as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql_server: PostgresqlServer) -> Iterator[str]:
    """Address of a fresh PostgreSQL database, as a `database_url` setting takes it."""
    with postgresql_server.database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of a fresh database, once of each kind that the product supports."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/database.sqlite"
    return str(request.getfixturevalue("postgresql_url"))


@pytest.fixture(autouse=True, scope="session")
def only_loopback() -> Iterator[None]:
    """Refuse every connection that would leave this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else "localhost"
        if host not in {"127.0.0.1", "::1", "localhost"}:
            raise OSError(f"tests reach loopback only, asked for {host}")
        connect(self, address)  # type: ignore[arg-type]  # as given

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield
