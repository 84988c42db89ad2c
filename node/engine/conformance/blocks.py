"""Checks of identity, blocks and the form of answers."""

import json

from contracts.hashing import keccak256
from node.engine.conformance.probe import Probe, expect
from node.errors import InvalidAnswerError, InvalidCallError

_LINKED_BLOCKS = 20
_HASH_CHARACTERS = 66


def chain_id_equals_net_version(probe: Probe) -> None:
    """The chain id is the same under both of its names."""
    expect("net_version", probe.call("net_version"), str(probe.chain_id))


def client_version_is_named(probe: Probe) -> str:
    """The client says what it is."""
    version = probe.call("web3_clientVersion")
    expect("type of web3_clientVersion", type(version), str)
    return str(version)


def syncing_is_false_or_progress(probe: Probe) -> None:
    """The engine tells whether it is synchronising."""
    answer = probe.call("eth_syncing")
    expect("eth_syncing is known", answer is False or isinstance(answer, dict), True)


def block_by_number_and_hash_agree(probe: Probe) -> None:
    """A block is the same by number and by hash."""
    probe.log_word(1)
    block = probe.call("eth_getBlockByNumber", "latest", False)
    expect("length of the hash", len(block["hash"]), _HASH_CHARACTERS)
    same = probe.call("eth_getBlockByHash", block["hash"], False)
    expect("block by hash", same["stateRoot"], block["stateRoot"])
    again = probe.call("eth_getBlockByNumber", block["number"], False)
    expect("block by number", again["hash"], block["hash"])


def full_transactions_match_hashes(probe: Probe) -> None:
    """A block lists the same transactions as hashes and as objects."""
    number = probe.log_word(2)["blockNumber"]
    hashes = probe.call("eth_getBlockByNumber", number, False)["transactions"]
    objects = probe.call("eth_getBlockByNumber", number, True)["transactions"]
    expect("hashes", [each["hash"] for each in objects], hashes)


def tags_latest_and_earliest_work(probe: Probe) -> None:
    """The tags name the newest block and block 0."""
    expect(
        "earliest", probe.call("eth_getBlockByNumber", "earliest", False)["number"],
        "0x0",
    )  # fmt: skip
    height = probe.number("eth_blockNumber")
    latest = probe.call("eth_getBlockByNumber", "latest", False)["number"]
    expect("latest is not behind", int(latest, 16) >= height, True)


def finality_tags_reported(probe: Probe) -> str:
    """Tell which of the tags for final blocks the engine knows."""
    supported = []
    for tag in ("safe", "finalized", "pending"):
        request = {"jsonrpc": "2.0", "id": 1, "method": "eth_getBlockByNumber"}
        answer = probe.post_json(request | {"params": [tag, False]})
        if answer.get("result"):
            supported.append(tag)
    return "answered: " + (", ".join(supported) or "none")


def unknown_things_are_null(probe: Probe) -> None:
    """Unknown blocks, transactions and receipts are null, no error.

    A block above the newest one may be refused instead: nobody knows what it will be.
    """
    nothing = "0x" + 32 * "00"
    for method in (
        "eth_getTransactionByHash",
        "eth_getTransactionReceipt",
    ):
        expect(method, probe.call(method, nothing), None)
    expect("eth_getBlockByHash", probe.call("eth_getBlockByHash", nothing, False), None)
    future = hex(probe.number("eth_blockNumber") + 1_000_000)
    try:
        found = probe.call("eth_getBlockByNumber", future, False)
    except InvalidCallError:
        return
    expect("eth_getBlockByNumber", found, None)


def parents_are_linked(probe: Probe) -> None:
    """Every block names its parent's hash."""
    probe.log_word(3)
    height = probe.number("eth_blockNumber")
    child = probe.call("eth_getBlockByNumber", hex(height), False)
    for number in range(height - 1, max(height - _LINKED_BLOCKS, 0) - 1, -1):
        parent = probe.call("eth_getBlockByNumber", hex(number), False)
        expect(f"parent of block {number + 1}", child["parentHash"], parent["hash"])
        child = parent


