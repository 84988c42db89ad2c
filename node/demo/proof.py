"""Step 8: one reading proved on chain; a package verified by a stranger's command."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from contracts.errors import AnchorProofNotLatestError
from contracts.structs import ReadingProof
from node.demo.park import STEP_S
from node.demo.stage import START, Stage, Told
from node.errors import ConflictDemoError
from oracle.evidence.package import build_package
from oracle.evidence.trust import Trust, encode_trust
from oracle.inbox.reader import StoredReading

ATTEMPTS = 20
"""How often a proof is made anew; a heartbeat may overtake one."""
PAUSE_S = 0.2


def prove(stage: Stage, statement: bytes) -> Told:
    """Write a proof package, verify it offline, flip one byte, verify again.

    Args:
        stage: The running parts.
        statement: Id of the statement, 32 bytes.
    """
    evidence = stage.members.leader.statement_evidence(statement)
    package = stage.folder / f"{statement.hex()}.cclp"
    trust = stage.folder / "trust.json"
    data = build_package(evidence)
    package.write_bytes(data)
    versions = {one.version: one for one in evidence.configurations}
    trust.write_bytes(encode_trust(Trust(evidence.chain, versions)))
    accepted = _verify(package, trust)
    if not accepted["accepted"]:
        raise ConflictDemoError(f"the package is refused: {accepted}")
    flipped = stage.folder / "one-byte-flipped.cclp"
    place = len(data) // 2
    flipped.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    refused = _verify(flipped, trust)
    if refused["accepted"]:
        raise ConflictDemoError("a package with a flipped byte is accepted")
    return Told(
        "Proof package verified offline",
        {
            "package": str(package),
            "bytes": len(data),
            "trust": str(trust),
            "verified": f"accepted, all {len(accepted['stages'])} stages passed",
            "one byte flipped": _failure(refused),
            "exit code then": refused["exit_code"],
        },
    )


def prove_on_chain(stage: Stage, identifier: str) -> Told:
    """Let the contract itself check one reading: batch, log, and P-256 signature.

    Args:
        stage: The running parts.
        identifier: A carrier with ES256.
    """
    leader, start = stage.members.leader, int(START.timestamp())
    middle = start + (int(stage.end.timestamp()) - start) // 2
    found = leader.inbox.stored.readings_of(identifier, middle, middle + STEP_S)
    reading = found[0]
    proof = _proved_on_chain(stage, reading)
    return Told(
        "One reading verified by the contract itself",
        {
            "carrier": identifier,
            "seq": reading.seq,
            "batch": reading.batch_seq,
            "hashes to its batch": len(proof.path),
            "hashes to the log": len(proof.log_path),
        },
    )


def _proved_on_chain(stage: Stage, reading: StoredReading) -> ReadingProof:
    """Prove a reading to the contract; made anew when a batch comes in between."""
    leader, anchor = stage.members.leader, stage.ledger.ledger.anchor
    for _ in range(ATTEMPTS):
        proof = leader.reading_proof(reading)
        try:
            is_proved = anchor.verify_reading(reading.raw, proof)
        except AnchorProofNotLatestError:
            time.sleep(PAUSE_S)
            continue
        if not is_proved:
            raise ConflictDemoError(f"the contract refuses reading {reading.seq}")
        return proof
    raise ConflictDemoError(f"{ATTEMPTS} proofs in a row were overtaken by a batch")


def _verify(package: Path, trust: Path) -> dict[str, Any]:
    """Run carbon-verify as a stranger would and return its report."""
    command = [sys.executable, "-m", "oracle.evidence", str(package)]
    command += ["--trust", str(trust), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  our own command
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def _failure(report: dict[str, Any]) -> str:
    """Name the first thing that failed."""
    failed = next(one for one in report["stages"] if one["outcome"] == "failed")
    subject = failed["failure"]["subject"]
    return f"refused at stage {failed['stage']} {failed['name']}: {subject}"
