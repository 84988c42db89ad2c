"""Indexer events per second beside the usual web3.py loop, on one embedded chain.

Both read the same logs in the same run over the same RPC gate. The loop only decodes
(``get_logs`` and ``process_log``); the indexer also projects, writes and commits.
"""

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from coincurve import PrivateKey
from eth_utils.abi import event_abi_to_log_topic
from web3 import HTTPProvider, Web3
from web3.contract.contract import ContractEvent

from contracts.bindings.rulebook import Rule
from contracts.calls import UnsignedCall
from contracts.chain import ChainClient
from contracts.deployment import deploy
from contracts.directory import artifact
from contracts.enumerations import AccountStatus, Kind, Rights
from contracts.ledger import Ledger
from contracts.plan import DeploymentPlan, Organisation, Stream
from contracts.sender import Sender
from contracts.structs import CallBatch, Member, Representative
from contracts.typed_data import account_id
from node.engine import EmbeddedEngine, EngineSettings
from node.run import indexer_of
from node.services.relay import call_of
from node.store.database import open_database
from wallet.instructions import Instruction
from wallet.signers import KeySigner, sign_instruction

__all__ = ["measure_indexer"]

CHAIN_ID = 20260
TRANSACTIONS = 315
"""One a block; each carries ``CALLS`` governed calls of two events each."""
CALLS = 32
RUNS = 3
"""Runs of either side; the best counts."""
REGULATOR = "regulator"
_GENESIS_TIME = 1_700_000_000


def measure_indexer() -> dict[str, float]:
    """Measure both ways on one chain.

    Returns:
        ``indexer_events_per_s``, ``web3_events_per_s`` and ``indexer_ratio``, their
        quotient.
    """
    with _busy_chain() as ledger:
        indexed, looped = [], []
        for _ in range(RUNS):
            indexed.append(_rate(lambda: _index(ledger)))
            looped.append(_rate(lambda: _loop(ledger)))
    ours, theirs = max(indexed), max(looped)
    return {
        "indexer_events_per_s": ours,
        "web3_events_per_s": theirs,
        "indexer_ratio": ours / theirs,
    }


def _rate(read: Callable[[], int]) -> float:
    begin = time.perf_counter()
    count = read()
    return count / (time.perf_counter() - begin)


def _index(ledger: Ledger) -> int:
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{folder}/node.sqlite")
        indexer_of(ledger, database).catch_up()
        with database.reading() as connection:
            count = connection.exec_driver_sql("select count(*) from events").scalar()
        database.close()
    return int(count or 0)


def _loop(ledger: Ledger) -> int:
    web3 = Web3(HTTPProvider(ledger.client.url))
    events = _web3_events(web3, ledger)
    addresses = [*ledger.deployment.addresses.values()]
    addresses += ledger.deployment.mandates.values()
    logs = web3.eth.get_logs(
        {"fromBlock": 0, "toBlock": "latest", "address": addresses}  # type: ignore[typeddict-item]  # plain text addresses
    )
    count = 0
    for log in logs:
        event = events.get(bytes(log["topics"][0]))
        if event is not None:
            event.process_log(log)
            count += 1
    return count


def _web3_events(web3: Web3, ledger: Ledger) -> dict[bytes, ContractEvent]:
    found: dict[bytes, ContractEvent] = {}
    for name in (*ledger.deployment.addresses, "Mandate"):
        abi = artifact(name).abi
        contract = web3.eth.contract(abi=list(abi))  # type: ignore[call-overload]  # plain JSON
        for entry in abi:
            if entry["type"] == "event":
                topic = event_abi_to_log_topic(entry)  # type: ignore[arg-type]  # plain JSON
                found[topic] = contract.events[entry["name"]]()
    return found


@contextmanager
def _busy_chain() -> Iterator[Ledger]:
    """Run an embedded chain on which the regulator was very busy."""
    pair = (KeySigner(PrivateKey().secret), KeySigner(PrivateKey().secret))
    with tempfile.TemporaryDirectory() as folder:
        settings = EngineSettings(
            data_dir=Path(folder),
            chain_id=CHAIN_ID,
            clock_mode="virtual",
            genesis_time=_GENESIS_TIME,
        )
        with EmbeddedEngine(settings) as engine, ChainClient(engine.rpc_url) as client:
            deployment = deploy(client, Sender(client, PrivateKey()), _plan(pair))
            ledger = Ledger(client, deployment)
            _be_busy(ledger, Sender(client, PrivateKey()), pair)
            yield ledger


def _plan(pair: tuple[KeySigner, KeySigner]) -> DeploymentPlan:
    first, second = pair
    representatives = (
        Representative(first.address, Rights.INITIATE),
        Representative(second.address, Rights.APPROVE),
    )
    kinds = {REGULATOR: Kind.REGULATOR, "identity": Kind.IDENTITY_PLATFORM}
    organisations = tuple(
        Organisation(name, kind, representatives) for name, kind in kinds.items()
    )
    members = tuple(
        Member(signer.address, account_id(name), kind)
        for signer, (name, kind) in zip(pair, kinds.items(), strict=True)
    )
    return DeploymentPlan(organisations, members, 2, (Stream("bench", 3600),))


def _be_busy(ledger: Ledger, sender: Sender, pair: tuple[KeySigner, KeySigner]) -> None:
    mandate = ledger.deployment.mandates[REGULATOR]
    account = account_id(REGULATOR)
    nonce = ledger.accounts.account_of(account).nonce
    for number in range(TRANSACTIONS):
        calls = list(_calls(ledger, number))
        batch = CallBatch(
            tuple(str(call.to) for call in calls),
            tuple(call.data for call in calls),
            nonce + number,
            2**40,
        )
        made = Instruction("CallBatch", mandate, CHAIN_ID, (account,), batch)
        made = sign_instruction(made, account, "initiate", pair[0])
        sender.send(call_of(sign_instruction(made, account, "approve", pair[1])))


def _calls(ledger: Ledger, number: int) -> Iterator[UnsignedCall]:
    """Prices, halts, account statuses, and a dated rule: a mix with text in it."""
    identity = account_id("identity")
    for turn in range(CALLS // 4):
        moment = _GENESIS_TIME + number * CALLS + turn
        status = (AccountStatus.OPEN, AccountStatus.RESTRICTED)[turn % 2]
        yield ledger.market.set_reference_price(2024, 8_000 + turn)
        yield ledger.market.halt(2024 + turn, turn % 2 == 0)
        yield ledger.accounts.set_status(identity, status, b"r" * 32)
        yield ledger.rulebook.set(
            Rule("bench.rule", moment, turn, "Article 7(2)", b"d" * 32)
        )


if __name__ == "__main__":
    print(json.dumps(measure_indexer(), indent=2))
