import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from accounting.canonical import canonical_json
from contracts.enumerations import Kind, Purpose
from contracts.structs import Attestation
from oracle.evidence import cbor
from oracle.evidence.codec import FORM, decode_package, encode_package
from oracle.evidence.evidence import (
    BatchEvidence,
    RuleBookPart,
    StatementEvidence,
)
from oracle.evidence.package import build_package
from oracle.evidence.stages import Stage
from oracle.evidence.trust import Trust
from oracle.evidence.verify import verify_package
from tests.simulators.device import START, STEP_S
from tests.simulators.evidence import ParkSimulator

MakePark = Callable[..., ParkSimulator]
Refusal = Callable[..., tuple[Stage, str]]
PARTS = 8


def with_batch(
    evidence: StatementEvidence, place: int, batch: BatchEvidence
) -> StatementEvidence:
    batches = list(evidence.batches)
    batches[place] = batch
    return replace(evidence, batches=tuple(batches))


class TestAccepted:
    def test_a_package_of_real_signatures_is_accepted(
        self, package: bytes, trust: Trust
    ):
        report = verify_package(package, trust)
        assert report.is_accepted
        assert report.exit_code == 0
        assert report.statement is not None
        assert report.statement.grams == 531

    def test_threads_change_nothing(self, package: bytes, trust: Trust):
        assert verify_package(package, trust, 1) == verify_package(package, trust, 3)

    def test_a_statement_may_start_in_the_middle_of_the_log(self, make_park: MakePark):
        park = make_park(None)
        for _ in range(5):
            park.add_batch([])
        park.start_here()
        one = park.devices[0]
        park.add_batch(one.series(5))
        report = verify_package(build_package(park.evidence(4)), park.trust)
        assert report.is_accepted

    def test_a_purpose_that_leaves_a_rule_set_unused_is_accepted(
        self, make_park: MakePark
    ):
        park = make_park(4, purpose=Purpose.ETS_DIRECT)
        report = verify_package(build_package(park.evidence(4)), park.trust)
        assert report.is_accepted, report.failed

    def test_a_delayed_reading_in_a_later_batch_is_accepted(self, make_park: MakePark):
        park = make_park(None)
        first, second, third, fourth, fifth = park.devices[0].series(5)
        park.add_batch([first, third])
        park.add_batch([fourth, fifth])
        park.add_batch([second])
        report = verify_package(build_package(park.evidence(4)), park.trust)
        assert report.is_accepted
        found = report.stages[Stage.COMPLETENESS - 1].found
        assert found == {"gaps": "none", "late": "88.100.1/m1 seq 1 to 1"}

    def test_a_restatement_names_what_it_supersedes(self, make_park: MakePark):
        park = make_park(4, supersedes=b"\7" * 32)
        report = verify_package(build_package(park.evidence(4)), park.trust)
        assert report.stages[-1].found["supersedes"] == "07" * 32

    def test_a_reading_that_was_lost_at_the_device_shows_as_a_gap(
        self, make_park: MakePark
    ):
        park = make_park(None)
        readings = park.devices[0].series(5)
        park.add_batch([*readings[:2], *readings[3:]])
        report = verify_package(build_package(park.evidence(4)), park.trust)
        found = report.stages[Stage.COMPLETENESS - 1].found
        assert report.is_accepted
        assert found["gaps"] == "88.100.1/m1 seq 2 to 2"

    def test_equal_evidence_gives_equal_bytes(self, evidence: StatementEvidence):
        assert build_package(evidence) == build_package(evidence)

    def test_decoding_and_encoding_gives_the_same_bytes(self, package: bytes):
        assert encode_package(decode_package(package)) == package


class TestEveryByte:
    @pytest.mark.parametrize("part", range(PARTS))
    def test_no_byte_can_be_flipped_unseen(
        self, package: bytes, trust: Trust, part: int
    ):
        accepted = []
        for place in range(part, len(package), PARTS):
            flipped = bytearray(package)
            flipped[place] ^= 1 << place % 7
            if verify_package(bytes(flipped), trust, 1).is_accepted:
                accepted.append(place)
        assert accepted == []


