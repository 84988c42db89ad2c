"""Amounts as people type them."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wallet.amounts import (
    MAX_UINT128,
    format_fen,
    format_tonnes,
    parse_count,
    parse_fen,
    parse_tonnes,
)
from wallet.errors import InvalidInstructionError

BOUNDED = settings(max_examples=100, deadline=None)


class TestMoney:
    @BOUNDED
    @given(st.integers(0, MAX_UINT128))
    def test_reads_back_what_it_writes(self, fen: int):
        assert parse_fen(format_fen(fen)) == fen

    @BOUNDED
    @given(st.decimals(0, 10**12, places=2))
    def test_is_exact_for_every_amount_with_two_decimals(self, amount: Decimal):
        assert parse_fen(f"{amount:.2f}") == int(amount * 100)

    @BOUNDED
    @given(st.text(max_size=12))
    def test_accepts_nothing_that_is_not_an_amount(self, text: str):
        try:
            fen = parse_fen(text)
        except InvalidInstructionError:
            return
        plain = text.strip().removesuffix("CNY").strip().replace(",", "")
        assert Decimal(plain) * 100 == fen

    @pytest.mark.parametrize(
        "text", ["", "-1", "1.005", "1e3", "1,00", "12,34.5", "٣", "1 USD", ".5", "1."]
    )
    def test_refuses_what_is_no_exact_amount(self, text: str):
        with pytest.raises(InvalidInstructionError, match="price: expected CNY"):
            parse_fen(text, "price")

    def test_refuses_more_than_a_contract_can_hold(self):
        with pytest.raises(InvalidInstructionError, match="at most 2"):
            parse_fen(format_fen(MAX_UINT128 + 1))


class TestQuota:
    @BOUNDED
    @given(st.integers(1, MAX_UINT128))
    def test_reads_back_what_it_writes(self, tonnes: int):
        assert parse_tonnes(format_tonnes(tonnes)) == tonnes

    @pytest.mark.parametrize("text", ["0", "1.5", "-3", "1000 kg", "1 000", ""])
    def test_refuses_what_is_not_whole_tonnes(self, text: str):
        with pytest.raises(InvalidInstructionError, match="whole tonnes above zero"):
            parse_tonnes(text)


class TestCount:
    def test_refuses_more_than_its_maximum(self):
        with pytest.raises(InvalidInstructionError, match="from 0 to 7"):
            parse_count("8", "bits", 7)

    def test_takes_its_maximum(self):
        assert parse_count("7", "bits", 7) == 7


class TestNumbersWithoutEnd:
    @pytest.mark.parametrize("digits", ["9" * 5_000, f"1{',000' * 2_000}"])
    def test_are_refused_in_a_sentence(self, digits: str):
        for parse in (parse_fen, parse_tonnes):
            with pytest.raises(InvalidInstructionError, match="expected"):
                parse(digits, "amount")
        with pytest.raises(InvalidInstructionError, match="whole number"):
            parse_count(digits, "nonce", 2**64 - 1)