def timestamps_never_fall(probe: Probe) -> None:
    """Block times do not go backwards."""
    probe.log_word(4)
    height = probe.number("eth_blockNumber")
    later = None
    for number in range(height, max(height - _LINKED_BLOCKS, 0) - 1, -1):
        block = probe.call("eth_getBlockByNumber", hex(number), False)
        time = int(block["timestamp"], 16)
        if later is not None and time > later:
            raise InvalidAnswerError(
                f"block {number}: expected a time of at most {later}, got {time}"
            )
        later = time


def logs_bloom_holds_the_events(probe: Probe) -> None:
    """A block's bloom filter names its logs' addresses and topics."""
    receipt = probe.log_word(5)
    block = probe.call("eth_getBlockByNumber", receipt["blockNumber"], False)
    bloom = int(block["logsBloom"], 16)
    for log in receipt["logs"]:
        for entry in (log["address"], *log["topics"]):
            bits = _bloom_bits(bytes.fromhex(entry[2:]))
            expect(f"bloom bits of {entry}", bloom & bits, bits)


def header_has_london_and_cancun_fields(probe: Probe) -> None:
    """Headers carry base fee, gas limit and the blob gas of Cancun."""
    block = probe.call("eth_getBlockByNumber", "latest", False)
    for name in ("baseFeePerGas", "gasLimit", "gasUsed", "blobGasUsed"):
        expect(f"type of {name}", type(block.get(name)), str)


def batch_is_answered_per_request(probe: Probe) -> None:
    """A batch is answered request by request, errors among results."""
    methods = ["eth_chainId", "eth_noSuchMethod", "eth_blockNumber"]
    batch = [
        {"jsonrpc": "2.0", "id": ident, "method": method, "params": []}
        for ident, method in enumerate(methods, 10)
    ]
    answers = {each["id"]: each for each in probe.post_json(batch)}
    expect("ids", sorted(answers), [10, 11, 12])
    shown = ["result" in answers[ident] for ident in (10, 11, 12)]
    expect("results", shown, [True, False, True])


def broken_json_is_a_parse_error(probe: Probe) -> None:
    """Bytes that are no JSON are answered with -32700."""
    answer = probe.post(b'{"jsonrpc": "2.0", "id": 1,')
    expect("code", answer["error"]["code"], -32700)


def request_without_method_is_invalid(probe: Probe) -> None:
    """A request without a method is answered with -32600."""
    answer = probe.post(json.dumps({"jsonrpc": "2.0", "id": 1}).encode())
    expect("code", answer["error"]["code"], -32600)


def unknown_method_is_not_found(probe: Probe) -> None:
    """An unknown method is answered with -32601."""
    expect("code", probe.refusal("eth_noSuchMethod").code, -32601)


def wrong_parameters_are_refused(probe: Probe) -> None:
    """Parameters of the wrong kind are answered with an error."""
    probe.refusal("eth_getBalance", "not an address", "latest")
    probe.refusal("eth_getBlockByNumber", "not a number", False)


def request_id_comes_back(probe: Probe) -> None:
    """A textual id comes back unchanged."""
    request = {"jsonrpc": "2.0", "id": "a-7", "method": "eth_chainId", "params": []}
    expect("id", probe.post_json(request)["id"], "a-7")


def _bloom_bits(entry: bytes) -> int:
    """Return the three bits of a 2,048-bit bloom filter (Yellow Paper §4.3.1)."""
    digest = keccak256(entry)
    bits = 0
    for start in (0, 2, 4):
        bits |= 1 << (int.from_bytes(digest[start : start + 2]) % 2_048)
    return bits


CHECKS = (
    chain_id_equals_net_version,
    client_version_is_named,
    syncing_is_false_or_progress,
    block_by_number_and_hash_agree,
    full_transactions_match_hashes,
    tags_latest_and_earliest_work,
    finality_tags_reported,
    unknown_things_are_null,
    parents_are_linked,
    timestamps_never_fall,
    logs_bloom_holds_the_events,
    header_has_london_and_cancun_fields,
    batch_is_answered_per_request,
    broken_json_is_a_parse_error,
    request_without_method_is_invalid,
    unknown_method_is_not_found,
    wrong_parameters_are_refused,
    request_id_comes_back,
)
