from dataclasses import replace
from hashlib import sha256

import pytest

from accounting.rule_loading import available_rule_sets, load_rule_set
from contracts.hashing import keccak256
from oracle.evidence.codec import decode_package
from oracle.evidence.evidence import RuleBookPart, StatementEvidence
from oracle.evidence.package import build_package
from tests.simulators.evidence import ParkSimulator


class TestBuildPackage:
    @pytest.mark.parametrize("rule_set_id", available_rule_sets())
    def test_a_shipped_rule_set_is_packed_as_what_its_digest_covers(
        self, evidence: StatementEvidence, rule_set_id: str
    ):
        rule_set = load_rule_set(rule_set_id)
        book = replace(evidence.rule_book, rule_sets=(rule_set.source_bytes,))
        packed = decode_package(build_package(replace(evidence, rule_book=book)))
        (source,) = packed.rule_book.rule_sets
        assert sha256(source).digest() == rule_set.digest

    def test_the_order_of_the_evidence_does_not_matter(
        self, evidence: StatementEvidence, package: bytes
    ):
        book = evidence.rule_book
        turned = RuleBookPart(book.rule_sets[::-1], book.factor_year, book.boundary)
        assert build_package(replace(evidence, rule_book=turned)) == package

    def test_readings_of_others_stay_outside(self, park: ParkSimulator, package: bytes):
        packed = decode_package(package)
        own, other = park.devices
        raws = [raw for batch in packed.batches for _, raw in batch.readings]
        assert all(own.kid in raw for raw in raws)
        assert other.kid not in package
        assert other.identifier.encode() not in package

    def test_a_heartbeat_carries_no_proof(self, package: bytes):
        last = decode_package(package).batches[-1]
        assert last.readings == ()
        assert last.nodes == ()

    def test_refuses_a_channel_table_that_is_not_the_registered_one(
        self, evidence: StatementEvidence
    ):
        part = evidence.registries[0]
        record = replace(part.proofs[0].record, channel_table_hash=keccak256(b""))
        proofs = (replace(part.proofs[0], record=record),)
        states = (replace(part, proofs=proofs),)
        with pytest.raises(ValueError, match="m1 is not the registered one"):
            build_package(replace(evidence, registries=states))
