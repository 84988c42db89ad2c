"""Checks of transactions, receipts and event queries."""

from node.engine.conformance.bytecode import TOPIC_A, TOPIC_B, init_code_of_size
from node.engine.conformance.probe import Json, Probe, expect
from node.errors import InvalidCallError

_NOBODY = "0x" + 20 * "5a"
_BIG_CALLDATA_BYTES = 102_400
_PLAIN_GAS = 21_000


def receipt_tells_the_outcome(probe: Probe) -> None:
    """A receipt has status, gas, block and index."""
    receipt = probe.send(to=_spare_address(1))
    expect("status", receipt["status"], "0x1")
    expect("gasUsed", int(receipt["gasUsed"], 16), _PLAIN_GAS)
    expect("from", receipt["from"], probe.account.address.lower())
    expect("logs", receipt["logs"], [])
    block = probe.call("eth_getBlockByHash", receipt["blockHash"], False)
    listed = block["transactions"][int(receipt["transactionIndex"], 16)]
    expect("transaction in its block", listed, receipt["transactionHash"])


def transaction_by_hash_is_whole(probe: Probe) -> None:
    """A mined transaction is shown with what was signed."""
    receipt = probe.send(to=_spare_address(2), data=b"\x01\x02")
    found = probe.call("eth_getTransactionByHash", receipt["transactionHash"])
    expect("input", found["input"], "0x0102")
    expect("blockHash", found["blockHash"], receipt["blockHash"])
    expect("to", found["to"], _spare_address(2))


def count_rises_with_each_transaction(probe: Probe) -> None:
    """The transaction count is the next nonce."""
    before = probe.nonce("latest")
    probe.send(to=_spare_address(3))
    expect("count", probe.nonce("latest"), before + 1)


def nonces_execute_in_order(probe: Probe) -> None:
    """Three transactions sent backwards are mined in the order of nonces."""
    first = probe.nonce()
    digests = [
        probe.call("eth_sendRawTransaction", probe.sign(to=_NOBODY, nonce=first + step))
        for step in (2, 1, 0)
    ]
    places = [_place(probe.receipt(digest)) for digest in reversed(digests)]
    expect("places", places, sorted(places))


def used_nonce_is_refused(probe: Probe) -> None:
    """Another transaction with a used nonce is refused."""
    used = probe.nonce()
    probe.send(to=_spare_address(4), nonce=used)
    raw = probe.sign(to=_spare_address(5), nonce=used)
    probe.refusal("eth_sendRawTransaction", raw)


def replayed_transaction_runs_once(probe: Probe) -> None:
    """The same bytes again are refused or acknowledged, but run only once."""
    raw = probe.sign(to=_spare_address(6))
    receipt = probe.receipt(probe.call("eth_sendRawTransaction", raw))
    count = probe.nonce("latest")
    try:
        again = probe.call("eth_sendRawTransaction", raw)
        expect("hash", again, receipt["transactionHash"])
    except InvalidCallError:
        pass
    probe.send(to=_spare_address(6))
    expect("count", probe.nonce("latest"), count + 1)


def foreign_chain_id_is_refused(probe: Probe) -> None:
    """A transaction signed for another chain is refused."""
    raw = probe.sign(to=_NOBODY, chainId=probe.chain_id + 1)
    probe.refusal("eth_sendRawTransaction", raw)


def garbage_transaction_is_refused(probe: Probe) -> None:
    """Bytes that are no transaction are refused."""
    probe.refusal("eth_sendRawTransaction", "0x02deadbeef")
    probe.refusal("eth_sendRawTransaction", "0x")


def too_little_gas_is_refused(probe: Probe) -> None:
    """Less gas than a plain transfer needs is refused when sent."""
    raw = probe.sign(to=_NOBODY, gas=_PLAIN_GAS - 1)
    probe.refusal("eth_sendRawTransaction", raw)


def overdrawn_value_is_refused(probe: Probe) -> None:
    """A transfer of more than the balance is refused when sent."""
    balance = probe.number("eth_getBalance", probe.account.address, "latest")
    raw = probe.sign(to=_NOBODY, value=balance + 1)
    probe.refusal("eth_sendRawTransaction", raw)


def price_zero_reported(probe: Probe) -> str:
    """Tell whether transactions are free of charge."""
    raw = probe.sign(to=_NOBODY, gasPrice=0)
    try:
        probe.receipt(probe.call("eth_sendRawTransaction", raw))
    except InvalidCallError as exc:
        return f"a gas price of 0 is refused ({exc.message})"
    return "a gas price of 0 is accepted"


def dynamic_fee_transaction_works(probe: Probe) -> None:
    """An EIP-1559 transaction is mined and shown as type 2."""
    price = probe.gas_price
    receipt = probe.send(to=_NOBODY, maxFeePerGas=price, maxPriorityFeePerGas=0)
    expect("type", receipt["type"], "0x2")