class TestForm:
    def test_a_truncated_file_is_refused(self, package: bytes, refusal: Refusal):
        for length in (0, 1, 100, len(package) // 2, len(package) - 1):
            assert refusal(package[:length])[0] is Stage.FORM

    def test_an_extended_file_is_refused(self, package: bytes, refusal: Refusal):
        stage, text = refusal(package + b"\x00")
        assert stage is Stage.FORM
        assert "1 more bytes" in text

    def test_a_field_that_comes_twice_is_refused(
        self, package: bytes, refusal: Refusal
    ):
        twice = b"\xa9\x01" + cbor.encode(FORM) + package[1:]
        stage, text = refusal(twice)
        assert stage is Stage.FORM
        assert "keys ascending, each once" in text

    def test_an_unknown_field_is_refused(self, package: bytes, refusal: Refusal):
        fields = cbor.decode(package)
        stage, text = refusal(cbor.encode({**fields, 9: "extra"}))
        assert stage is Stage.FORM
        assert "fields of the package" in text

    def test_a_missing_field_is_refused(self, package: bytes, refusal: Refusal):
        fields = cbor.decode(package)
        del fields[7]
        assert refusal(cbor.encode(fields))[0] is Stage.FORM

    def test_fields_in_another_order_are_refused(
        self, package: bytes, refusal: Refusal
    ):
        fields = [
            cbor.encode(k) + cbor.encode(v) for k, v in cbor.decode(package).items()
        ]
        assert refusal(b"\xa8" + b"".join(reversed(fields)))[0] is Stage.FORM

    def test_a_longer_spelling_of_a_number_is_refused(
        self, package: bytes, refusal: Refusal
    ):
        assert refusal(b"\xa8\x18\x01" + package[2:])[0] is Stage.FORM

    def test_no_cut_off_has_one_spelling(self, package: bytes, refusal: Refusal):
        fields = cbor.decode(package)
        fields[6][0][1][0][2] = 2**64 - 1
        stage, text = refusal(cbor.encode(fields))
        assert stage is Stage.FORM
        assert "cut-off of carrier 88.100.1/m1 | null for none" in text

    def test_another_form_is_refused_by_name(self, package: bytes, refusal: Refusal):
        changed = package.replace(FORM.encode(), b"ccl/package/v2", 1)
        stage, text = refusal(changed)
        assert stage is Stage.FORM
        assert "ccl/package/v2" in text

    def test_a_list_in_place_of_the_map_is_refused(self, refusal: Refusal):
        assert refusal(cbor.encode([1, 2]))[0] is Stage.FORM


class TestTrust:
    def test_the_trust_file_of_another_chain_is_refused(
        self, package: bytes, trust: Trust, refusal: Refusal
    ):
        other = Trust(replace(trust.chain, chain_id=1), trust.configurations)
        stage, text = refusal(package, other)
        assert stage is Stage.TRUST
        assert text == "chain id | 1 | 20260"

    def test_another_contract_is_refused_by_name(
        self, package: bytes, trust: Trust, refusal: Refusal
    ):
        chain = replace(trust.chain, emission_ledger=trust.chain.carriers)
        stage, text = refusal(package, Trust(chain, trust.configurations))
        assert stage is Stage.TRUST
        assert "emission_ledger" in text

    def test_a_member_that_is_not_trusted_is_named(
        self, package: bytes, trust: Trust, refusal: Refusal, make_park: MakePark
    ):
        roles = (Kind.BANK, *make_park(None).roles[1:])
        strangers = make_park(None, roles=roles).configuration
        stage, text = refusal(package, Trust(trust.chain, {1: strangers}))
        assert stage is Stage.TRUST
        assert "key of member 0 of configuration 1" in text

    def test_keys_in_the_package_do_not_authorise_themselves(
        self, trust: Trust, refusal: Refusal, make_park: MakePark
    ):
        roles = (Kind.BANK, Kind.BANK, Kind.VERIFIER, Kind.REGULATOR)
        own = make_park(4, roles=roles)
        assert verify_package(build_package(own.evidence(4)), own.trust).is_accepted
        stage, text = refusal(build_package(own.evidence(4)), trust)
        assert stage is Stage.TRUST
        assert "key of member 0" in text

    def test_an_unknown_configuration_is_refused(
        self, package: bytes, trust: Trust, refusal: Refusal
    ):
        newer = replace(trust.configurations[1], version=2)
        stage, text = refusal(package, Trust(trust.chain, {2: newer}))
        assert stage is Stage.TRUST
        assert "configuration 1 | versions [2]" in text

    def test_a_lowered_threshold_is_refused(
        self, evidence: StatementEvidence, refusal: Refusal
    ):
        low = replace(evidence.configurations[0], threshold=1)
        stage, text = refusal(build_package(replace(evidence, configurations=(low,))))
        assert stage is Stage.TRUST
        assert "digest of configuration 1" in text

    def test_a_configuration_that_nothing_refers_to_is_refused(
        self, evidence: StatementEvidence, refusal: Refusal
    ):
        spare = replace(evidence.configurations[0], version=2)
        both = (*evidence.configurations, spare)
        stage, text = refusal(build_package(replace(evidence, configurations=both)))
        assert stage is Stage.TRUST
        assert "versions of configurations | [1] | [1, 2]" in text


class TestStatement:
    def test_too_few_signatures_are_refused(
        self, park: ParkSimulator, refusal: Refusal
    ):
        stage, text = refusal(build_package(park.evidence(4, signers=[2, 3])))
        assert stage is Stage.STATEMENT
        assert "quorum of the statement" in text

    def test_a_quorum_without_an_overseer_is_refused(
        self, make_park: MakePark, refusal: Refusal
    ):
        roles = (Kind.PARK_OPERATOR, Kind.IDENTITY_PLATFORM, Kind.BANK, Kind.REGULATOR)
        park = make_park(4, roles=roles)
        data = build_package(park.evidence(4, signers=[0, 1, 2]))
        stage, text = refusal(data, park.trust)
        assert stage is Stage.STATEMENT
        assert "verifier or regulator" in text

    def test_the_signature_of_another_report_is_named_by_its_member(
        self, evidence: StatementEvidence, refusal: Refusal
    ):
        report = replace(evidence.statement.report, grams=1)
        part = replace(evidence.statement, report=report)
        stage, text = refusal(build_package(replace(evidence, statement=part)))
        assert stage is Stage.STATEMENT
        assert "signature of the statement" in text
        assert "member 1" in text

    def test_another_document_is_refused(
        self, evidence: StatementEvidence, refusal: Refusal
    ):
        part = replace(evidence.statement, document=b"{}")
        stage, text = refusal(build_package(replace(evidence, statement=part)))
        assert stage is Stage.STATEMENT
        assert text.startswith("document")

    def test_another_boundary_is_refused(
        self, evidence: StatementEvidence, refusal: Refusal
    ):
        book = replace(evidence.rule_book, boundary=b"{}")
        stage, text = refusal(build_package(replace(evidence, rule_book=book)))
        assert stage is Stage.STATEMENT
        assert text.startswith("boundary digest")


class TestBatches:
    def test_a_withheld_batch_is_named(
        self, evidence: StatementEvidence, refusal: Refusal
    ):
        batches = (evidence.batches[0], *evidence.batches[2:])
        stage, text = refusal(build_package(replace(evidence, batches=batches)))
        assert stage is Stage.BATCHES
        assert "without 1" in text

    def test_a_statement_of_no_batch_is_refused(
        self, make_park: MakePark, refusal: Refusal
    ):
        park = make_park(4)
        evidence = park.evidence(4, first_batch=3, last_batch=2)
        stage, text = refusal(build_package(replace(evidence, batches=())), park.trust)
        assert stage is Stage.BATCHES
        assert "batches | 3 to 2 in order" in text

    def test_a_batch_that_a_quorum_did_not_sign_is_named(
        self, evidence: StatementEvidence, refusal: Refusal
    ):
        unsigned = replace(evidence.batches[1], attestation=Attestation(0, b""))
        stage, text = refusal(build_package(with_batch(evidence, 1, unsigned)))
        assert stage is Stage.BATCHES
        assert "quorum of the batch 1" in text

    @pytest.mark.parametrize(
        ("field", "value", "named"),
        [
            ("prev_head", bytes(32), "previous head of batch 1"),
            ("log_root", bytes(32), "log root at batch 1"),
            ("log_size", 7, "log size of batch 1"),
            ("stream_id", bytes(32), "stream of batch 1"),
        ],
    )
    def test_a_signed_batch_outside_the_chain_is_named(
        self, make_park: MakePark, field: str, value: Any, named: str
    ):
        park = make_park(None)
        readings = park.devices[0].series(5)
        park.add_batch(readings[:2])
        park.add_batch(readings[2:], **{field: value})
        report = verify_package(build_package(park.evidence(4)), park.trust)
        assert report.failed is not None
        assert report.failed.stage is Stage.BATCHES
        assert report.failed.failure is not None
        assert report.failed.failure.subject == named

    def test_another_past_of_the_log_is_refused(
        self, make_park: MakePark, refusal: Refusal
    ):
        park = make_park(None)
        park.add_batch([])
        park.start_here()
        park.add_batch(park.devices[0].series(5))
        evidence = park.evidence(4)
        other = replace(evidence.log_range, peaks=(bytes(32),))
        stage, text = refusal(build_package(replace(evidence, log_range=other)))
        assert stage is Stage.BATCHES
        assert text.startswith("log root at batch 1")


class TestConfigurationChange:
    def evidence(
        self, park: ParkSimulator, versions: tuple[int, ...], last: int
    ) -> Any:
        """Sign two readings a batch under these versions, the statement under one."""
        for version in versions:
            park.add_batch(park.devices[0].series(2), rules_version=version)
        evidence = park.evidence(2 * len(versions) - 1)
        known = {
            number: replace(park.configuration, version=number) for number in (1, 2)
        }
        statement = replace(evidence.statement, configuration_version=last)
        changes = {"configurations": tuple(known.values()), "statement": statement}
        return replace(evidence, **changes), Trust(park.trust.chain, known)

    def test_in_the_middle_of_the_batches_is_accepted(self, make_park: MakePark):
        evidence, trust = self.evidence(make_park(None), (1, 2), 2)
        assert verify_package(build_package(evidence), trust).is_accepted

    def test_a_statement_of_members_that_were_replaced_is_refused(
        self, make_park: MakePark, refusal: Refusal
    ):
        evidence, trust = self.evidence(make_park(None), (1, 2), 1)
        stage, text = refusal(build_package(evidence), trust)
        assert stage is Stage.BATCHES
        assert text == "configuration of the statement | at least 2, as batch 1 | 1"

    def test_a_batch_of_members_that_were_replaced_is_refused(
        self, make_park: MakePark, refusal: Refusal
    ):
        evidence, trust = self.evidence(make_park(None), (2, 1), 2)
        stage, text = refusal(build_package(evidence), trust)
        assert stage is Stage.BATCHES
        assert text == "configuration of batch 1 | at least 2, as batch 0 | 1"


class TestRegistry:
    def test_a_carrier_with_another_key_is_named(
        self, evidence: StatementEvidence, refusal: Refusal
    ):
        part = evidence.registries[0]
        record = part.proofs[0].record
        epoch = replace(record.epochs[0], public_key=b"\x07" * 64)
        forged = replace(part.proofs[0], record=replace(record, epochs=(epoch,)))
        registries = (replace(part, proofs=(forged,)),)
        stage, text = refusal(build_package(replace(evidence, registries=registries)))
        assert stage is Stage.REGISTRY
        assert "registry record of 88.100.1/m1" in text

    def test_a_root_that_no_batch_names_is_refused(
        self, evidence: StatementEvidence, refusal: Refusal
    ):
        other = replace(evidence.registries[0], root=bytes(32))
        registries = (*evidence.registries, other)
        stage, text = refusal(build_package(replace(evidence, registries=registries)))
        assert stage is Stage.REGISTRY
        assert "roots of registry states" in text

    def test_a_carrier_outside_the_boundary_is_refused(
        self, make_park: MakePark, refusal: Refusal
    ):
        park = make_park(4, inside=("m1",))
        both = make_park(4, inside=("m1", "m2"))
        mixed = replace(
            park.evidence(4),
            registries=both.evidence(4).registries,
            batches=both.evidence(4).batches,
        )
        stage, text = refusal(build_package(mixed))
        assert stage is Stage.REGISTRY
        assert "a carrier of the boundary" in text


class TestCutOff:
    """A carrier that was revoked after its readings were in a batch."""

    def park(self, make_park: MakePark, *last: bytes, **options: Any) -> ParkSimulator:
        park = make_park(None, **options)
        raws = [raw for one in park.inside for raw in one.series(9)]
        park.add_batch(raws)
        park.revoked[park.devices[0].identifier] = 4
        park.add_batch(last)
        return park

    def test_readings_above_it_do_not_count(self, make_park: MakePark):
        park, usual = self.park(make_park), make_park(None)
        usual.add_batch(usual.devices[0].series(5))
        evidence = park.evidence(8)
        report = verify_package(build_package(evidence), park.trust)
        assert report.is_accepted, report.failed
        assert park.statement(8).input_root == usual.statement(8).input_root

    def test_what_it_shuts_out_is_told(self, make_park: MakePark):
        park = self.park(make_park)
        report = verify_package(build_package(park.evidence(8)), park.trust)
        found = report.stages[Stage.COMPLETENESS - 1].found
        assert found["excluded"] == "88.100.1/m1 seq 5 to 8"
        facts = json.loads(park.evidence(8).statement.document)["sources"][
            "88.100.1/m1#1"
        ]["facts"]
        span = [START + 5 * STEP_S, START + 8 * STEP_S]
        assert ["revoked", *span, "seq 5 to 8, last good seq 4"] in facts

    def test_only_the_revoked_carrier_loses_readings(self, make_park: MakePark):
        park = self.park(make_park, inside=("m1", "m2"))
        report = verify_package(build_package(park.evidence(8)), park.trust)
        assert report.is_accepted, report.failed
        sources = park.statement(8).document["sources"]
        assert sources["88.100.1/m1#1"]["samples"] == "5"
        assert sources["88.100.1/m2#1"]["samples"] == "9"

    def test_a_statement_before_it_stays_as_it_was(self, make_park: MakePark):
        park = make_park(None)
        park.add_batch(park.devices[0].series(9))
        park.revoked[park.devices[0].identifier] = 4
        report = verify_package(build_package(park.evidence(8)), park.trust)
        assert report.is_accepted
        assert "excluded" not in report.stages[Stage.COMPLETENESS - 1].found

    def test_a_statement_that_counts_them_is_refused(
        self, make_park: MakePark, refusal: Refusal
    ):
        park = self.park(make_park)
        active = make_park(None)
        active.add_batch(active.devices[0].series(9))
        lie = active.statement(8)
        evidence = park.evidence(
            8,
            input_root=lie.input_root,
            grams=lie.grams,
            result_digest=lie.result_digest,
        )
        part = replace(evidence.statement, document=lie.to_bytes())
        stage, text = refusal(build_package(replace(evidence, statement=part)))
        assert stage is Stage.COMPLETENESS
        assert text == (
            "reading [88.100.1/m1, 8] | one up to the last good seq of its carrier "
            "under the registry of batch 1 | one that the document counts"
        )

    def test_a_missing_record_under_the_last_root_is_named(
        self, make_park: MakePark, refusal: Refusal
    ):
        park = self.park(make_park, inside=("m1", "m2"))
        evidence = park.evidence(8)
        last = evidence.batches[-1].report.data_digest
        registries = tuple(
            replace(part, proofs=part.proofs[1:]) if part.root == last else part
            for part in evidence.registries
        )
        stage, text = refusal(build_package(replace(evidence, registries=registries)))
        assert stage is Stage.REGISTRY
        assert text.startswith("registry record of 88.100.1/m1 | one under the root of")

    def test_a_missing_last_root_is_refused(
        self, make_park: MakePark, refusal: Refusal
    ):
        evidence = self.park(make_park).evidence(8)
        first = evidence.batches[0].report.data_digest
        kept = tuple(part for part in evidence.registries if part.root == first)
        stage, text = refusal(build_package(replace(evidence, registries=kept)))
        assert stage is Stage.REGISTRY
        assert text.startswith("roots of registry states")

    def test_the_record_of_an_earlier_state_is_refused(
        self, make_park: MakePark, refusal: Refusal
    ):
        evidence = self.park(make_park).evidence(8)
        roots = {part.root: part for part in evidence.registries}
        first, last = (
            roots[one.report.data_digest]
            for one in (evidence.batches[0], evidence.batches[-1])
        )
        swapped = (first, replace(last, proofs=first.proofs))
        stage, text = refusal(build_package(replace(evidence, registries=swapped)))
        assert stage is Stage.REGISTRY
        assert text.startswith("registry record of 88.100.1/m1 | a path to root")

    def test_withholding_what_does_not_count_is_refused(
        self, make_park: MakePark, refusal: Refusal
    ):
        evidence = self.park(make_park).evidence(8)
        batch = evidence.batches[0]
        kept = {index: raw for index, raw in batch.readings.items() if index < 7}
        fewer = with_batch(evidence, 0, replace(batch, readings=kept))
        stage, text = refusal(build_package(fewer))
        assert stage is Stage.RECOMPUTATION
        assert "document/sources/88.100.1/m1#1/facts" in text

    def test_no_byte_can_be_flipped_unseen(self, make_park: MakePark):
        park = self.park(make_park)
        package = build_package(park.evidence(8))
        for place in range(0, len(package), 29):
            flipped = bytearray(package)
            flipped[place] ^= 1 << place % 7
            assert not verify_package(bytes(flipped), park.trust, 1).is_accepted, place


class TestReadings:
    def test_a_forged_signature_in_a_signed_batch_is_named(self, make_park: MakePark):
        park = make_park(None)
        readings = park.devices[0].series(5)
        readings[3] = readings[3][:-1] + bytes([readings[3][-1] ^ 1])
        park.add_batch(readings)
        report = verify_package(build_package(park.evidence(4)), park.trust)
        assert report.failed is not None
        assert report.failed.stage is Stage.READINGS
        assert report.failed.failure is not None
        assert "[88.100.1/m1, 3]" in report.failed.failure.subject
        assert "check 4 signature" in report.failed.failure.subject

    def test_a_reading_of_another_batch_is_refused_by_batch(
        self, evidence: StatementEvidence, refusal: Refusal
    ):
        foreign = evidence.batches[1].readings
        first = evidence.batches[0]
        mixed = replace(first, readings={0: foreign[0], 1: foreign[1]})
        stage, text = refusal(build_package(with_batch(evidence, 0, mixed)))
        assert stage is Stage.READINGS
        assert "batch 0 with reading [88.100.1/m1, 2]" in text

    def test_a_reading_of_a_carrier_without_record_is_refused(
        self, make_park: MakePark, refusal: Refusal
    ):
        both = make_park(4, inside=("m1", "m2")).evidence(4)
        mixed = replace(make_park(4).evidence(4), batches=both.batches)
        stage, text = refusal(build_package(mixed))
        assert stage is Stage.READINGS
        assert "check 2 key id" in text

    def test_a_proof_without_readings_is_refused(
        self, package: bytes, refusal: Refusal
    ):
        fields = cbor.decode(package)
        fields[8][-1][4] = [bytes(32)]
        stage, text = refusal(cbor.encode(fields))
        assert stage is Stage.READINGS
        assert "proof of batch 3 | no nodes | 1" in text


class TestCompleteness:
    @pytest.mark.parametrize("seq", range(5))
    def test_a_withheld_reading_is_named_as_a_gap(
        self, evidence: StatementEvidence, refusal: Refusal, seq: int
    ):
        batch = evidence.batches[seq // 2]
        kept = {index: raw for index, raw in batch.readings.items() if index != seq % 2}
        fewer = with_batch(evidence, seq // 2, replace(batch, readings=kept))
        if not kept:  # then its registry state is not needed, but another batch's is
            assert len({one.report.data_digest for one in evidence.batches}) == 1
        stage, text = refusal(build_package(fewer))
        assert stage is Stage.COMPLETENESS
        assert text.startswith(f"gap in [88.100.1/m1, seq {seq} to {seq}]")

    def test_a_lost_reading_does_not_hide_a_withheld_one(self, make_park: MakePark):
        park = make_park(None)
        readings = park.devices[0].series(7)
        park.add_batch([*readings[:2], *readings[3:]])
        evidence = park.evidence(6)
        batch = evidence.batches[0]
        kept = {index: raw for index, raw in batch.readings.items() if index != 3}
        data = build_package(with_batch(evidence, 0, replace(batch, readings=kept)))
        report = verify_package(data, park.trust)
        assert report.failed is not None
        assert report.failed.stage is Stage.COMPLETENESS
        assert report.failed.failure is not None
        assert report.failed.failure.subject == "gap in [88.100.1/m1, seq 4 to 4]"


class TestRules:
    def book(self, evidence: StatementEvidence, old: bytes, new: bytes) -> RuleBookPart:
        sets = tuple(one.replace(old, new) for one in evidence.rule_book.rule_sets)
        return replace(evidence.rule_book, rule_sets=sets)

    def test_a_changed_factor_is_named(
        self, evidence: StatementEvidence, refusal: Refusal
    ):
        book = self.book(evidence, b"0.5306", b"0.5307")
        stage, text = refusal(build_package(replace(evidence, rule_book=book)))
        assert stage is Stage.RULES
        assert text.startswith("rule set t/energy/1, factor t/energy/1: EF_grid of")
        assert text.endswith("| 0.5306 | 0.5307")

    def test_a_changed_formula_is_named_by_its_rule_set(
        self, evidence: StatementEvidence, refusal: Refusal
    ):
        book = self.book(evidence, b"E_comb + E_elec_in", b"E_elec_in + E_comb")
        stage, text = refusal(build_package(replace(evidence, rule_book=book)))
        assert stage is Stage.RULES
        assert text.startswith("rule set t/totals/1, digest")

    def test_another_factor_year_is_refused(
        self, evidence: StatementEvidence, refusal: Refusal
    ):
        book = replace(evidence.rule_book, factor_year=2022)
        stage, text = refusal(build_package(replace(evidence, rule_book=book)))
        assert stage is Stage.RULES
        assert text == "factor year | 2023 | 2022"

    def test_a_missing_rule_set_is_refused(
        self, evidence: StatementEvidence, refusal: Refusal
    ):
        book = replace(evidence.rule_book, rule_sets=evidence.rule_book.rule_sets[:2])
        stage, text = refusal(build_package(replace(evidence, rule_book=book)))
        assert stage is Stage.RULES
        assert text.startswith("rule sets")

    def test_comments_of_a_rule_set_stay_outside(
        self, evidence: StatementEvidence, package: bytes
    ):
        book = self.book(evidence, b"standard: t", b"standard: t  # a remark")
        assert build_package(replace(evidence, rule_book=book)) == package


class TestRecomputation:
    @pytest.mark.parametrize(
        ("field", "value", "named"),
        [
            ("grams", 1, "grams of CO2"),
            ("input_root", bytes(32), "input root"),
            ("period_end", START + 3 * STEP_S, "input root"),
        ],
    )
    def test_a_signed_figure_that_readings_do_not_give_is_named(
        self, park: ParkSimulator, refusal: Refusal, field: str, value: Any, named: str
    ):
        stage, text = refusal(build_package(park.evidence(4, **{field: value})))
        assert stage is Stage.RECOMPUTATION
        assert text.startswith(named)

    def test_a_signed_period_without_end_is_refused(
        self, park: ParkSimulator, refusal: Refusal
    ):
        stage, text = refusal(build_package(park.evidence(4, period_end=(1 << 64) - 1)))
        assert stage is Stage.RECOMPUTATION
        assert text.startswith("calculation | a result | plant: period")

    def test_a_purpose_that_the_rule_sets_do_not_answer_is_refused(
        self, park: ParkSimulator, refusal: Refusal
    ):
        stage, text = refusal(build_package(park.evidence(4, purpose=3)))
        assert stage is Stage.RECOMPUTATION
        assert text.startswith("calculation | a result")


class TestSignedDocumentOfAnotherForm:
    """What no honest member signs is still refused in words."""

    @pytest.mark.parametrize(
        ("path", "value", "named"),
        [
            (["rule_sets", "energy"], None, "document/energy"),
            (["sources", "88.100.1/m1#1", "sequences"], [None, None], "source 88"),
            (["sources", "88.100.1/m1#1", "samples"], "0", "gap in"),
            (["sources", "88.100.1/m1#1", "facts"], [["gap", [], 1]], "source 88"),
            (["sources"], [], "document/sources"),
        ],
    )
    def test_is_refused_by_name(
        self,
        park: ParkSimulator,
        refusal: Refusal,
        path: list[str],
        value: Any,
        named: str,
    ):
        content = json.loads(park.evidence(4).statement.document)
        holder = content
        for name in path[:-1]:
            holder = holder[name]
        holder[path[-1]] = value
        if path[-1] == "samples":
            holder["sequences"] = [90, 91]
        document = canonical_json(content)
        evidence = park.evidence(4, result_digest=sha256(document).digest())
        statement = replace(evidence.statement, document=document)
        stage, text = refusal(build_package(replace(evidence, statement=statement)))
        assert stage in {Stage.COMPLETENESS, Stage.RULES}
        assert text.startswith(named)


class TestReport:
    @pytest.mark.parametrize("field", ["boundary", "factor_set_digest"])
    def test_a_signed_field_of_another_statement_is_named(
        self, park: ParkSimulator, refusal: Refusal, field: str
    ):
        stage, text = refusal(build_package(park.evidence(4, **{field: bytes(32)})))
        assert stage is Stage.REPORT
        assert field.split("_", maxsplit=1)[0] in text


STAGES: dict[int, set[Stage]] = {
    1: {Stage.FORM},
    2: {Stage.FORM, Stage.TRUST},
    3: {Stage.FORM, Stage.TRUST},
    4: {Stage.FORM, Stage.TRUST, Stage.STATEMENT},
    5: {Stage.FORM, Stage.STATEMENT, Stage.RULES},
    6: {Stage.FORM, Stage.REGISTRY, Stage.READINGS},
    7: {Stage.FORM, Stage.BATCHES},
    8: set(Stage) - {Stage.RULES, Stage.RECOMPUTATION, Stage.REPORT},
}


@pytest.fixture(scope="module")
def big(make_park: MakePark) -> tuple[bytes, Trust]:
    park = make_park(40, inside=("m1", "m2"))
    return build_package(park.evidence(40)), park.trust


class TestEveryField:
    """Structure-aware damage: each field changed, each array shortened or doubled."""

    @pytest.mark.parametrize("key", range(1, 9))
    def test_a_change_is_refused_at_a_stage_that_fits(
        self, big: tuple[bytes, Trust], key: int
    ):
        data, trust = big
        fields = cbor.decode(data)
        wrong = []
        for path, changed in _changes(fields[key], ()):
            report = verify_package(cbor.encode({**fields, key: changed}), trust, 1)
            stage = report.failed.stage if report.failed else None
            if stage not in STAGES[key]:
                wrong.append((path, stage))
        assert wrong == []

    def test_sampled_bytes_of_a_bigger_package_are_refused(
        self, big: tuple[bytes, Trust]
    ):
        data, trust = big
        for place in range(0, len(data), len(data) // 150):
            flipped = bytearray(data)
            flipped[place] ^= 0xFF
            assert not verify_package(bytes(flipped), trust, 1).is_accepted, place


Path = tuple[int, ...]


def _changes(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Give copies of a decoded value, each with one thing changed."""
    if isinstance(value, list):
        yield from ((path, changed) for changed in _array_changes(value))
        for index in _sampled(len(value)):
            for where, changed in _changes(value[index], (*path, index)):
                yield where, [*value[:index], changed, *value[index + 1 :]]
    elif isinstance(value, bytes):
        yield path, value + b"x"
        if value:
            yield path, value[:-1] + bytes([value[-1] ^ 1])
    elif isinstance(value, str):
        yield path, value + "x"
    elif isinstance(value, int):
        yield path, value + 1
        yield path, None
    else:
        yield path, 0


def _array_changes(value: list[Any]) -> Iterator[list[Any]]:
    """Add, drop, double and swap items."""
    yield [*value, None]
    if value:
        yield value[1:]
        yield value[:-1]
        yield [value[0], *value]
    if len(value) > 1 and value[0] != value[1]:
        yield [value[1], value[0], *value[2:]]


def _sampled(count: int) -> list[int]:
    """Take all of few items, else the first, the last and two between."""
    few = 20
    whole = list(range(count))
    return whole if count <= few else [0, count // 3, 2 * count // 3, count - 1]
