"""Collecting a quorum's signatures under a report that every member recomputes."""

import logging

from contracts.structs import Attestation
from contracts.typed_data import CodeReport, StatementReport, compact_signature
from oracle.errors import InvalidProposalError, UnavailableQuorumError
from oracle.member.desk import Desk
from oracle.member.quorum import attest, choose_quorum, is_signed_by
from oracle.member.states import encode_report
from oracle.member.view import ChainView
from oracle.member.wire import one_line, read_answer

logger = logging.getLogger(__name__)


def collect_signatures(
    desk: Desk, view: ChainView, kind: str, report: StatementReport | CodeReport
) -> Attestation:
    """Ask all peers to sign a report, after signing it oneself.

    Args:
        desk: The member's key and ports.
        view: Members and threshold as the chain has them.
        kind: Kind of the request.
        report: Report that this member computed.

    Returns:
        The attestation of a quorum.

    Raises:
        UnavailableQuorumError: Too few members computed the same report in time.
    """
    digest = desk.chain.report_digest(report)
    configuration, suspended = view.configuration, view.suspended
    own = configuration.index_of(desk.key.address)
    signature = compact_signature(desk.key.private, digest)
    found = {} if own is None or own in suspended else {own: signature}
    refusals = []
    for address, answer in desk.peers.ask_all(kind, encode_report(report)):
        place = configuration.index_of(address)
        vote, reason = _read(answer)
        if place is None or place in suspended:
            continue
        if is_signed_by(configuration.members[place], digest, vote):
            found[place] = vote
        else:
            refusals.append(one_line(reason))
        if chosen := choose_quorum(configuration, found):
            signed = {place: found[place] for place in chosen}
            return attest(configuration, digest, signed)
    reasons = tuple(refusals)
    raise UnavailableQuorumError(kind, configuration.threshold, len(found), reasons)


def _read(answer: bytes) -> tuple[bytes, str]:
    """Read vote and reason; an answer that makes no sense counts as a refusal."""
    try:
        vote, _, reason = read_answer(answer)
    except InvalidProposalError as exc:
        return b"", str(exc)
    return vote, reason or "a signature that is not the member's"