def access_list_transaction_works(probe: Probe) -> None:
    """An EIP-2930 transaction is mined and shown as type 1."""
    access = [{"address": _NOBODY, "storageKeys": [hex_word(0)]}]
    receipt = probe.send(to=_NOBODY, accessList=access, gasPrice=probe.gas_price)
    expect("type", receipt["type"], "0x1")


def big_calldata_is_carried(probe: Probe) -> None:
    """100 KiB of calldata arrive whole."""
    data = bytes(range(1, 256)) * (_BIG_CALLDATA_BYTES // 255 + 1)
    receipt = probe.send(to=_NOBODY, data=data[:_BIG_CALLDATA_BYTES], gas=5_000_000)
    found = probe.call("eth_getTransactionByHash", receipt["transactionHash"])
    expect("input", found["input"] == "0x" + data[:_BIG_CALLDATA_BYTES].hex(), True)


def failed_transaction_has_status_zero(probe: Probe) -> None:
    """A creation beyond the code size limit fails with status 0."""
    receipt = probe.send(data=init_code_of_size(24_577), gas=6_000_000)
    expect("status", receipt["status"], "0x0")


def largest_code_is_accepted(probe: Probe) -> None:
    """A contract of exactly 24,576 bytes is installed."""
    receipt = probe.send(data=init_code_of_size(24_576), gas=6_000_000)
    expect("status", receipt["status"], "0x1")
    code = probe.call("eth_getCode", receipt["contractAddress"], "latest")
    expect("bytes of code", len(code) // 2 - 1, 24_576)


def events_are_in_order(probe: Probe) -> None:
    """A receipt's events come in the order of execution, numbered upwards."""
    receipt = probe.log_word(6)
    topics = [log["topics"][0] for log in receipt["logs"]]
    expect("topics", topics, ["0x" + TOPIC_A.hex(), "0x" + TOPIC_B.hex()])
    first, second = (int(log["logIndex"], 16) for log in receipt["logs"])
    expect("log index", second, first + 1)


def logs_by_range_and_address(probe: Probe) -> None:
    """A range query returns exactly the contract's events, in order."""
    first, last = probe.log_word(7), probe.log_word(8)
    address = probe.logger_deployment["contractAddress"]
    found = _logs(probe, first["blockNumber"], last["blockNumber"], address=address)
    words = [int(log["data"], 16) for log in found]
    expect("words", words, [7, 7, 8, 8])


def logs_by_topics(probe: Probe) -> None:
    """Topics select by position, with alternatives and wildcards."""
    number = probe.log_word(9)["blockNumber"]
    b, nine = "0x" + TOPIC_B.hex(), hex_word(9)
    expect("by first", len(_logs(probe, number, number, topics=[b])), 1)
    expect("by second", len(_logs(probe, number, number, topics=[None, nine])), 1)
    either = ["0x" + TOPIC_A.hex(), b]
    expect("by either", len(_logs(probe, number, number, topics=[either])), 2)
    expect("by other", _logs(probe, number, number, topics=[b, hex_word(10)]), [])


def logs_by_block_hash(probe: Probe) -> None:
    """Events of one block are found by its hash."""
    receipt = probe.log_word(11)
    found = probe.call("eth_getLogs", {"blockHash": receipt["blockHash"]})
    shown = [log for log in found if log["address"] == receipt["to"]]
    expect("events", shown, receipt["logs"])


def hex_word(number: int) -> str:
    """Return a number as a 32-byte topic."""
    return "0x" + number.to_bytes(32).hex()


def _logs(probe: Probe, first: str, last: str, **criteria: Json) -> list[Json]:
    query = {"fromBlock": first, "toBlock": last, **criteria}
    found: list[Json] = probe.call("eth_getLogs", query)
    return found


def _place(receipt: Json) -> tuple[int, int]:
    return int(receipt["blockNumber"], 16), int(receipt["transactionIndex"], 16)


def _spare_address(number: int) -> str:
    """Return an address that nobody has a key for, and no engine keeps for itself."""
    return "0x" + 18 * "5a" + number.to_bytes(2).hex()


CHECKS = (
    receipt_tells_the_outcome,
    transaction_by_hash_is_whole,
    count_rises_with_each_transaction,
    nonces_execute_in_order,
    used_nonce_is_refused,
    replayed_transaction_runs_once,
    foreign_chain_id_is_refused,
    garbage_transaction_is_refused,
    too_little_gas_is_refused,
    overdrawn_value_is_refused,
    price_zero_reported,
    dynamic_fee_transaction_works,
    access_list_transaction_works,
    big_calldata_is_carried,
    failed_transaction_has_status_zero,
    largest_code_is_accepted,
    events_are_in_order,
    logs_by_range_and_address,
    logs_by_topics,
    logs_by_block_hash,
)
