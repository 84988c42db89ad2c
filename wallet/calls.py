"""Governed calls in words: which function of which contract, with which values.

A person who signs a call signs its bytes; here they are read back into a function's
name and arguments. Bytes that are no function of the contracts are shown as they are,
and said to be unknown. What a call announces, makes or takes back through the access
manager is a call itself and shown in the same way, one level deep.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from eth_abi.exceptions import DecodingError

from contracts.bindings import (
    access_manager,
    accounts,
    carbon_codes,
    carriers,
    cash,
    directory,
    emission_ledger,
    market,
    quota,
    reading_anchor,
    rulebook,
)
from contracts.calls import SELECTOR_BYTES, Function
from contracts.hashing import address_bytes, checksum_address
from contracts.solidity import decode_abi

__all__ = ["describe_call"]

_BINDINGS = (
    access_manager,
    accounts,
    carbon_codes,
    carriers,
    cash,
    directory,
    emission_ledger,
    market,
    quota,
    reading_anchor,
    rulebook,
)

_LABEL_BYTES = 32
"""Length of a name of the directory or the rulebook, padded with zeros. [bytes]"""

_CARRIED = {
    access_manager.SCHEDULE.selector: 0,
    access_manager.EXECUTE.selector: 0,
    access_manager.CANCEL.selector: 1,
}
"""Functions that carry another call → which argument its target is; data follow it."""


def describe_call(target: str, data: bytes, names: Mapping[str, str]) -> str:
    """Say what a call does.

    Args:
        target: Address of the called contract.
        data: Selector and arguments.
        names: Address → name, for contracts and accounts.

    Returns:
        For instance ``Market.halt(2024, true)``.
    """
    return _describe(target, data, names, is_whole=True)


def _describe(
    target: str, data: bytes, names: Mapping[str, str], *, is_whole: bool
) -> str:
    where = names.get(target, target)
    function = _functions().get(data[:SELECTOR_BYTES])
    if function is None:
        return f"{where}: unknown function 0x{data.hex()}"
    name, _, types = function.signature.partition("(")
    try:
        values = decode_abi(f"({types}", data[SELECTOR_BYTES:])
    except DecodingError:
        return f"{where}: malformed call of {name}, 0x{data.hex()}"
    if is_whole and (place := _CARRIED.get(function.selector)) is not None:
        inner, carried = values[place : place + 2]
        inner = checksum_address(address_bytes(inner))
        what = _describe(inner, carried, names, is_whole=False)
        return f"{where}.{name}: {what}"
    words = ", ".join(_word(value, names) for value in values)
    return f"{where}.{name}({words})"


@cache
def _functions() -> dict[bytes, Function]:
    return {
        function.selector: function
        for module in _BINDINGS
        for function in vars(module).values()
        if isinstance(function, Function)
    }


def _word(value: Any, names: Mapping[str, str]) -> str:
    if isinstance(value, bytes):
        label = value.rstrip(b"\0")
        if len(value) == _LABEL_BYTES > len(label) and label.isascii():
            text = label.decode("ascii")
            if text and text.isprintable():
                return repr(text)
        return f"0x{value.hex()}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(_word(item, names) for item in value)}]"
    known = {address.lower(): name for address, name in names.items()}
    name = known.get(str(value).lower())
    # The address stands beside its name, which is only what a node says it is.
    return str(value) if name is None else f"{name} ({value})"
