"""The quorum rule of the contracts, repeated offline.

Checked as `ReadingAnchor.requireQuorum` does: known bits only, one compact signature
a bit in ascending order, at least the threshold, each by the member's own key, no two
members of one organisation, and a verifier or regulator among them. Which members
there are is the caller's knowledge; a signature never brings its own key.
"""

from contracts.enumerations import Kind
from contracts.errors import InvalidSignatureError
from contracts.hashing import address_bytes
from contracts.structs import SIGNATURE_BYTES, Attestation, Member
from contracts.typed_data import recover
from oracle.errors import InvalidPackageError
from oracle.evidence.evidence import Configuration

OVERSEERS = frozenset({Kind.VERIFIER, Kind.REGULATOR})
"""Roles of which one must be among the signers."""


def check_quorum(
    digest: bytes, attestation: Attestation, configuration: Configuration, what: str
) -> tuple[int, ...]:
    """Check that a quorum of members signed a digest.

    Args:
        digest: EIP-712 digest of the report, 32 bytes.
        attestation: Signatures.
        configuration: Members that count.
        what: Name of the report, for the message.

    Returns:
        Indexes of the members that signed.

    Raises:
        InvalidPackageError: The first rule that fails, with the member concerned.
    """
    signers = _signers(attestation, configuration, what)
    for place, index in enumerate(signers):
        start = place * SIGNATURE_BYTES
        signature = attestation.signatures[start : start + SIGNATURE_BYTES]
        member = configuration.members[index]
        _check_signature(
            digest, signature, member, f"signature of member {index} {what}"
        )
    signed = [configuration.members[index] for index in signers]
    _check_roles(signed, what)
    return signers


def _signers(
    attestation: Attestation, configuration: Configuration, what: str
) -> tuple[int, ...]:
    """Take the indexes of the signers and check their number."""
    mask, total = attestation.signers, len(configuration.members)
    if mask >> total:
        expected = f"members 0 to {total - 1} of configuration {configuration.version}"
        given = f"member {mask.bit_length() - 1}"
        raise InvalidPackageError(f"signers {what}", expected, given)
    signers = tuple(index for index in range(total) if mask >> index & 1)
    if len(attestation.signatures) != SIGNATURE_BYTES * len(signers):
        expected = f"{SIGNATURE_BYTES} bytes for each of {len(signers)} signers"
        given = f"{len(attestation.signatures)} bytes"
        raise InvalidPackageError(f"signatures {what}", expected, given)
    if len(signers) < configuration.threshold:
        expected = f"a quorum of at least {configuration.threshold}"
        raise InvalidPackageError(f"signers {what}", expected, f"{len(signers)}")
    return signers


def _check_signature(
    digest: bytes, signature: bytes, member: Member, subject: str
) -> None:
    try:
        given = recover(digest, signature)
    except InvalidSignatureError as exc:
        raise InvalidPackageError(subject, f"one by {member.key}", str(exc)) from exc
    if address_bytes(given) != address_bytes(member.key):
        raise InvalidPackageError(subject, f"one by {member.key}", f"one by {given}")


def _check_roles(signed: list[Member], what: str) -> None:
    organisations = {address_bytes(member.organisation) for member in signed}
    if len(organisations) != len(signed):
        expected = "one signature of each organisation"
        given = f"{len(signed)} of {len(organisations)} organisations"
        raise InvalidPackageError(f"signers {what}", expected, given)
    if OVERSEERS.isdisjoint(member.role for member in signed):
        roles = ", ".join(Kind(member.role).name for member in signed)
        expected = "a verifier or regulator among them"
        raise InvalidPackageError(f"signers {what}", expected, roles)
