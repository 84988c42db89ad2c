"""Who must sign: threshold, role rule, one key per organisation.

The same rules as `ReadingAnchor.requireQuorum`, so that a member never transmits what
the contract refuses. Pure; it signs nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from contracts.enumerations import Kind
from contracts.errors import InvalidSignatureError
from contracts.structs import SIGNATURE_BYTES, Attestation, Member
from contracts.typed_data import recover
from oracle.errors import InvalidProposalError

CONTROL_ROLES = frozenset({Kind.VERIFIER, Kind.REGULATOR})
"""Roles of which one must be among the signers."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """Members as `ReadingAnchor.configuration()` returns them."""

    version: int
    """Rises with every change; the reports' `rulesVersion`."""
    threshold: int
    """Signatures needed."""
    members: tuple[Member, ...]
    """Members in the order of the attestation's bits."""

    def index_of(self, key: str) -> int | None:
        """Find a member by its key.

        Args:
            key: Address of the member's key.

        Returns:
            Place of the member, None for a stranger.
        """
        for index, member in enumerate(self.members):
            if member.key.lower() == key.lower():
                return index
        return None


def least_threshold(count: int) -> int:
    """Return the smallest threshold that tolerates ⌊(n − 1)/3⌋ liars.

    Args:
        count: Number of members, n.

    Returns:
        ⌊2n/3⌋ + 1.
    """
    return 2 * count // 3 + 1


def tolerated_faults(count: int) -> int:
    """Return how many members may lie: ⌊(n − 1)/3⌋."""
    return (count - 1) // 3


def find_shortfall(configuration: Configuration, signers: Iterable[int]) -> str | None:
    """Say what a set of signers lacks to be a quorum.

    Args:
        configuration: Members and threshold.
        signers: Places of the members that signed.

    Returns:
        What is missing as a phrase, None for a quorum.
    """
    places = set(signers)
    if not all(0 <= place < len(configuration.members) for place in places):
        return "signers among the members"
    chosen = [configuration.members[place] for place in places]
    needed = max(configuration.threshold, least_threshold(len(configuration.members)))
    if len(chosen) < needed:
        return f"{needed} signers"
    if len({member.organisation.lower() for member in chosen}) < len(chosen):
        return "one key per organisation"
    if not any(member.role in CONTROL_ROLES for member in chosen):
        return "a verifier or regulator among the signers"
    return None


def is_quorum(configuration: Configuration, signers: Iterable[int]) -> bool:
    """Tell whether a set of signers is a quorum.

    Args:
        configuration: Members and threshold.
        signers: Places of the members that signed.

    Returns:
        True if nothing is missing.
    """
    return find_shortfall(configuration, signers) is None


def choose_quorum(
    configuration: Configuration, signers: Iterable[int]
) -> tuple[int, ...]:
    """Choose a quorum among signers, where an organisation may have several keys.

    Args:
        configuration: Members and threshold.
        signers: Places of the members that signed.

    Returns:
        Places in order, one for each organisation, the one that controls where there
        is one; nothing where they are no quorum.
    """
    chosen: dict[str, int] = {}
    for place in sorted(set(signers)):
        member = configuration.members[place]
        held = chosen.setdefault(member.organisation.lower(), place)
        is_better = configuration.members[held].role not in CONTROL_ROLES
        if is_better and member.role in CONTROL_ROLES:
            chosen[member.organisation.lower()] = place
    places = tuple(sorted(chosen.values()))
    return places if is_quorum(configuration, places) else ()


def is_signed_by(member: Member, digest: bytes, signature: bytes) -> bool:
    """Tell whether a signature is one member's, with low s.

    Args:
        member: Member that should have signed.
        digest: 32 bytes that should be signed.
        signature: 64 bytes, EIP-2098.

    Returns:
        True only for a valid signature of this very member.
    """
    try:
        return recover(digest, signature).lower() == member.key.lower()
    except InvalidSignatureError:
        return False


def attest(
    configuration: Configuration, digest: bytes, signatures: Mapping[int, bytes]
) -> Attestation:
    """Bundle signatures into the attestation that the contract accepts.

    Args:
        configuration: Members and threshold.
        digest: 32 bytes that the members signed.
        signatures: Place of the member → compact signature [64 bytes].

    Returns:
        The attestation, checked.

    Raises:
        InvalidProposalError: It is no quorum, or a signature is not the member's.
    """
    attestation = Attestation.collect(signatures)
    check_attestation(configuration, digest, attestation)
    return attestation


def check_attestation(
    configuration: Configuration, digest: bytes, attestation: Attestation
) -> None:
    """Check an attestation as the contract does.

    Args:
        configuration: Members and threshold.
        digest: 32 bytes that the members signed.
        attestation: Bit set and signatures.

    Raises:
        InvalidProposalError: Surplus, missing, reordered, foreign or high-s
            signatures, or no quorum.
    """
    places = [place for place in range(256) if attestation.signers >> place & 1]
    signatures = attestation.signatures
    if len(signatures) != SIGNATURE_BYTES * len(places):
        expected = f"{SIGNATURE_BYTES * len(places)} bytes of signatures"
        raise InvalidProposalError("attestation", expected, f"{len(signatures)}")
    shortfall = find_shortfall(configuration, places)
    if shortfall:
        raise InvalidProposalError("quorum", shortfall, f"signers {places}")
    for number, place in enumerate(places):
        start = number * SIGNATURE_BYTES
        signature = signatures[start : start + SIGNATURE_BYTES]
        member = configuration.members[place]
        if not is_signed_by(member, digest, signature):
            expected = f"a low-s signature of member {place}, {member.key}"
            raise InvalidProposalError("signature", expected, "another's or none")
