"""Instructions: built from text, kept in files, signed by two."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.bindings.market import HALT
from contracts.structs import AllocateQuota
from contracts.typed_data import account_id
from wallet.amounts import MAX_UINT128, format_fen
from wallet.catalogue import LANGUAGES, catalogue
from wallet.errors import ConflictSignatureError, InvalidInstructionError
from wallet.instruction_file import from_json, to_json
from wallet.instructions import (
    KINDS,
    Instruction,
    build,
    field_names,
    field_of,
    signatures_for,
)
from wallet.show import lines, sentence
from wallet.signers import KeySigner, sign_instruction

CONTRACT = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
OTHER = "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512"
FIRST, SECOND = (KeySigner(bytes([7]) * 31 + bytes([n])) for n in (1, 2))
BOUNDED = settings(max_examples=60, deadline=None)

EXAMPLES = {
    "account": "Regulator",
    "to": "Steelworks",
    "seller": "Steelworks",
    "buyer": "Glassworks",
    "key": OTHER,
    "target": OTHER,
    "targets": f"{OTHER},{CONTRACT}",
    "statement": "0x" + "ab" * 32,
    "payout": "0x" + "cd" * 32,
    "boundary": "steelworks-2023",
    "document": "decision 7",
    "reason": "voluntary",
    "findings_digest": "findings",
    "evidence_digest": "books",
    "destination": "account 1",
    "bank_reference": "receipt 1",
    "vintage": "2024",
    "tonnes": "120000",
    "fen": "10.50",
    "price_fen": "81.20",
    "value_added_fen": "1000000",
    "opinion": "positive",
    "rights": "both",
    "period_start": "2023-01-01T00:00+08:00",
    "period_end": "1704038400",
    "deadline": "1800000000",
    "nonce": "4",
    "seller_nonce": "5",
    "buyer_nonce": "6",
}


def _example(kind: str, **changed: str) -> Instruction:
    data = f"0x{HALT.encode(2024, True).hex()}"
    texts = EXAMPLES | {"data": f"{data},{data}" if kind == "CallBatch" else data}
    fields = {name: (texts | changed)[name] for name in field_names(kind)}
    return build(kind, CONTRACT, 20260, fields, "Regulator")


def _signed(instruction: Instruction) -> Instruction:
    (party,) = instruction.parties
    once = sign_instruction(instruction, party, "initiate", FIRST)
    return sign_instruction(once, party, "approve", SECOND)


class TestBuild:
    def test_takes_names_units_and_dates_as_people_write_them(self):
        message = _example("AllocateQuota", tonnes="120,000 t").message
        assert message == AllocateQuota(
            account_id("Regulator"),
            account_id("Steelworks"),
            2024,
            120_000,
            message.document,
            4,
            1_800_000_000,
        )

    def test_reads_local_time_where_no_zone_is_given(self):
        zoned = _example("DeclareValueAdded").message.period_start
        local = _example("DeclareValueAdded", period_start="2023-01-01").message
        assert local.period_start == zoned == 1_672_502_400

    def test_names_a_missing_field(self):
        with pytest.raises(InvalidInstructionError, match="without tonnes"):
            build("CancelQuota", CONTRACT, 20260, {"account": "Steelworks"})

    def test_names_an_unknown_field(self):
        fields = {name: EXAMPLES[name] for name in field_names("CancelQuota")}
        with pytest.raises(InvalidInstructionError, match="unknown colour"):
            build("CancelQuota", CONTRACT, 20260, {**fields, "colour": "red"})

    @pytest.mark.parametrize(
        ("kind", "field", "text", "words"),
        [
            ("AllocateQuota", "tonnes", "1.5", "whole tonnes"),
            ("AllocateQuota", "tonnes", "1000 kg", "whole tonnes"),
            ("AllocateQuota", "vintage", "24", "allocation year"),
            ("AllocateQuota", "to", "0x12", "an account's name"),
            ("CreditReceipt", "fen", "1.005", "at most two decimals"),
            ("VerifyStatement", "opinion", "fine", "positive or qualified"),
            ("SubmitStatement", "statement", "0x12", "32 bytes"),
            ("ChangeRepresentative", "rights", "all", "none or initiate"),
            ("DeclareValueAdded", "period_end", "soon", "a time such as"),
            ("BlockTrade", "buyer", "Steelworks", "another account than"),
            ("Call", "data", "0xabc", "bytes in hexadecimal"),
            ("AllocateQuota", "to", "\ud800", "a text"),
            ("CancelQuota", "reason", "\udfff", "a text"),
            ("CancelQuota", "nonce", "1" * 5_000, "whole number"),
        ],
    )
    def test_refuses_what_does_not_fit_its_field(
        self, kind: str, field: str, text: str, words: str
    ):
        with pytest.raises(InvalidInstructionError, match=f"{field}: .*{words}"):
            _example(kind, **{field: text})

    def test_refuses_a_report_of_members(self):
        with pytest.raises(InvalidInstructionError, match="one of ChangeRep"):
            build("StatementReport", CONTRACT, 20260, {})


class TestFile:
    @pytest.mark.parametrize("kind", KINDS)
    def test_reads_back_every_kind(self, kind: str):
        instruction = _example(kind)
        assert from_json(json.dumps(to_json(instruction))) == instruction

    @BOUNDED
    @given(st.integers(0, MAX_UINT128), st.integers(1, MAX_UINT128))
    def test_keeps_amounts_exact(self, fen: int, tonnes: int):
        price = format_fen(fen)
        instruction = _example("BlockTrade", price_fen=price, tonnes=str(tonnes))
        message = from_json(to_json(instruction)).message
        assert (message.price_fen, message.tonnes) == (fen, tonnes)

    def test_keeps_both_signatures(self):
        signed = _signed(_example("CancelQuota"))
        assert from_json(to_json(signed)) == signed

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"fields": {**EXAMPLES}}, "unknown"),
            ({"chain_id": 1}, "changed after signing"),
            ({"contract": OTHER}, "changed after signing"),
            ({"parties": [OTHER]}, "parties"),
            ({"format": "ccl/instruction/v2"}, "ccl/instruction/v1"),
            ({"kind": "Nothing"}, "one of"),
            ({"signatures": {}}, "a list"),
        ],
    )
    def test_refuses_a_file_that_was_changed(self, change: dict[str, Any], words: str):
        document = to_json(_signed(_example("CancelQuota"))) | change
        with pytest.raises(InvalidInstructionError, match=words):
            from_json(document)

    def test_refuses_a_changed_amount_under_old_signatures(self):
        document = to_json(_signed(_example("CancelQuota")))
        document["fields"]["tonnes"] = "120001"
        with pytest.raises(InvalidInstructionError, match="changed after signing"):
            from_json(document)

    @pytest.mark.parametrize("text", [b"\xff", "[" * 100_000])
    def test_refuses_what_is_no_json(self, text: str | bytes):
        with pytest.raises(InvalidInstructionError, match="JSON"):
            from_json(text)


class TestSignatures:
    def test_of_two_people_make_a_pair(self):
        signed = _signed(_example("CancelQuota"))
        pair = signatures_for(signed, signed.parties[0])
        made = {one.role: one.signature for one in signed.signatures}
        assert (pair.initiator, pair.approver) == (made["initiate"], made["approve"])

    def test_refuse_the_same_person_twice(self):
        instruction = _example("CancelQuota")
        (party,) = instruction.parties
        once = sign_instruction(instruction, party, "initiate", FIRST)
        with pytest.raises(ConflictSignatureError, match="another person must sign"):
            sign_instruction(once, party, "approve", FIRST)

    def test_refuse_a_second_initiator(self):
        instruction = _example("CancelQuota")
        (party,) = instruction.parties
        once = sign_instruction(instruction, party, "initiate", FIRST)
        with pytest.raises(ConflictSignatureError, match="has its signature"):
            sign_instruction(once, party, "initiate", SECOND)

    def test_refuse_a_stranger(self):
        with pytest.raises(ConflictSignatureError, match="is no party"):
            sign_instruction(_example("CancelQuota"), OTHER, "initiate", FIRST)

    def test_are_not_enough_alone(self):
        instruction = _example("CancelQuota")
        (party,) = instruction.parties
        once = sign_instruction(instruction, party, "initiate", FIRST)
        with pytest.raises(ConflictSignatureError, match="still missing: approve"):
            signatures_for(once, party)

    def test_of_both_sides_stand_in_order(self):
        trade = _example("BlockTrade")
        seller, buyer = trade.parties
        signed = sign_instruction(trade, buyer, "approve", SECOND)
        signed = sign_instruction(signed, seller, "initiate", FIRST)
        assert [one.account for one in signed.signatures] == [seller, buyer]
        assert signed.missing == [(seller, "approve"), (buyer, "initiate")]

    def test_hold_for_one_chain_only(self):
        signed = _signed(_example("CancelQuota"))
        elsewhere = replace(signed, chain_id=1)
        with pytest.raises(InvalidInstructionError, match="changed after signing"):
            from_json(to_json(elsewhere))

    def test_never_show_the_key(self):
        assert "07" * 4 not in repr(FIRST)


class TestWords:
    def test_are_there_in_both_languages(self):
        english, chinese = (catalogue(language) for language in LANGUAGES)
        assert english.keys() == chinese.keys()

    def test_use_the_same_placeholders_in_both_languages(self):
        english, chinese = (catalogue(language) for language in LANGUAGES)
        unlike = [
            key
            for key in english
            if _placeholders(english[key]) != _placeholders(chinese[key])
        ]
        assert unlike == []

    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize("kind", KINDS)
    def test_show_every_field_of_every_kind(self, kind: str, language: Any):
        instruction = _example(kind)
        shown = {text for _, text in lines(instruction, language)}
        values = {
            field_of(kind, name).show(getattr(instruction.message, name))
            for name in field_names(kind)
        }
        assert values <= shown
        assert sentence(instruction, language)

    def test_name_accounts_and_totals(self):
        trade = _example("BlockTrade")
        words = sentence(trade, "en", {trade.parties[0]: "Steelworks"})
        assert f"Steelworks ({trade.parties[0]}) sells" in words
        assert "9,744,000.00 CNY in all" in words

    def test_say_which_function_a_call_is(self):
        call = _example("Call")
        words = sentence(call, "zh", {OTHER: "Market"})
        assert "Market.halt(2024, true)" in words

    def test_say_that_a_call_is_unknown(self):
        assert "unknown function" in sentence(_example("Call", data="0x12345678"))


def _placeholders(text: str) -> set[str]:
    return {part.split("}")[0] for part in text.split("{")[1:]}
