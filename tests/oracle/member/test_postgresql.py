"""A member that keeps everything in PostgreSQL: takes part, dies, is rebuilt."""

import signal
import time
from typing import Any

from oracle.member.member import MemberNode
from oracle.member.rebuild import rebuild_member
from tests.servers.postgresql import PostgresqlServer
from tests.simulators.device import DeviceSimulator
from tests.simulators.oracle_park import OraclePark, member_key, wait_until

OURS = 3


def recent(device: DeviceSimulator, count: int) -> list[bytes]:
    start = int(time.time()) - 3600
    return [device.next(ts=start + device.seq) for _ in range(count)]


def batches(node: MemberNode) -> list[Any]:
    return node._desk.store.batches(0, 10**6)


def batched(node: MemberNode) -> int:
    """Count readings in batches: the stream begins with an empty one."""
    return sum(len(batch.refs) for batch in batches(node))


class TestMember:
    def test_its_vote_counts_behind_a_kill_and_a_power_cut(
        self, park: OraclePark, postgresql_server: PostgresqlServer, postgresql_url: str
    ):
        """With one member away, no batch is made without this one."""
        device = park.device("m1")
        with park.running((0, 1)) as nodes:
            process = park.process(OURS, database_url=postgresql_url)
            try:
                for count in (1, 2):
                    wait_until(lambda: park.status(OURS) is not None, 60)
                    nodes[0].inbox.submit(recent(device, 5))
                    wait_until(lambda count=count: park.anchored() >= count, 60)
                    if count == 1:
                        process.send_signal(signal.SIGKILL)
                        process.wait()
                        postgresql_server.stop(signal.SIGQUIT)
                        postgresql_server.start()
                        process = park.process(OURS, database_url=postgresql_url)
            finally:
                process.kill()
                process.wait()
            with park.running((OURS,), database_url=postgresql_url) as own:
                wait_until(lambda: len(batches(own[OURS])) == len(batches(nodes[0])))
                assert batches(own[OURS]) == batches(nodes[0])

    def test_a_lost_schema_is_rebuilt_equal(
        self, park: OraclePark, postgresql_server: PostgresqlServer, postgresql_url: str
    ):
        device = park.device("m1")
        with park.running((0, 1, 2)) as nodes:
            with park.running((OURS,), database_url=postgresql_url) as own:
                own[OURS].inbox.submit(recent(device, 30))
                wait_until(lambda: batched(own[OURS]) == 30)
            name = postgresql_url.split("?", maxsplit=1)[0].rsplit("/", 1)[1]
            change = "UPDATE batches SET report_hash = '\\x00'"
            postgresql_server.execute(change, name)
            settings = park.settings(OURS, database_url=postgresql_url)
            made = rebuild_member(settings, lambda *_: None, member_key(OURS))
            assert str(made.set_aside).endswith("schema damaged_1")
            count = len(batches(nodes[0]))
            assert (made.batches, made.readings) == (count, 30)
            assert made.votes_from == count + 1
            with park.running((OURS,), database_url=postgresql_url) as own:
                assert batches(own[OURS]) == batches(nodes[0])
