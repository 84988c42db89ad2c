"""Watching the other members: who signs two reports for one number is proven guilty.

    a leader's votes ─┐
    peers' messages ──┼─► kept ─► two reports, one signer, one number ─► the contract
    the chain's own ──┘                                                  suspends it

Rules kept: only an authentic signature of a member of the present configuration is
kept, so nobody can be accused by invention; the proof is the contract's to judge, and
whichever honest member is first suffices; what the chain has anchored is not kept
twice; memory is bounded, whatever a liar signs. A signature under an older
configuration proves nothing to the contract, and is not kept.
"""

import logging
import threading
from collections.abc import Mapping

import cbor2

from contracts.bindings.reading_anchor import SignedReport
from contracts.errors import ContractsError, UnavailableError
from contracts.structs import SIGNATURE_BYTES, Attestation, BatchReport
from contracts.typed_data import struct_hash
from oracle.errors import InvalidProposalError
from oracle.member.desk import Desk
from oracle.member.follow import Follower
from oracle.member.quorum import is_signed_by
from oracle.member.signatures import SignatureStore, Signer
from oracle.member.states import decode_report, encode_report
from oracle.member.wire import read_array

logger = logging.getLogger(__name__)

KEPT_NUMBERS = 64
"""How far from the number at hand a signature is kept that nothing contradicts yet."""


class Witness:
    """Keeps what members sign, and proves double signatures.

    Args:
        desk: The member's ports.
        follower: View of the chain and position in the stream.
        store: Where signatures are kept.
    """

    def __init__(self, desk: Desk, follower: Follower, store: SignatureStore) -> None:
        self._desk = desk
        self._follower = follower
        self._store = store
        self._lock = threading.Lock()
        self._looked_at = (-1, -1)
        self._changes = 0

    def note(self, report: BatchReport, votes: Mapping[int, bytes]) -> None:
        """Keep signatures that this member collected, and show them to the others.

        Args:
            report: What was signed.
            votes: Place of the signer → signature [64 bytes], authentic.
        """
        if votes:
            self._keep(report, votes)
            seen = Attestation.collect(votes)
            body = [encode_report(report), seen.signers, seen.signatures]
            self._desk.peers.tell_all("signed", cbor2.dumps(body))

    def hear(self, _sender: str, body: bytes) -> bytes:
        """Keep signatures that a peer shows; they speak for themselves.

        Args:
            body: CBOR array of report, bit set of signers and signatures.

        Returns:
            Nothing.

        Raises:
            InvalidProposalError: Another shape, stream, configuration or number, or a
                signature that is not the member's.
        """
        encoded, signers, signatures = read_array(body, bytes, int, bytes)
        report = decode_report(BatchReport, encoded)
        self._check_frame(report)
        self._keep(report, self._votes(report, signers, signatures))
        return b""

    def accuse(self) -> None:
        """Prove to the contract every double signature that is known and unpunished.

        Raises:
            UnavailableError: The chain does not answer; the next step tries again.
        """
        state = (self._follower.position.seq, self._changes)
        if state == self._looked_at:
            return
        for signer, reports in self._store.all().items():
            self._judge(signer, reports)
        self._looked_at = state

    def _judge(self, signer: Signer, reports: list[SignedReport]) -> None:
        """Compare with the chain, then accuse, wait or forget."""
        view, position = self._follower.view, self._follower.position
        is_current = signer.rules_version == view.configuration.version
        if is_current and len(reports) == 1 and signer.seq < position.seq:
            reports = self._with_anchored(signer, reports[0])
        if len(reports) > 1:
            if is_current and signer.place not in view.suspended:
                self._prove(signer, reports[0], reports[1])
        elif not (is_current and reports) or signer.seq < position.seq - KEPT_NUMBERS:
            self._store.drop(signer)

    def _with_anchored(self, signer: Signer, seen: SignedReport) -> list[SignedReport]:
        """Add the anchored report of the number, if the signer signed it too.

        Returns:
            The reports to compare; none where the one seen is the anchored one.
        """
        batch = self._desk.store.batch(signer.seq)
        if batch is None or batch.report_hash == struct_hash(seen.report):
            return []
        votes = self._desk.chain.attestation(batch.tx_hash)
        places = [place for place in range(256) if votes.signers >> place & 1]
        if signer.place not in places:
            return [seen]
        start = places.index(signer.place) * SIGNATURE_BYTES
        signature = votes.signatures[start : start + SIGNATURE_BYTES]
        self._store.keep(batch.report, batch.report_hash, {signer.place: signature})
        return [seen, SignedReport(batch.report, signature)]

    def _prove(self, signer: Signer, first: SignedReport, second: SignedReport) -> None:
        place, seq = signer.place, signer.seq
        logger.error("member %s signed two reports for batch=%s", place, seq)
        try:
            self._desk.chain.prove_equivocation(place, first, second)
            logger.warning("suspended member=%s for batch=%s", place, seq)
        except UnavailableError:
            raise
        except ContractsError as exc:  # another member was first
            logger.info("proof against member=%s was not taken: %s", place, exc)

    def _keep(self, report: BatchReport, votes: Mapping[int, bytes]) -> None:
        self._store.keep(report, struct_hash(report), votes)
        with self._lock:
            self._changes += 1

    def _check_frame(self, report: BatchReport) -> None:
        """It is of this stream and configuration, and of a number near at hand."""
        version = self._follower.view.configuration.version
        if report.stream_id != self._desk.stream_id:
            given = report.stream_id.hex()
            raise InvalidProposalError("stream", self._desk.stream_id.hex(), given)
        if report.rules_version != version:
            given = str(report.rules_version)
            raise InvalidProposalError("rules_version", str(version), given)
        seq = self._follower.position.seq
        if not seq - KEPT_NUMBERS <= report.seq <= seq + KEPT_NUMBERS:
            expected = f"a number within {KEPT_NUMBERS} of {seq}"
            raise InvalidProposalError("seq", expected, str(report.seq))

    def _votes(
        self, report: BatchReport, signers: int, signatures: bytes
    ) -> dict[int, bytes]:
        """Take signatures apart; each must be its member's."""
        members = self._follower.view.configuration.members
        places = [place for place in range(len(members)) if signers >> place & 1]
        is_shaped = 0 <= signers < 1 << len(members)
        if not is_shaped or len(signatures) != SIGNATURE_BYTES * len(places):
            expected = f"{SIGNATURE_BYTES} bytes for each signer among the members"
            raise InvalidProposalError("signatures", expected, f"{len(signatures)}")
        digest = self._desk.chain.report_digest(report)
        votes = {}
        for number, place in enumerate(places):
            one = signatures[number * SIGNATURE_BYTES :][:SIGNATURE_BYTES]
            if not is_signed_by(members[place], digest, one):
                expected = f"a low-s signature of member {place}"
                raise InvalidProposalError("signature", expected, "another's or none")
            votes[place] = one
        return votes
