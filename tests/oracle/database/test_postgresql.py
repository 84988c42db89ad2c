"""PostgreSQL is as strict as a file: durable, one writer, errors in a sentence."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import ec

from oracle.config import load_settings
from oracle.database.address import parse_address, shown
from oracle.errors import (
    ConflictDatabaseError,
    InvalidSettingsError,
    UnavailableInboxError,
)
from oracle.inbox.inbox import Inbox, InboxSettings
from oracle.inbox.results import Status
from oracle.inbox.store import open_engine
from oracle.reading.suites import SoftwareSigner
from tests.servers.postgresql import PostgresqlServer
from tests.simulators.device import DOMAIN, START, DeviceSimulator, registry_of

SIGNER = SoftwareSigner(ec.derive_private_key(7, ec.SECP256R1()))


@pytest.fixture
def device() -> DeviceSimulator:
    return DeviceSimulator()


@contextmanager
def inbox_at(address: str, device: DeviceSimulator) -> Iterator[Inbox]:
    settings = InboxSettings(address, DOMAIN, workers=0)
    with Inbox(settings, registry_of(device), SIGNER, lambda: START) as one:
        yield one


def accepts(inbox: Inbox, messages: list[bytes]) -> bool:
    good = {Status.ACCEPTED, Status.REPLAYED}
    return {one.status for one in inbox.submit(messages)} <= good


def accepts_in_the_end(inbox: Inbox, messages: list[bytes]) -> bool:
    """Send as a carrier does: again after every answer that says so."""
    for _ in range(20):
        try:
            return accepts(inbox, messages)
        except UnavailableInboxError:
            continue
    return False


class TestDurability:
    def test_a_server_that_may_lose_commits_is_refused(
        self, postgresql_server: PostgresqlServer, postgresql_url: str
    ):
        name = shown(postgresql_url).rsplit("/", 1)[1]
        change = f"ALTER DATABASE {name} SET synchronous_commit = off"
        postgresql_server.execute(change)
        wanted = "synchronous_commit = off, expected on: what is acknowledged"
        with pytest.raises(InvalidSettingsError, match=wanted):
            open_engine(postgresql_url)

    def test_a_server_that_changes_its_mind_is_refused_at_the_next_connection(
        self, postgresql_server: PostgresqlServer, postgresql_url: str
    ):
        engine = open_engine(postgresql_url)
        name = shown(postgresql_url).rsplit("/", 1)[1]
        change = f"ALTER DATABASE {name} SET synchronous_commit = off"
        postgresql_server.execute(change)
        engine.dispose()
        with pytest.raises(InvalidSettingsError, match="synchronous_commit = off"):
            engine.connect()

    def test_what_was_acknowledged_survives_power_cuts_of_the_server(
        self,
        postgresql_server: PostgresqlServer,
        postgresql_url: str,
        device: DeviceSimulator,
    ):
        sent: list[bytes] = []
        with inbox_at(postgresql_url, device) as inbox:
            for _ in range(3):
                messages = device.series(40)
                assert accepts_in_the_end(inbox, messages)
                sent += messages
                postgresql_server.stop(signal.SIGQUIT)
                postgresql_server.start()
            assert accepts_in_the_end(inbox, [device.next()])
            stored = {one.raw for one in inbox.stored.pending(1000)}
        assert stored >= set(sent)
        assert len(stored) == len(sent) + 1


class TestOneWriter:
    def test_a_second_inbox_on_a_database_is_refused(
        self, database_url: str, device: DeviceSimulator
    ):
        with (
            inbox_at(database_url, device) as inbox,
            pytest.raises(ConflictDatabaseError, match="another process holds"),
            inbox_at(database_url, device),
        ):
            assert accepts(inbox, [device.next()])

    def test_the_next_inbox_finds_the_database_free(
        self, database_url: str, device: DeviceSimulator
    ):
        for _ in range(2):
            with inbox_at(database_url, device) as inbox:
                assert accepts(inbox, [device.next()])

    def test_one_that_lost_its_claim_starts_over(
        self,
        postgresql_server: PostgresqlServer,
        postgresql_url: str,
        device: DeviceSimulator,
    ):
        with inbox_at(postgresql_url, device) as inbox:
            first, second = [device.next()], [device.next()]
            assert accepts(inbox, first)
            postgresql_server.execute(_end_of(inbox))
            with pytest.raises(UnavailableInboxError, match="is back: send again"):
                inbox.submit(second)
            assert accepts(inbox, second)
            assert inbox.stored.counts()["readings"] == 2

    def test_one_whose_claim_was_taken_writes_nothing_more(
        self,
        postgresql_server: PostgresqlServer,
        postgresql_url: str,
        device: DeviceSimulator,
    ):
        with inbox_at(postgresql_url, device) as inbox:
            assert accepts(inbox, [device.next()])
            postgresql_server.execute(_end_of(inbox))
            with inbox_at(postgresql_url, device) as other:
                with pytest.raises(
                    ConflictDatabaseError, match="another process holds"
                ):
                    inbox.submit([device.next()])
                assert other.stored.counts()["readings"] == 1
            assert accepts_in_the_end(inbox, [device.next()])


def _end_of(inbox: Inbox) -> str:
    """Cut the connection that holds an inbox's claim, as a network does."""
    process = inbox._claim._process  # type: ignore[attr-defined]  # that of PostgreSQL
    return f"SELECT pg_terminate_backend({process}, 5000)"


