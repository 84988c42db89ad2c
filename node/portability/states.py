"""The state of every account of a chain, whichever engine holds it.

anvil gives all of it at once (``anvil_dumpState``). Other engines are asked what each
transaction changed (``debug_traceBlockByNumber`` with the ``prestateTracer``), and what
that adds up to is held against the storage root that the chain itself proves
(``eth_getProof``), so that a state with a slot too few or too many is never exported.

An account counts from its first nonce on: every contract has one from its creation
(EIP-161), and every sender. Balances are left out: no user owns ether, and a new chain
endows its relayers itself.
"""

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import rlp  # type: ignore[import-untyped]  # ships no types
from trie import HexaryTrie  # type: ignore[attr-defined]  # exported without __all__

from contracts.chain import ChainClient
from contracts.errors import ContractsError
from contracts.hashing import keccak256
from node.errors import ConflictArchiveError, UnavailableEngineError

__all__ = [
    "AccountState",
    "States",
    "hold_against",
    "read_alloc",
    "read_dump",
    "trace_states",
    "without_strangers",
]

_TRACER = {"tracer": "prestateTracer", "tracerConfig": {"diffMode": True}}
_ALL_BITS = 2**256 - 1
_AVALANCHE_BITS = _ALL_BITS ^ (1 << 248)
"""Avalanche's EVM clears bit 0 of the first byte of every slot, so that its own coins
have room beside (coreth, ``NormalizeStateKey``): the same storage, another root."""


@dataclass(slots=True)
class AccountState:
    """One account: a contract, or the key of a sender."""

    nonce: int = 0
    code: bytes = b""
    storage: dict[int, int] = field(default_factory=dict)
    """Slot → word; slots of zero are not there."""

    def storage_root(self, mask: int = _ALL_BITS) -> bytes:
        """Give the root of its storage trie, 32 bytes.

        Args:
            mask: Bits of a slot's number that the engine keeps.
        """
        trie = HexaryTrie(db={})
        for slot, word in self.storage.items():
            trie[keccak256((slot & mask).to_bytes(32))] = rlp.encode(word)
        return bytes(trie.root_hash)

    def code_hash(self) -> bytes:
        """Give the hash of its code, 32 bytes."""
        return keccak256(self.code)

    def to_json(self) -> dict[str, Any]:
        """Write it as an entry of an Ethereum genesis file."""
        return {
            "nonce": hex(self.nonce),
            "code": f"0x{self.code.hex()}",
            "storage": {
                _word(slot): _word(word) for slot, word in sorted(self.storage.items())
            },
        }


States = dict[str, AccountState]
"""Address in small letters → its state."""


def read_alloc(entries: Mapping[str, Mapping[str, Any]]) -> States:
    """Read accounts as a genesis file or ``anvil_dumpState`` writes them.

    Args:
        entries: Address → ``nonce``, ``code``, ``storage``.

    Returns:
        Their states.

    Raises:
        ValueError: If an entry has another form.
    """
    return {address.lower(): _account(entry) for address, entry in entries.items()}


def _account(entry: Mapping[str, Any]) -> AccountState:
    words = entry.get("storage", {}).items()
    storage = {int(slot, 16): int(word, 16) for slot, word in words}
    return AccountState(
        _number(entry.get("nonce", 0)),
        bytes.fromhex(str(entry.get("code", "0x")).removeprefix("0x")),
        {slot: word for slot, word in storage.items() if word},
    )


def read_dump(dump: str) -> States:
    """Read what ``anvil_dumpState`` gave.

    Args:
        dump: Hexadecimal, gzipped JSON.

    Returns:
        All accounts.
    """
    document = json.loads(gzip.decompress(bytes.fromhex(dump.removeprefix("0x"))))
    return read_alloc(document["accounts"])


def without_strangers(states: States) -> States:
    """Leave out what an engine brings along: accounts that never had a nonce."""
    return {name: state for name, state in sorted(states.items()) if state.nonce}


def trace_states(
    client: ChainClient, base: States, head: int, report: Callable[[int], None]
) -> States:
    """Add up what every transaction changed.

    Args:
        client: A chain whose engine offers ``debug_traceBlockByNumber``.
        base: The accounts of block 0.
        head: Last block.
        report: Told of each block.

    Returns:
        The accounts after that block.

    Raises:
        UnavailableEngineError: If the engine does not offer it.
    """
    states = base
    for number in range(1, head + 1):
        for change in _changes(client, number):
            _apply(states, change["pre"], change["post"])
        report(1)
    return states


def _changes(client: ChainClient, number: int) -> Iterator[Mapping[str, Any]]:
    try:
        found = client.request("debug_traceBlockByNumber", hex(number), _TRACER)
    except ContractsError as exc:
        raise UnavailableEngineError(
            f"The chain at {client.url} does not trace block {number} ({exc}); export "
            "from a validator of your own whose chain settings name debug-tracer among "
            "eth-apis, on loopback, see docs/export-format.md."
        ) from exc
    for one in found:
        yield one["result"]


def _apply(states: States, pre: Mapping[str, Any], post: Mapping[str, Any]) -> None:
    for address in pre.keys() - post.keys():
        if pre[address].get("nonce") or pre[address].get("code"):
            states.pop(address.lower(), None)
    for address, change in post.items():
        state = states.setdefault(address.lower(), AccountState())
        state.nonce = _number(change.get("nonce", state.nonce))
        if "code" in change:
            state.code = bytes.fromhex(change["code"].removeprefix("0x"))
        after = change.get("storage", {})
        cleared = pre.get(address, {}).get("storage", {}).keys() - after.keys()
        for slot in cleared:
            state.storage.pop(int(slot, 16), None)
        state.storage |= {int(slot, 16): int(word, 16) for slot, word in after.items()}


def hold_against(client: ChainClient, states: States, block: int) -> None:
    """Hold states against the roots that a chain proves.

    Args:
        client: The chain.
        states: What they should be.
        block: At which block.

    Raises:
        ConflictArchiveError: Names the first account that differs.
    """
    for address, state in states.items():
        found = client.request("eth_getProof", address, [], hex(block))
        nonce = int(found["nonce"], 16)
        given = (nonce, found["codeHash"], found["storageHash"])
        code = f"0x{state.code_hash().hex()}"
        roots = (
            f"0x{state.storage_root(mask).hex()}"
            for mask in (_ALL_BITS, _AVALANCHE_BITS)
        )
        if not any(given == (state.nonce, code, root) for root in roots):
            raise ConflictArchiveError(
                f"Account {address} at block {block} of {client.url}: expected nonce "
                f"{state.nonce}, code {code}, storage root "
                f"0x{state.storage_root().hex()}, the chain proves {given}; it is "
                "another state, move nothing."
            )


def _number(value: Any) -> int:
    return int(value, 16) if isinstance(value, str) else int(value)


def _word(value: int) -> str:
    return f"0x{value:064x}"
