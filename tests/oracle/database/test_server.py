"""The PostgreSQL server that tests use: any source, any user, nothing left behind."""

from pathlib import Path

import psycopg
import pytest

from tests.servers import postgresql
from tests.servers.postgresql import PostgresqlServer


class TestServer:
    def test_of_the_pinned_wheel_serves_where_the_system_has_none(
        self, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(postgresql, "_system_folders", list)
        with PostgresqlServer() as server:
            with server.database() as url:
                assert "passfile=" in url
            pid = int((server.folder / "data/postmaster.pid").read_text().split()[0])
            folder = server.folder
        assert not folder.exists()
        assert not Path(f"/proc/{pid}").exists()
        with pytest.raises(psycopg.OperationalError):
            server._connect("postgres")

    def test_that_cannot_be_had_names_the_command(
        self, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(postgresql, "_system_folders", list)
        monkeypatch.setattr(postgresql.importlib.util, "find_spec", lambda _: None)
        with pytest.raises(AssertionError, match="make install"):
            PostgresqlServer()
