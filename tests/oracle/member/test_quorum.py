"""Who must sign, and which attestations are refused as the contract refuses them."""

from dataclasses import replace

import pytest
from coincurve import PrivateKey

from contracts.enumerations import Kind
from contracts.hashing import keccak256
from contracts.structs import Attestation, Member
from contracts.typed_data import account_id, address_of, compact_signature
from oracle.errors import InvalidProposalError
from oracle.member.quorum import (
    Configuration,
    attest,
    check_attestation,
    choose_quorum,
    find_shortfall,
    is_quorum,
    least_threshold,
    tolerated_faults,
)

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
DIGEST = keccak256(b"a report")
KEYS = [PrivateKey(keccak256(b"member %d" % index)) for index in range(4)]
ROLES = (Kind.PARK_OPERATOR, Kind.IDENTITY_PLATFORM, Kind.VERIFIER, Kind.REGULATOR)
MEMBERS = tuple(
    Member(address_of(key.public_key), account_id(f"organisation {index}"), role)
    for index, (key, role) in enumerate(zip(KEYS, ROLES, strict=True))
)
FOUR = Configuration(1, 3, MEMBERS)


def signed(*places: int, digest: bytes = DIGEST) -> dict[int, bytes]:
    return {place: compact_signature(KEYS[place], digest) for place in places}


def high_s(signature: bytes) -> bytes:
    word = int.from_bytes(signature[32:], "big")
    s, parity = word & (2**255 - 1), word >> 255
    twin = (ORDER - s) | ((1 - parity) << 255)
    return signature[:32] + (twin % 2**256).to_bytes(32, "big")


class TestThreshold:
    @pytest.mark.parametrize(("count", "least"), [(1, 1), (3, 3), (4, 3), (7, 5)])
    def test_is_two_thirds_and_one(self, count: int, least: int):
        assert least_threshold(count) == least

    @pytest.mark.parametrize(("count", "faults"), [(1, 0), (3, 0), (4, 1), (7, 2)])
    def test_tolerates_less_than_a_third(self, count: int, faults: int):
        assert tolerated_faults(count) == faults


class TestQuorum:
    def test_accepts_three_of_four(self):
        assert is_quorum(FOUR, [0, 1, 3])

    def test_refuses_two_of_four(self):
        assert find_shortfall(FOUR, [2, 3]) == "3 signers"

    def test_demands_the_rule_even_under_a_lower_threshold(self):
        assert find_shortfall(replace(FOUR, threshold=1), [3]) == "3 signers"

    def test_counts_a_signer_once(self):
        assert find_shortfall(FOUR, [3, 3, 3]) == "3 signers"

    def test_demands_a_verifier_or_regulator(self):
        operators = tuple(replace(m, role=Kind.PARK_OPERATOR) for m in MEMBERS)
        shortfall = find_shortfall(replace(FOUR, members=operators), [0, 1, 2])
        assert shortfall == "a verifier or regulator among the signers"

    def test_refuses_two_keys_of_one_organisation(self):
        twins = (
            *MEMBERS[:3],
            replace(MEMBERS[3], organisation=MEMBERS[2].organisation),
        )
        configuration = replace(FOUR, members=twins)
        assert find_shortfall(configuration, [1, 2, 3]) == "one key per organisation"

    def test_is_chosen_among_the_keys_of_an_organisation(self):
        operator = replace(MEMBERS[0], organisation=MEMBERS[3].organisation)
        second = replace(MEMBERS[1], key=MEMBERS[0].key)
        five = (operator, *MEMBERS[1:3], MEMBERS[3], second)
        configuration = replace(FOUR, members=five)
        assert not choose_quorum(configuration, range(5))
        four = replace(FOUR, members=five[:4])
        assert choose_quorum(four, [0, 1, 3]) == ()
        assert choose_quorum(four, [0, 1, 2, 3]) == (1, 2, 3)
        assert is_quorum(four, (1, 2, 3))

    def test_refuses_strangers(self):
        assert find_shortfall(FOUR, [0, 1, 4]) == "signers among the members"


class TestAttestation:
    def test_bundles_signatures_in_order(self):
        attestation = attest(FOUR, DIGEST, signed(3, 0, 2))
        assert attestation.signers == 0b1101
        assert attestation.signatures[:64] == signed(0)[0]

    def test_refuses_a_surplus_signature(self):
        good = attest(FOUR, DIGEST, signed(0, 2, 3))
        surplus = replace(good, signatures=good.signatures + good.signatures[:64])
        with pytest.raises(InvalidProposalError, match="192 bytes"):
            check_attestation(FOUR, DIGEST, surplus)

    def test_refuses_one_signature_under_two_bits(self):
        one = signed(2)[2]
        with pytest.raises(InvalidProposalError, match="signature of member 0"):
            check_attestation(FOUR, DIGEST, Attestation(0b0111, one * 3))

    def test_refuses_reordered_signatures(self):
        parts = signed(0, 2, 3)
        shuffled = Attestation(0b1101, parts[2] + parts[0] + parts[3])
        with pytest.raises(InvalidProposalError, match="signature of member 0"):
            check_attestation(FOUR, DIGEST, shuffled)

    def test_refuses_the_high_s_twin(self):
        parts = signed(0, 2, 3)
        twin = Attestation(0b1101, high_s(parts[0]) + parts[2] + parts[3])
        with pytest.raises(InvalidProposalError, match="low-s signature of member 0"):
            check_attestation(FOUR, DIGEST, twin)

    def test_refuses_a_signature_that_recovers_nobody(self):
        parts = signed(2, 3)
        nobody = Attestation(0b1101, bytes(64) + parts[2] + parts[3])
        with pytest.raises(InvalidProposalError, match="another's or none"):
            check_attestation(FOUR, DIGEST, nobody)

    def test_refuses_a_zero_address_as_member(self):
        zero = replace(MEMBERS[0], key="0x" + "00" * 20)
        configuration = replace(FOUR, members=(zero, *MEMBERS[1:]))
        parts = signed(2, 3)
        nobody = Attestation(0b1101, bytes(64) + parts[2] + parts[3])
        with pytest.raises(InvalidProposalError, match="signature of member 0"):
            check_attestation(configuration, DIGEST, nobody)

    def test_refuses_signatures_for_another_digest(self):
        other = signed(0, 2, 3, digest=keccak256(b"the same report, another chain"))
        with pytest.raises(InvalidProposalError, match="signature of member 0"):
            attest(FOUR, DIGEST, other)

    def test_refuses_a_bit_beyond_the_members(self):
        parts = signed(0, 2)
        beyond = Attestation(0b10101, parts[0] + parts[2] + bytes(64))
        with pytest.raises(InvalidProposalError, match="signers among the members"):
            check_attestation(FOUR, DIGEST, beyond)
