"""Governed calls in words: which function of which contract, with which values.

A person who signs a call signs its bytes; here they are read back into a function's
name and arguments. Bytes that are no function of the contracts are shown as they are,
and said to be unknown.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from eth_abi.exceptions import DecodingError

from contracts.bindings import (
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
from contracts.solidity import decode_abi

__all__ = ["describe_call"]

_BINDINGS = (
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


def describe_call(target: str, data: bytes, names: Mapping[str, str]) -> str:
    """Say what a call does.

    Args:
        target: Address of the called contract.
        data: Selector and arguments.
        names: Address → name, for contracts and accounts.

    Returns:
        For instance ``Market.halt(2024, true)``.
    """
    where = names.get(target, target)
    function = _functions().get(data[:SELECTOR_BYTES])
    if function is None:
        return f"{where}: unknown function 0x{data.hex()}"
    name, _, types = function.signature.partition("(")
    try:
        values = decode_abi(f"({types}", data[SELECTOR_BYTES:])
    except DecodingError:
        return f"{where}: malformed call of {name}, 0x{data.hex()}"
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
        return f"0x{value.hex()}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(_word(item, names) for item in value)}]"
    known = {address.lower(): name for address, name in names.items()}
    return known.get(str(value).lower(), str(value))
