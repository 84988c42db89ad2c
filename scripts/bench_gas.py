"""Gas of whole transactions, each beside its baseline on the same chain.

gas_ratio_4096          naive storage a reading ÷ ours at 4,096 readings a batch,
                        with the signatures of three of four members
block_trade_gas_ratio   block trade ÷ two ERC-1155 transfers between holders
"""

import datetime as dt
import json
import secrets
import tempfile
from dataclasses import replace
from pathlib import Path

from coincurve import PrivateKey

from contracts.calls import Function, UnsignedCall
from contracts.hashing import keccak256
from contracts.sender import Sender
from contracts.solidity import Address, Bytes32, Uint64, Uint128, Uint256
from contracts.structs import Attestation, BatchReport
from contracts.typed_data import (
    account_id,
    address_of,
    compact_signature,
    digest,
    stream_id,
    struct_hash,
)
from node.demo.ledger import LOCAL, STREAM, SandboxLedger, open_ledger, sandbox_settings
from node.demo.people import BANK, REGULATOR, People
from oracle.log.tree import CompactRange, leaf_hash

LEAVES = (64, 1024, 4096)
SIGNERS = (0, 2, 3)
NAIVE_REFERENCE = 96_440.0
"""Gas of a whole transaction that stores one reading and its event, as first measured
for this product; the plain contract of this run stands beside it."""
SELLER, BUYER = "hongda-steel", "yongxin-rolling"
VINTAGE = 2023
ARTIFACTS = Path(__file__).resolve().parent.parent / "contracts" / "artifacts"


def measure_gas() -> dict[str, float]:
    """Measure on a fresh chain.

    Returns:
        Gas figures and the two ratios.
    """
    keys = [PrivateKey() for _ in range(4)]
    addresses = [address_of(key.public_key) for key in keys]
    opening = dt.datetime(2023, 3, 1, 13, 30, tzinfo=LOCAL)
    with tempfile.TemporaryDirectory() as folder:
        people = People(Path(folder) / "keys")
        chain = sandbox_settings(Path(folder) / "chain", opening)
        ledger = open_ledger(chain, people, addresses)
        try:
            return {
                **_readings(ledger, keys),
                **_naive(ledger.sender),
                **_trade(ledger),
                **_transfers(ledger.sender),
            }
        finally:
            ledger.close()


def ratios(gas: dict[str, float]) -> dict[str, float]:
    """Divide by the baselines.

    Args:
        gas: What `measure_gas` returned.

    Returns:
        The ratios, and the reference figure.
    """
    readings = {n: gas[f"gas_batch_{n}"] / n for n in LEAVES}
    ours = readings[4096]
    return {
        **{f"gas_per_reading_{n}": used for n, used in readings.items()},
        "gas_naive_reference": NAIVE_REFERENCE,
        "gas_ratio_4096": NAIVE_REFERENCE / ours,
        "gas_ratio_4096_measured": gas["gas_naive_reading"] / ours,
        "block_trade_gas_ratio": gas["gas_block_trade"] / gas["gas_two_transfers"],
    }


def _readings(ledger: SandboxLedger, keys: list[PrivateKey]) -> dict[str, float]:
    """Anchor batches; the first only warms the stream's storage."""
    gas, log = {}, CompactRange(0, ())
    report = _first_report(ledger)
    for leaves in (1, *LEAVES):
        tip = ledger.client.block_number()
        block = ledger.client.block(tip - 1)
        assert block is not None  # noqa: S101  the chain has a block
        report = replace(
            report,
            batch_root=secrets.token_bytes(32),
            leaf_count=leaves,
            log_root=log.root(),
            ref_block_number=block.number,
            ref_block_hash=block.hash,
            first_ts=report.last_ts,
            last_ts=report.last_ts + 60,
        )
        gas[f"gas_batch_{leaves}"] = float(_anchor(ledger, report, keys))
        head = struct_hash(report)
        log = log.append(leaf_hash(head))
        report = replace(
            report, seq=report.seq + 1, prev_head=head, log_size=report.seq + 1
        )
    return {name: used for name, used in gas.items() if name != "gas_batch_1"}


