"""Members over real TLS, with a private CA of the test."""

import json
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from oracle.config import MemberSettings, load_settings
from oracle.connection import TlsFiles, client_context
from oracle.errors import InvalidSettingsError, UnavailableMemberError
from oracle.member.checkup import check_member
from oracle.member.envelope import Mailroom
from oracle.member.transport import HttpPeers
from tests.simulators.oracle_park import (
    OraclePark,
    member_key,
    settings_toml,
    wait_until,
)
from tests.simulators.private_ca import PrivateCa


def minimal(**changes: Any) -> MemberSettings:
    here = Path("/nowhere")
    required = {
        "name": "m",
        "data_dir": here,
        "stream": "s",
        "key_file": here,
        "passphrase_file": here,
        "rpc_url": "http://127.0.0.1:1",
        "deployment_file": here,
    }
    return MemberSettings(**required | changes)


class TestSettings:
    @pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.1", "::"])  # noqa: S104  # refused
    def test_plain_http_beyond_the_machine_is_refused(self, host: str):
        with pytest.raises(InvalidSettingsError, match="without TLS"):
            minimal(host=host)
        assert minimal(host=host, allow_plain=True).host == host

    def test_a_peer_beyond_the_machine_needs_https(self):
        with pytest.raises(InvalidSettingsError, match="would be asked without TLS"):
            minimal(peers={"0x1": "http://member.example:1"})
        assert minimal(peers={"0x1": "https://member.example:1"}).peers
        assert minimal(peers={"0x1": "http://127.0.0.1:1", "0x2": "http://[::1]:1"})

    def test_half_of_the_files_is_refused(self):
        with pytest.raises(InvalidSettingsError, match=r"\[tls\] needs"):
            minimal(certificate_file=Path("a"), certificate_key_file=Path("b"))


class Scene:
    """Four members behind TLS, and what a visitor may hold."""

    def __init__(self, park: OraclePark, folder: Path) -> None:
        self.park = park
        self.ca = PrivateCa(folder)
        self.urls = {
            member_key(i).address: f"https://127.0.0.1:{port}"
            for i, port in enumerate(park.ports)
        }

    def changes(self, index: int) -> dict[str, Any]:
        own = self.ca.identity(f"member-{index}")
        peers = dict(self.urls)
        del peers[member_key(index).address]
        return {
            "certificate_file": own.certificate,
            "certificate_key_file": own.key,
            "ca_file": self.ca.file,
            "peers": peers,
        }

    def http(self, index: int, context: ssl.SSLContext | str) -> httpx.Client:
        url = self.urls[member_key(index).address]
        trusted = (
            context
            if isinstance(context, ssl.SSLContext)
            else ssl.create_default_context(cafile=context)
        )
        return httpx.Client(base_url=url, verify=trusted, trust_env=False, timeout=10)


@pytest.fixture
def scene(park: OraclePark, tmp_path: Path) -> Iterator[Scene]:
    made = Scene(park, tmp_path)
    nodes = [park.node(index, **made.changes(index)) for index in range(4)]
    try:
        for node in nodes:
            node.start()
        yield made
    finally:
        for node in nodes:
            node.stop()


class TestMembers:
    def test_anchor_and_let_in_nobody_else(
        self, scene: Scene, park: OraclePark, tmp_path: Path
    ):
        self.check_an_anchored_reading(scene, park)
        self.check_envelopes_need_a_certificate(scene)
        self.check_other_authorities_get_no_connection(scene, tmp_path)
        self.check_the_dry_run_asks_over_tls(scene, park)

    def check_an_anchored_reading(self, scene: Scene, park: OraclePark) -> None:
        """A carrier without certificate delivers; the members' rounds run over TLS."""
        device = park.device("m")
        raw = device.next(ts=int(time.time()) - 60)
        with scene.http(0, str(scene.ca.file)) as carrier:

            def deliver() -> bool:
                headers = {"content-type": "application/cbor-seq"}
                path = "/readings/batch"
                answer = carrier.post(path, content=raw, headers=headers)
                return answer.status_code == httpx.codes.OK and park.anchored() > 0

            wait_until(deliver, 60, 0.3)

    def check_envelopes_need_a_certificate(self, scene: Scene) -> None:
        """Even a member's own signature does not get in without a certificate."""
        domain = scene.park.deployment.domain("ReadingAnchor")
        room = Mailroom(member_key(1).private, domain, time.time)
        sealed = room.seal(member_key(0).address, "bodies", b"")
        with scene.http(0, str(scene.ca.file)) as http:
            answer = http.post("/bodies", content=sealed)
            assert answer.status_code == 403
            assert "certificate of their CA" in answer.json()["error"]
            found = http.get("/status").json()["address"]
            assert found == member_key(0).address
        own = scene.ca.identity("visitor")
        files = TlsFiles(own.certificate, own.key, scene.ca.file)
        peers = HttpPeers(room, scene.urls, 5, files)
        try:
            assert peers.ask(member_key(0).address, "bodies", b"") == b"\x80"
        finally:
            peers.close()

    def check_other_authorities_get_no_connection(
        self, scene: Scene, folder: Path
    ) -> None:
        (folder / "other").mkdir()
        other = PrivateCa(folder / "other")
        forged = other.identity("member-1")
        context = client_context(
            TlsFiles(forged.certificate, forged.key, scene.ca.file)
        )
        with scene.http(0, context) as http, pytest.raises(httpx.TransportError):
            http.get("/status")
        room = Mailroom(member_key(1).private, bytes(32), time.time)
        files = TlsFiles(forged.certificate, forged.key, other.file)
        peers = HttpPeers(room, scene.urls, 5, files)  # trusts the other CA alone
        try:
            with pytest.raises(UnavailableMemberError, match="verify failed"):
                peers.ask(member_key(0).address, "bodies", b"")
        finally:
            peers.close()

    def check_the_dry_run_asks_over_tls(self, scene: Scene, park: OraclePark) -> None:
        findings = check_member(park.settings(3, **scene.changes(3)))
        peers = [one for one in findings if one.subject.startswith("peer")]
        assert len(peers) == 3
        assert all(one.is_good for one in peers), findings


def test_settings_are_read_from_their_table(park: OraclePark, tmp_path: Path):
    own = PrivateCa(tmp_path).identity("m")
    table = {"certificate_file": own.certificate, "certificate_key_file": own.key}
    table["ca_file"] = tmp_path / "ca.crt"
    lines = [f"{name} = {json.dumps(str(path))}" for name, path in table.items()]
    path = tmp_path / "member.toml"
    path.write_text(settings_toml(park.settings(0)) + "\n".join(["[tls]", *lines, ""]))
    found = load_settings(path)
    assert found.tls == TlsFiles(own.certificate, own.key, tmp_path / "ca.crt")
    assert found.url.startswith("https://127.0.0.1:")
