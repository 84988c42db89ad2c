"""The chain's part of an export: blocks, logs and the transactions that made them.

Numbers are whole numbers, bytes hexadecimal; fields that engines add or leave out are
not there, so that one ledger gives one text.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from contracts.chain import ChainClient
from contracts.errors import ContractsError
from node.errors import UnavailableEngineError
from node.ledger.fetch import LogFetcher

__all__ = ["block_rows", "log_rows", "transaction_rows"]

_A_REQUEST = 250


def block_rows(client: ChainClient, first: int, last: int) -> Iterator[dict[str, Any]]:
    """Give the header of every block."""
    for start in range(first, last + 1, _A_REQUEST):
        numbers = range(start, min(start + _A_REQUEST, last + 1))
        calls = [("eth_getBlockByNumber", [hex(n), False]) for n in numbers]
        for found in _answers(client, calls):
            yield {
                "number": int(found["number"], 16),
                "hash": found["hash"],
                "parent_hash": found["parentHash"],
                "timestamp": int(found["timestamp"], 16),
            }


def log_rows(client: ChainClient, first: int, last: int) -> Iterator[dict[str, Any]]:
    """Give every log of every contract, in the order of the chain."""
    fetcher = LogFetcher(client, [])
    head = client.block(last)
    while head is not None and first <= last:
        page = fetcher.page(first, head)
        if page is None:
            continue
        for log in page.logs:
            yield {
                "block_number": int(log["blockNumber"], 16),
                "block_hash": log["blockHash"],
                "transaction_hash": log["transactionHash"],
                "transaction_index": int(log["transactionIndex"], 16),
                "log_index": int(log["logIndex"], 16),
                "address": log["address"].lower(),
                "topics": log["topics"],
                "data": log["data"],
            }
        first = page.tip.number + 1


def transaction_rows(
    client: ChainClient, hashes: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """Give transactions by their hashes."""
    for start in range(0, len(hashes), _A_REQUEST):
        part = hashes[start : start + _A_REQUEST]
        calls = [("eth_getTransactionByHash", [one]) for one in part]
        for found in _answers(client, calls):
            yield {
                "hash": found["hash"],
                "from": found["from"].lower(),
                "to": found["to"] and found["to"].lower(),
                "nonce": int(found["nonce"], 16),
                "input": found["input"],
            }


def _answers(
    client: ChainClient, calls: list[tuple[str, list[Any]]]
) -> Iterator[dict[str, Any]]:
    try:
        answers = client.batch(calls)
    except ContractsError as exc:
        raise UnavailableEngineError(str(exc)) from exc
    for (method, params), answer in zip(calls, answers, strict=True):
        if answer is None:
            raise UnavailableEngineError(
                f"The chain at {client.url} has no answer to {method} {params[0]}; "
                "export from an engine that keeps every block."
            )
        yield answer
