"""Collecting a quorum's signatures under a report that every member recomputes."""

import logging
from typing import Any

import cbor2

from contracts.structs import Attestation
from contracts.typed_data import CodeReport, StatementReport, compact_signature
from oracle.errors import UnavailableQuorumError
from oracle.member.desk import Desk
from oracle.member.quorum import Configuration, attest, is_quorum, is_signed_by
from oracle.member.states import encode_report

logger = logging.getLogger(__name__)

MAX_REASON = 300
"""Most characters of a peer's reason that are kept."""


def collect_signatures(
    desk: Desk,
    configuration: Configuration,
    kind: str,
    report: StatementReport | CodeReport,
) -> Attestation:
    """Ask all peers to sign a report, after signing it oneself.

    Args:
        desk: The member's key and ports.
        configuration: Members and threshold.
        kind: Kind of the request.
        report: Report that this member computed.

    Returns:
        The attestation of a quorum.

    Raises:
        UnavailableQuorumError: Too few members computed the same report in time.
    """
    digest = desk.chain.report_digest(report)
    own = configuration.index_of(desk.key.address)
    signature = compact_signature(desk.key.private, digest)
    found = {} if own is None else {own: signature}
    refusals = []
    for address, answer in desk.peers.ask_all(kind, encode_report(report)):
        place = configuration.index_of(address)
        fields = _read(answer)
        member = None if place is None else configuration.members[place]
        vote = fields.get("vote", b"")
        if place is not None and member and is_signed_by(member, digest, vote):
            found[place] = vote
        else:
            refusals.append(str(fields.get("refused", "no reason"))[:MAX_REASON])
        if is_quorum(configuration, found):
            return attest(configuration, digest, found)
    reasons = tuple(refusals)
    raise UnavailableQuorumError(kind, configuration.threshold, len(found), reasons)


def _read(answer: bytes) -> dict[str, Any]:
    """Decode an answer; one that is none counts as a refusal."""
    try:
        fields = cbor2.loads(answer)
    except (ValueError, cbor2.CBORDecodeError):
        return {"refused": "an answer that is no CBOR"}
    if isinstance(fields, dict) and isinstance(fields.get("vote", b""), bytes):
        return fields
    return {"refused": "an answer of another shape"}
