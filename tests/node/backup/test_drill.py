"""A restore drill: back up while readings flow, lose everything, restore, go on."""

import hashlib
import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from node.config import load_settings
from node.run import run_node
from oracle.config import load_settings as load_member_settings
from oracle.errors import InvalidProposalError
from oracle.inbox.results import Status, decode_results
from oracle.member.ballot import Subject
from oracle.member.member import MemberNode
from tests.node.backup.conftest import House
from tests.simulators.commands import run
from tests.simulators.device import DeviceSimulator
from tests.simulators.oracle_park import member_key, wait_until
from tests.simulators.repeating import repeating

A_REQUEST = 8
"""Readings of one delivery."""


class Flow:
    """Delivers readings, request after request, and keeps what was acknowledged."""

    def __init__(self, house: House, device: DeviceSimulator) -> None:
        self._url = f"http://127.0.0.1:{house.park.ports[0]}/readings/batch"
        self._device = device
        self.acknowledged: list[tuple[float, bytes]] = []
        """When each reading was acknowledged, and its SHA-256."""

    def deliver(self) -> None:
        raws = self._device.series(A_REQUEST)
        headers = {"content-type": "application/cbor-seq"}
        body = b"".join(raws)
        answer = httpx.post(
            self._url, content=body, headers=headers, timeout=20, trust_env=False
        )
        statuses = {one.status for one in decode_results(answer.content)}
        assert statuses == {Status.ACCEPTED}
        now = time.time()
        self.acknowledged += [(now, hashlib.sha256(raw).digest()) for raw in raws]


def stored(database: Path) -> set[bytes]:
    with closing(sqlite3.connect(database)) as member:
        return {
            hashlib.sha256(raw).digest()
            for (raw,) in member.execute("SELECT raw FROM readings")
        }


def test_a_node_lost_while_readings_flow_is_back_from_its_backup(
    house: House, key: tuple[Path, str], tmp_path: Path
):
    identity, recipient = key
    device = house.park.device("m1")
    flow = Flow(house, device)
    archive, target = tmp_path / "one.backup", tmp_path / "restored"
    with house.park.running():
        wait_until(lambda: house.park.status(0))
        flow.deliver()
        wait_until(lambda: house.park.anchored() > 0)
        with repeating(flow.deliver):
            wait_until(lambda: len(flow.acknowledged) > 10 * A_REQUEST)
            begun = time.time()
            words = ("--config", house.config, "--recipient", recipient, archive)
            done = run("carbon-node", "backup", *words)
            assert (done.code, done.err) == (0, "")
            wait_until(lambda: len(flow.acknowledged) > 20 * A_REQUEST)
    lost_at = time.time()

    words = (archive, "--to", target, "--identity", identity)
    done = run("carbon-node", "restore", *words)

    assert (done.code, "rows equal a fresh index" in done.out) == (0, True), done.err
    kept = stored(target / "member" / "data" / "member.db")
    before = {digest for at, digest in flow.acknowledged if at < begun}
    everything = {digest for _, digest in flow.acknowledged}
    assert before <= kept <= everything
    took = re.search(r"restored in ([\d.]+) s", done.out)
    assert took is not None
    lost = [at for at, digest in flow.acknowledged if digest not in kept]
    print(  # noqa: T201  # the drill's result
        f"\nrestore drill: recovery time {took[1]} s; recovery point "
        f"{lost_at - min(lost, default=lost_at):.1f} s before the loss, "
        f"{len(lost)} of {len(everything)} acknowledged readings are later than it"
    )
    settings = load_settings(target / "node.toml")
    with run_node(settings) as node:
        assert httpx.get(f"{node.url}/status", trust_env=False).status_code == 200
        assert node.database.engine.url.database == f"{target}/data/node.sqlite"


def test_a_restored_member_is_silent_where_it_may_have_voted_and_then_goes_on(
    house: House, key: tuple[Path, str], tmp_path: Path
):
    identity, recipient = key
    device = house.park.device("m1")
    flow = Flow(house, device)
    archive, target = tmp_path / "one.backup", tmp_path / "restored"
    words = ("--config", house.config, "--recipient", recipient, archive)
    with house.park.running():
        wait_until(lambda: house.park.status(0))
        flow.deliver()
        wait_until(lambda: house.park.anchored() > 0)
        assert run("carbon-node", "backup", *words).code == 0
        voted_until = house.park.anchored()
        flow.deliver()
        wait_until(lambda: house.park.anchored() > voted_until)
    given = (archive, "--to", target, "--identity", identity)
    assert run("carbon-node", "restore", *given).code == 0
    member = load_member_settings(target / "member" / "member.toml")
    at_hand = house.park.anchored()
    with house.park.running((1, 2, 3)) as nodes:
        restored = MemberNode(member, key=member_key(0))
        with restored:
            wait_until(lambda: restored.follower.position.seq >= at_hand, 60)
            memory = restored._desk.memory
            silent_at = memory.first_seq - 1  # the others may have gone on meanwhile
            assert silent_at >= at_hand
            nodes[1].inbox.submit(device.series(A_REQUEST))
            wait_until(lambda: restored.follower.position.seq > silent_at, 60)
            with pytest.raises(InvalidProposalError, match="votes before it"):
                memory.require(_subject(restored, silent_at))
            memory.require(_subject(restored, silent_at + 1))


def _subject(member: MemberNode, seq: int) -> Subject:
    desk = member._desk
    version = member.follower.view.configuration.version
    return Subject(desk.chain.domain, desk.stream_id, seq, version)
