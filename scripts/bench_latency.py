"""Time from a carrier's acknowledgement to a verified batch proof.

Four members, a chain with one block a second, a steady trickle of signed readings to
all inboxes in turn. Bound: the batch window and two blocks.
"""

import datetime as dt
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from contracts.hashing import keccak256
from contracts.merkle import BatchLeaf, leaf_hash, verify_proof
from contracts.typed_data import stream_id
from node.demo.carriers import REGISTER, Carrier, make_carriers
from node.demo.ledger import CHAIN_ID, LOCAL, STREAM, SandboxLedger, open_ledger
from node.demo.members import Members, Rhythm
from node.demo.people import IDENTITY_PLATFORM, People
from node.engine import EngineSettings
from oracle.inbox.results import decode_results
from oracle.member.proposal import tree_of
from oracle.reading.profile import (
    NO_PREV,
    Reading,
    external_aad,
    prev_link,
    sign_message,
)
from oracle.reading.suites import key_id_of

WINDOW_S = 2.0
BLOCK_S = 1.0
BEAT_S = 0.25


def measure_latency(seconds: float = 30.0) -> dict[str, float]:
    """Send readings for a while and time each to its verified proof.

    Args:
        seconds: How long readings are sent. [s]

    Returns:
        Median and 99th percentile [s], and the latter over its bound.
    """
    with _park() as (ledger, members):
        carriers = make_carriers()
        registrations = [one.registration() for one in carriers]
        call = ledger.ledger.carriers.register(registrations)
        receipt = ledger.acts.govern(IDENTITY_PLATFORM, [call])
        members.wait_followed(receipt.block_number)
        prover = _Prover(members)
        acknowledged = _send(carriers, ledger, members, seconds)
        prover.wait_for(set(acknowledged))
    waits = sorted(prover.proved[one] - at for one, at in acknowledged.items())
    p99 = waits[int(len(waits) * 0.99)]
    return {
        "proof_readings": float(len(waits)),
        "proof_p50_s": waits[len(waits) // 2],
        "proof_p99_s": p99,
        "proof_bound_s": WINDOW_S + 2 * BLOCK_S,
        "proof_p99_ratio": p99 / (WINDOW_S + 2 * BLOCK_S),
    }


@contextmanager
def _park() -> Iterator[tuple[SandboxLedger, Members]]:
    """Run a chain with regular blocks and four members on wall time."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        members = Members(folder / "members", Rhythm(WINDOW_S, 4.0, 3600, "wall"))
        chain = EngineSettings(folder / "chain", CHAIN_ID, block_interval_s=BLOCK_S)
        people = People(folder / "keys")
        ledger = open_ledger(chain, people, members.addresses)
        try:
            deployment = folder / "deployment.json"
            deployment.write_text(ledger.deployment.to_json(), "utf-8")
            members.start(ledger, deployment)
            yield ledger, members
        finally:
            members.close()
            ledger.close()


def _send(
    carriers: list[Carrier], ledger: SandboxLedger, members: Members, seconds: float
) -> dict[bytes, float]:
    """Send one reading a carrier each beat; return digest → time of the receipt."""
    book = ledger.ledger.carriers.address
    links = [NO_PREV] * len(carriers)
    acknowledged: dict[bytes, float] = {}
    beats = int(seconds / BEAT_S)
    started = time.monotonic()
    with httpx.Client(timeout=10) as client:
        for seq in range(beats):
            messages = [
                _sign(carrier, seq, links[index], book)
                for index, carrier in enumerate(carriers)
            ]
            links = [prev_link(message) for message in messages]
            url = members.nodes[seq % len(members.nodes)].url
            answer = client.post(
                f"{url}/readings/batch",
                content=b"".join(messages),
                headers={"Content-Type": "application/cbor-seq"},
            ).raise_for_status()
            now = time.monotonic()
            if any(one.receipt == b"" for one in decode_results(answer.content)):
                raise AssertionError(f"{url} refused a reading of beat {seq}")
            acknowledged |= {keccak256(message): now for message in messages}
            time.sleep(max(0.0, started + (seq + 1) * BEAT_S - now))
    return acknowledged


def _sign(carrier: Carrier, seq: int, link: bytes, book: str) -> bytes:
    aad = external_aad(CHAIN_ID, book, keccak256(carrier.identifier.encode()))
    kid = key_id_of(carrier.signer.suite, carrier.signer.public_key)
    now = int(dt.datetime.now(LOCAL).timestamp())
    reading = Reading(kid, seq, now, ((REGISTER, seq * 10),), link)
    return sign_message(reading, carrier.signer, aad)


class _Prover:
    """Follows one member's batches and verifies a proof of every reading in them."""

    def __init__(self, members: Members) -> None:
        self._node = members.leader
        self.proved: dict[bytes, float] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def wait_for(self, digests: set[bytes], timeout_s: float = 60.0) -> None:
        """Return when all readings are proved; raise TimeoutError otherwise."""
        give_up = time.monotonic() + timeout_s
        while not digests <= self.proved.keys():
            if time.monotonic() > give_up:
                missing = len(digests - self.proved.keys())
                raise TimeoutError(f"{missing} readings have no proof")
            time.sleep(0.05)
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        seq = 0
        while not self._stop.wait(0.02):
            while self._node.follower.position.seq > seq:
                self._prove(seq)
                seq += 1

    def _prove(self, seq: int) -> None:
        batch = self._node.batch(seq)
        if batch is None or not batch.refs:
            return
        stream = stream_id(STREAM)
        rows = [(one.identifier_hash, one.seq, one.digest) for one in batch.refs]
        tree = tree_of(stream, seq, rows)
        for index, row in enumerate(rows):
            leaf = leaf_hash(BatchLeaf(stream, seq, index, *row))
            root = batch.report.batch_root
            if not verify_proof(root, leaf, tree.proof(index)):
                raise AssertionError(f"reading {index} of batch {seq} is not in it")
        now = time.monotonic()
        self.proved |= {one.digest: now for one in batch.refs}


if __name__ == "__main__":
    print(json.dumps(measure_latency(), indent=1))
