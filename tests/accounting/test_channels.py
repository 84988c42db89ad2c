from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from accounting.canonical import canonical_json, parse_canonical_json
from accounting.channels import Channel, ChannelTable
from accounting.errors import InvalidDocumentError, InvalidQuantityError

POWER = Channel(
    register=1,
    quantity="active energy import",
    unit="kWh",
    scale=Fraction(1, 100),
    modulus=10**8,
    nameplate_max_per_h=Fraction(500),
    provenance="meter-signed",
    accuracy_pct=Fraction(1, 2),
)
GAS = Channel(2, "gas", "Nm3", Fraction(1, 10), None, None, "imported")


class TestChannel:
    @pytest.mark.parametrize("channel", [POWER, GAS])
    def test_json_gives_back_the_channel(self, channel: Channel):
        assert Channel.from_json(channel.to_json()) == channel

    def test_numbers_travel_as_text(self):
        data = POWER.to_json()

        assert (data["scale"], data["modulus"]) == ("0.01", "100000000")
        assert (data["nameplate_max_per_h"], data["accuracy_pct"]) == ("500", "0.5")

    @pytest.mark.parametrize(
        "change",
        [
            {"register": -1},
            {"scale": Fraction(0)},
            {"modulus": 1},
            {"modulus": -5},
            {"provenance": "hearsay"},
            {"nameplate_max_per_h": Fraction(0)},
            {"accuracy_pct": Fraction(-1)},
        ],
    )
    def test_fields_out_of_range_are_refused(self, change: dict[str, Any]):
        with pytest.raises(InvalidDocumentError, match=next(iter(change))):
            replace(POWER, **change)

    def test_unknown_units_are_refused(self):
        with pytest.raises(InvalidQuantityError, match="unknown unit"):
            replace(POWER, unit="kWhh")

    @pytest.mark.parametrize(
        "change",
        [
            {"scale": 1},
            {"scale": "1e3"},
            {"register": True},
            {"register": "1"},
            {"modulus": "x"},
            {"unit": None},
            {"extra": 1},
        ],
    )
    def test_wrong_json_is_refused(self, change: dict[str, Any]):
        with pytest.raises(InvalidDocumentError, match="channel"):
            Channel.from_json({**POWER.to_json(), **change})

    def test_a_missing_field_is_refused(self):
        data = POWER.to_json()
        del data["unit"]

        with pytest.raises(InvalidDocumentError, match="fields"):
            Channel.from_json(data)


class TestChannelTable:
    def test_bytes_give_back_the_table(self):
        table = ChannelTable("88.1.1/m1", (GAS, POWER))

        assert ChannelTable.from_bytes(table.to_bytes()) == table

    def test_order_of_channels_does_not_matter(self):
        one = ChannelTable("88.1.1/m1", (GAS, POWER))
        other = ChannelTable("88.1.1/m1", (POWER, GAS))

        assert one.digest == other.digest

    def test_finds_a_channel_by_register(self):
        table = ChannelTable("88.1.1/m1", (GAS, POWER))

        assert table.channel(2) == GAS
        assert table.channel(3) is None

    @pytest.mark.parametrize("channels", [(), (POWER, POWER)])
    def test_a_register_stands_once(self, channels: tuple[Channel, ...]):
        with pytest.raises(InvalidDocumentError, match="each once"):
            ChannelTable("88.1.1/m1", channels)

    def test_other_bytes_are_refused(self):
        data = ChannelTable("88.1.1/m1", (POWER,)).to_bytes()

        with pytest.raises(InvalidDocumentError, match="canonical"):
            ChannelTable.from_bytes(data + b" ")

    def test_unknown_fields_are_refused(self):
        data = ChannelTable("88.1.1/m1", (POWER,)).to_bytes()
        content = {**parse_canonical_json(data, "table"), "more": 1}

        with pytest.raises(InvalidDocumentError, match="fields"):
            ChannelTable.from_bytes(canonical_json(content))

    @pytest.mark.parametrize(
        ("field", "spelling"),
        [
            ("scale", "1.0"),
            ("scale", "3/3"),
            ("modulus", "1_000"),
            ("modulus", "１０００"),
            ("modulus", 1000),
        ],
    )
    def test_a_number_has_one_spelling(self, field: str, spelling: Any):
        data = ChannelTable("88.1.1/m1", (POWER,)).to_bytes()
        content = parse_canonical_json(data, "table")
        content["channels"][0][field] = spelling

        with pytest.raises(InvalidDocumentError, match="spelling"):
            ChannelTable.from_bytes(canonical_json(content))

    def test_channels_in_another_order_are_refused(self):
        content = parse_canonical_json(
            ChannelTable("88.1.1/m1", (POWER, GAS)).to_bytes(), "table"
        )
        content["channels"].reverse()

        with pytest.raises(InvalidDocumentError, match="channels by register"):
            ChannelTable.from_bytes(canonical_json(content))

    def test_a_modulus_of_zero_is_refused(self):
        with pytest.raises(InvalidDocumentError, match=r"modulus: .* at least 2"):
            Channel.from_json({**POWER.to_json(), "modulus": "0"})
