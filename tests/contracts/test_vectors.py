"""The vectors are fresh, and other libraries come to the same hashes."""

import json
import runpy
from pathlib import Path
from typing import Any

import pytest
from eth_account.messages import encode_typed_data
from eth_utils import keccak

from contracts.merkle import verify_proof
from contracts.typed_data import recover
from oracle.log.tree import leaf_hash, verify_inclusion
from oracle.reading.profile import (
    decode_message,
    external_aad,
    message_digest,
    sig_structure,
)
from oracle.reading.suites import Suite, verify

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "tests" / "vectors").glob("*.json"))


def load(name: str) -> Any:
    return json.loads((ROOT / "tests" / "vectors" / f"{name}.json").read_text("utf-8"))


def raw(text: str) -> bytes:
    return bytes.fromhex(text[2:])


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "scripts" / "make_vectors.py"))


class TestFreshness:
    def test_files_are_what_the_script_writes(self, script: dict[str, Any]):
        made = {
            name: script["written"](content)
            for name, content in script["all_vectors"]().items()
        }
        assert made == {path.stem: path.read_text("utf-8") for path in FILES}


class TestTypedData:
    def test_digests_are_those_of_eth_account(self):
        found = load("typed_data")
        for name, entry in found["structs"].items():
            members = entry["type"].split("(")[1].removesuffix(")").split(",")
            typed = {
                "types": {
                    "EIP712Domain": [
                        {"name": "name", "type": "string"},
                        {"name": "version", "type": "string"},
                        {"name": "chainId", "type": "uint256"},
                        {"name": "verifyingContract", "type": "address"},
                    ],
                    name: [
                        dict(zip(("type", "name"), m.split(" "), strict=True))
                        for m in members
                    ],
                },
                "primaryType": name,
                "domain": {
                    "name": "Park Carbon Ledger",
                    "version": "1",
                    "chainId": found["chainId"],
                    "verifyingContract": found["contract"],
                },
                "message": entry["message"],
            }
            signable = encode_typed_data(full_message=typed)
            assert signable.header == raw(found["domainSeparator"])
            assert signable.body == raw(entry["structHash"])
            assert keccak(b"\x19\x01" + signable.header + signable.body) == raw(
                entry["digest"]
            )

    def test_signatures_recover_to_their_signers(self):
        for entry in load("signatures"):
            signature = raw(entry["r"]) + raw(entry["vs"])
            assert recover(raw(entry["digest"]), signature) == entry["signer"]


class TestTrees:
    def test_paths_lead_to_the_roots_of_batches(self):
        for tree in load("merkle")["trees"]:
            path = [raw(node) for node in tree["path"]]
            assert verify_proof(raw(tree["root"]), raw(tree["leaf"]), path)

    def test_paths_lead_to_the_roots_of_the_log(self):
        for entry in load("log")[1:]:
            verify_inclusion(
                leaf_hash(raw(entry["report"])),
                entry["index"],
                entry["size"],
                [raw(node) for node in entry["path"]],
                raw(entry["root"]),
            )


class TestReading:
    def test_by_hand_is_what_the_profile_reads(self):
        found = load("reading")
        message = decode_message(raw(found["message"]))
        assert (message.reading.seq, message.reading.ts) == (5, 1_647_306_000)
        assert message.reading.values == ((1, 123_456),)
        assert message_digest(message.raw) == raw(found["messageDigest"])

    def test_is_signed_by_its_key(self):
        found = load("reading")
        message = decode_message(raw(found["message"]))
        aad = external_aad(found["chainId"], found["carriers"], raw(found["idHash"]))
        public_key = raw(found["x"]) + raw(found["y"])
        data = sig_structure(message, aad)
        assert verify(Suite.ES256, public_key, data, message.signature)