def _first_report(ledger: SandboxLedger) -> BatchReport:
    return BatchReport(
        stream_id=stream_id(STREAM),
        seq=0,
        prev_head=bytes(32),
        batch_root=bytes(32),
        leaf_count=0,
        log_size=0,
        log_root=bytes(32),
        ref_block_number=0,
        ref_block_hash=bytes(32),
        first_ts=ledger.now - 3600,
        last_ts=ledger.now - 3600,
        gaps_digest=secrets.token_bytes(32),
        data_digest=secrets.token_bytes(32),
        rules_version=1,
    )


def _anchor(ledger: SandboxLedger, report: BatchReport, keys: list[PrivateKey]) -> int:
    message = digest(report, ledger.deployment.domain("ReadingAnchor"))
    signed = {member: compact_signature(keys[member], message) for member in SIGNERS}
    call = ledger.ledger.anchor.submit(report, Attestation.collect(signed))
    return ledger.sender.send(call).gas_used


def _naive(sender: Sender) -> dict[str, float]:
    """One storage record and event a reading, as a plain contract does it."""
    types = (Bytes32, Uint64, Uint64, Uint128, Bytes32)
    where = _create(sender, "Naive")
    row = (secrets.token_bytes(32), 1, 1_700_000_000, 123_456, secrets.token_bytes(32))
    gas = {}
    for name, key in (("store", "gas_naive_reading"), ("log", "gas_event_reading")):
        call = UnsignedCall(where, Function(name, *types).encode(*row))
        gas[key] = float(sender.send(call).gas_used)
    return gas


def _trade(ledger: SandboxLedger) -> dict[str, float]:
    """Trade blocks between two holders; the second finds all balances there."""
    acts = ledger.acts
    reference = ledger.ledger.market.set_reference_price(VINTAGE, 7942)
    acts.govern(REGULATOR, [reference])
    acts.instruct(
        "IssueQuota", REGULATOR, vintage=VINTAGE, tonnes=900_000, document=_word("i")
    )
    for name in (SELLER, BUYER):
        acts.instruct(
            "AllocateQuota",
            REGULATOR,
            to=account_id(name),
            vintage=VINTAGE,
            tonnes=400_000,
            document=_word(name),
        )
        acts.instruct(
            "CreditReceipt",
            BANK,
            to=account_id(name),
            fen="20000000.00",
            bank_reference=_word(name),
        )
    terms = {"vintage": VINTAGE, "tonnes": 100_000, "price_fen": "79.42"}
    acts.trade(SELLER, BUYER, **terms)
    return {"gas_block_trade": float(acts.trade(SELLER, BUYER, **terms).gas_used)}


def _transfers(sender: Sender) -> dict[str, float]:
    """Transfer a plain ERC-1155 token there and back between existing holders."""
    token = _create(sender, "PlainToken")
    mint = Function("mint", Address, Uint256, Uint256)
    other = address_of(PrivateKey().public_key)
    for holder in (sender.address, other):
        sender.send(UnsignedCall(token, mint.encode(holder, VINTAGE, 1000)))
    move = Function("safeTransferFrom", Address, Address, Uint256, Uint256, bytes)
    call = UnsignedCall(token, move.encode(sender.address, other, VINTAGE, 10, b""))
    sender.send(call)
    return {"gas_two_transfers": 2.0 * sender.send(call).gas_used}


def _create(sender: Sender, name: str) -> str:
    artifact = json.loads((ARTIFACTS / "bench" / f"{name}.json").read_text("utf-8"))
    code = bytes.fromhex(artifact["bytecode"].removeprefix("0x"))
    receipt = sender.send(UnsignedCall(None, code))
    assert receipt.contract_address is not None  # noqa: S101  it was created
    return receipt.contract_address


def _word(text: str) -> str:
    return "0x" + keccak256(text.encode()).hex()


if __name__ == "__main__":
    measured = measure_gas()
    print(json.dumps(measured | ratios(measured), indent=1))