class TestFaults:
    def test_a_wrong_password_is_named(
        self, postgresql_server: PostgresqlServer, tmp_path: Path
    ):
        passfile = tmp_path / "passfile"
        passfile.touch(mode=0o600)
        passfile.write_text("*:*:*:*:wrong\n")
        url = postgresql_server.url().split("passfile=")[0] + f"passfile={passfile}"
        with pytest.raises(UnavailableInboxError, match=r"refuses this user.*password"):
            open_engine(url)

    def test_an_absent_database_is_named(self, postgresql_server: PostgresqlServer):
        with pytest.raises(UnavailableInboxError, match="createdb"):
            open_engine(postgresql_server.url("nowhere"))

    def test_a_server_that_is_down_is_named(
        self, postgresql_server: PostgresqlServer, free_port: int
    ):
        url = postgresql_server.url().replace(
            f":{postgresql_server.port}/", f":{free_port}/"
        )
        with pytest.raises(UnavailableInboxError, match="start the server"):
            open_engine(url)

    @pytest.mark.parametrize(
        ("state", "words"),
        [
            ("53100", "is full: free space"),
            ("57P01", "cannot be reached"),
            ("XX001", "is damaged"),
        ],
    )
    def test_what_the_server_says_becomes_a_sentence(
        self, postgresql_url: str, device: DeviceSimulator, state: str, words: str
    ):
        """The server itself raises these states, from a trigger."""
        with inbox_at(postgresql_url, device) as inbox:
            engine = sa.create_engine(parse_address(postgresql_url))
            with engine.begin() as connection:
                connection.exec_driver_sql(_trigger(state))
            with pytest.raises(
                (UnavailableInboxError, ConflictDatabaseError), match=words
            ) as refused:
                inbox.submit([device.next()])
            assert "nothing was acknowledged" in str(refused.value)
            with engine.begin() as connection:
                connection.exec_driver_sql("DROP TRIGGER fault ON readings")
            engine.dispose()
            assert inbox.stored.counts()["readings"] == 0


def _trigger(state: str) -> str:
    return f"""
        CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'made by a test' USING ERRCODE = '{state}'; END $$;
        CREATE TRIGGER fault BEFORE INSERT ON readings EXECUTE FUNCTION fault()"""


class TestDamage:
    def test_of_a_page_is_named_with_its_remedy(
        self,
        postgresql_server: PostgresqlServer,
        postgresql_url: str,
        device: DeviceSimulator,
    ):
        """The server's checksums find the byte; the inbox says what to do."""
        with inbox_at(postgresql_url, device) as inbox:
            assert accepts(inbox, device.series(20))
            with inbox.engine.connect() as connection:
                query = "SELECT pg_relation_filepath('readings')"
                where = str(connection.exec_driver_sql(query).scalar_one())
        postgresql_server.stop()
        path = postgresql_server.folder / "data" / where
        data = bytearray(path.read_bytes())
        data[4000] ^= 1
        path.write_bytes(data)
        postgresql_server.start()
        with (
            inbox_at(postgresql_url, device) as inbox,
            pytest.raises(ConflictDatabaseError, match="carbon-oracle rebuild"),
        ):
            inbox.stored.pending(100)


Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a member's settings with a database URL."""

    def written(url: str) -> Path:
        path = tmp_path / "member.toml"
        names = ("name", "data_dir", "stream", "key_file", "passphrase_file")
        lines = [f'{name} = "x"' for name in names]
        chain = ["[chain]", 'rpc_url = "http://127.0.0.1:1"', 'deployment_file = "d"']
        text = ["[member]", *lines, f'database_url = "{url}"', *chain, ""]
        path.write_text("\n".join(text))
        return path

    return written


class TestAddresses:
    def test_of_settings_carry_no_password(self, write: Write):
        path = write("postgresql+psycopg://me:secret@127.0.0.1/park")
        with pytest.raises(InvalidSettingsError, match="passfile") as refused:
            load_settings(path)
        assert "secret" not in str(refused.value)

    def test_name_a_password_file_that_nobody_else_reads(
        self, write: Write, tmp_path: Path
    ):
        passfile = tmp_path / "passfile"
        url = f"postgresql+psycopg://me@127.0.0.1/park?passfile={passfile}"
        with pytest.raises(InvalidSettingsError, match="cannot be read"):
            load_settings(write(url))
        passfile.touch(mode=0o644)
        with pytest.raises(InvalidSettingsError, match="mode 644, expected 600"):
            load_settings(write(url))
        passfile.chmod(0o600)
        assert load_settings(write(url)).database_url == url

    @pytest.mark.parametrize("url", ["park", "mysql://127.0.0.1/park", ":::"])
    def test_of_no_known_kind_are_refused(self, write: Write, url: str):
        with pytest.raises(InvalidSettingsError, match="database_url"):
            load_settings(write(url))

    def test_are_shown_without_what_follows_them(self):
        url = "postgresql+psycopg://me@db.example:5432/park?passfile=/secret/place"
        assert shown(url) == "postgresql+psycopg://me@db.example:5432/park"
