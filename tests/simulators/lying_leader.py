"""A lying leader and three honest members, for tests that speak for the liar.

Member 0 lies; it leads number 0 in round 0. It keeps its key, its HTTP server and its
view of the chain, but no rounds of its own.
"""

import time
from collections.abc import Sequence
from dataclasses import replace

import cbor2

from contracts.structs import BatchReport
from oracle.member.member import MemberNode
from oracle.member.proposal import Batch, build_batch, tree_of
from oracle.member.refs import ReadingRef
from oracle.member.store import Proposal
from oracle.member.votes import Offer
from oracle.reading.checks import AuthenticReading, authenticate
from tests.simulators.oracle_park import STREAM_ID, OraclePark, member_key

LIAR = 0
HONEST = (1, 2, 3)


class LyingNode(MemberNode):
    """Gives the bodies that the test tells it to give."""

    bodies: Sequence[bytes] = ()

    def _give_bodies(self, _sender: str, _body: bytes) -> bytes:
        return cbor2.dumps(list(self.bodies))


class Scene:
    """The liar, three honest members that do not start rounds by themselves."""

    def __init__(self, park: OraclePark) -> None:
        self.park = park
        self.device = park.device("m1")
        settings = park.settings(LIAR)
        self.liar = LyingNode(settings, key=member_key(LIAR))
        self.honest = {index: park.node(index) for index in HONEST}
        for node in self.nodes:
            node.follower.follow()
            node._server.start()

    @property
    def nodes(self) -> list[MemberNode]:
        return [self.liar, *self.honest.values()]

    def stop(self) -> None:
        for node in self.nodes:
            node.stop()

    def start_honest(self) -> None:
        for node in self.honest.values():
            node.gossip.start()
            node._cycle.start()

    def raws(self, count: int) -> list[bytes]:
        start = int(time.time()) - 3600
        device = self.device
        return [device.next(ts=start + device.seq) for _ in range(count)]

    def authentic(self, raws: Sequence[bytes]) -> list[AuthenticReading]:
        registry = self.liar.follower.view.registry
        return [authenticate(raw, registry, self.park.domain) for raw in raws]

    def batch(self, raws: Sequence[bytes]) -> Batch:
        """Build an honest batch of these readings."""
        head = self.liar.follower.head
        frame = self.liar.follower.frame_at(head.number, head.hash, 1)
        now = int(time.time())
        return build_batch(frame, self.authentic(raws), {}, now)

    def offer(self, batch: Batch, **changes: object) -> Offer:
        report: BatchReport = replace(batch.report, **changes)
        return Offer(Proposal(report, batch.refs), 0)

    def lying(self, batch: Batch, refs: Sequence[ReadingRef]) -> Offer:
        """Pretend that a batch holds other readings, root and count adjusted."""
        rows = [(ref.identifier_hash, ref.seq, ref.digest) for ref in refs]
        root = tree_of(STREAM_ID, batch.report.seq, rows).root
        report = replace(batch.report, batch_root=root, leaf_count=len(refs))
        return Offer(Proposal(report, tuple(refs)), 0)

    def ask(self, member: int, offer: Offer) -> dict[str, object]:
        answer: dict[str, object] = cbor2.loads(
            self.liar._peers.ask(
                member_key(member).address, "proposal", offer.to_bytes()
            )
        )
        return answer

    def refusal(self, offer: Offer) -> str:
        """The reason of all three; they must agree that it is bad."""
        reasons = {str(self.ask(index, offer).get("refused")) for index in HONEST}
        assert "None" not in reasons
        assert self.park.anchored() == 0
        return min(reasons)
