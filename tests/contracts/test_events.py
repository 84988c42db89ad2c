from enum import IntEnum
from typing import Any

import pytest
from eth_abi import encode
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import events
from contracts.enumerations import Kind
from contracts.errors import ConflictError
from contracts.events import EVENTS, decode, event_fields, event_signature
from contracts.hashing import checksum_address, keccak256
from contracts.solidity import to_abi
from contracts.structs import BatchReport, Member

PLACE = {
    "address": checksum_address(b"\xab" * 20),
    "block_number": 16,
    "tx_hash": b"\x11" * 32,
    "log_index": 2,
}
ALICE, BOB = checksum_address(b"\x01" * 20), checksum_address(b"\x02" * 20)
HASH = b"\x0f" * 32
REPORT = BatchReport(
    *(b"\x01" * 32, 7, b"\x02" * 32, b"\x03" * 32, 4096, 7, b"\x04" * 32),
    *(99, b"\x05" * 32, 10, 20, b"\x06" * 32, b"\x07" * 32, 1),
)


def log_of(event: Any) -> dict[str, Any]:
    members = event_fields(type(event))
    values = {member.name: to_abi(getattr(event, member.name)) for member in members}
    rest = [member for member in members if not member.is_indexed]
    topics = [keccak256(event_signature(type(event)).encode())]
    topics += [encode([m.type], [values[m.name]]) for m in members if m.is_indexed]
    data = encode([m.type for m in rest], [values[m.name] for m in rest])
    return {
        "address": "0x" + "ab" * 20,
        "topics": ["0x" + topic.hex() for topic in topics],
        "data": "0x" + data.hex(),
        "blockNumber": "0x10",
        "transactionHash": "0x" + "11" * 32,
        "logIndex": "0x2",
    }


NUMBERS = {
    f"{sign}int{bits}": st.integers(
        0 if sign else -(2 ** (bits - 1)), 2**bits - 1 if sign else 2 ** (bits - 1) - 1
    )
    for sign in ("u", "")
    for bits in (8, 16, 32, 64, 128, 256)
}
VALUES = {
    **NUMBERS,
    "uint256[2]": st.tuples(NUMBERS["uint256"], NUMBERS["uint256"]),
    "address": st.binary(min_size=20, max_size=20).map(checksum_address),
    "bool": st.booleans(),
    "string": st.text(max_size=40),
    "bytes": st.binary(max_size=90),
    "bytes4": st.binary(min_size=4, max_size=4),
    "bytes32": st.binary(min_size=32, max_size=32),
}


def values_of(hint: Any, abi: str) -> st.SearchStrategy[Any]:
    python = getattr(hint, "__origin__", hint)
    if isinstance(python, type) and issubclass(python, IntEnum):
        return st.sampled_from(list(python))
    return VALUES[abi]


def simple_events() -> st.SearchStrategy[Any]:
    simple = [
        event
        for event in EVENTS.values()
        if all("(" not in member.type for member in event_fields(event))
    ]
    return st.sampled_from(simple).flatmap(
        lambda event: st.builds(
            event,
            **{m.name: values_of(m.hint, m.type) for m in event_fields(event)},
            **{name: st.just(value) for name, value in PLACE.items()},
        )
    )


class TestDecode:
    @given(simple_events())
    @settings(max_examples=100, deadline=None)
    def test_reads_what_the_abi_encodes(self, event: Any):
        assert decode(log_of(event)) == event

    def test_reads_a_whole_report(self):
        event = events.BatchAnchored(REPORT, 13, **PLACE)
        assert decode(log_of(event)) == event

    def test_reads_a_list_of_members(self):
        members = (Member(ALICE, BOB, Kind.VERIFIER), Member(BOB, ALICE, Kind.BANK))
        event = events.ConfigurationSet(1, 2, members, b"\x05" * 32, **PLACE)
        assert decode(log_of(event)) == event

    def test_gives_nothing_for_a_foreign_log(self):
        log = log_of(events.CashMoved(ALICE, BOB, 5, **PLACE))
        assert decode({**log, "topics": ["0x" + "00" * 32]}) is None
        assert decode({**log, "topics": []}) is None

    def test_gives_nothing_for_a_namesake_with_other_topics(self):
        log = log_of(events.CashMoved(ALICE, BOB, 5, **PLACE))
        assert decode({**log, "topics": log["topics"][:2]}) is None

    @pytest.mark.parametrize(
        "event",
        [
            events.CashMoved(ALICE, BOB, 5, **PLACE),
            events.AccountOpened(ALICE, Kind.BANK, "Bank", **PLACE),
        ],
    )
    def test_refuses_data_of_another_shape(self, event: Any):
        log = log_of(event)
        with pytest.raises(ConflictError, match="has not the shape") as caught:
            decode({**log, "data": log["data"][:-64]})
        assert caught.value.block_number == 16
