"""Write the hash vectors that Python and Solidity both have to meet.

`python scripts/make_vectors.py` writes `tests/vectors/*.json`, the same bytes every
time; a test tells when they are stale. The signed reading is put together by hand,
byte by byte, so that it also checks the code that encodes readings.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from coincurve import PrivateKey
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from contracts import typed_data
from contracts.hashing import address_bytes, checksum_address, keccak256
from contracts.merkle import BatchLeaf, BatchTree, leaf_hash
from contracts.solidity import fields_of
from oracle.log.tree import leaf_hash as log_leaf
from oracle.log.tree import prove_inclusion, tree_root

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "vectors"
CHAIN_ID = 20260
CONTRACT = checksum_address(b"\x42" * 20)
SIZES = (1, 2, 3, 4, 5, 7, 8, 13, 64, 100)
NAMES = ("Steel Works", "示范钢铁有限公司", "")
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def shown(data: bytes) -> str:
    """Write bytes as Solidity tests read them."""
    return "0x" + data.hex()


def example(name: str, abi: str) -> Any:
    """Give a value of a type that follows from the field's name."""
    seed = keccak256(name.encode("ascii"))
    if abi.endswith("[]"):
        item = abi.removesuffix("[]")
        return tuple(example(f"{name}{number}", item) for number in range(2))
    if abi == "address":
        return checksum_address(seed[:20])
    if abi == "bytes":
        return seed[:5]
    if abi == "bytes32":
        return seed
    if abi == "int256":
        return -int.from_bytes(seed[:8], "big")
    return int.from_bytes(seed, "big") % 2 ** int(abi.removeprefix("uint"))


def typed_vectors() -> dict[str, Any]:
    """Hash one example of every signed struct."""
    separator = typed_data.domain(CHAIN_ID, CONTRACT)
    structs = {}
    for name, struct in typed_data.STRUCTS.items():
        members = {m.name: example(m.name, m.type) for m in fields_of(struct)}
        value = struct(**members)
        structs[name] = {
            "digest": shown(typed_data.digest(value, separator)),
            "message": typed_data.document(value, CHAIN_ID, CONTRACT)["message"],
            "structHash": shown(typed_data.struct_hash(value)),
            "type": typed_data.type_string(struct),
            "typeHash": shown(typed_data.type_hash(struct)),
        }
    return {
        "chainId": CHAIN_ID,
        "contract": CONTRACT,
        "domainSeparator": shown(separator),
        "structs": structs,
    }


def signature_vectors() -> list[dict[str, Any]]:
    """Sign some digests with keys that follow from a text."""
    found = []
    for number in range(8):
        key = PrivateKey(keccak256(b"vector key %d" % number))
        digest = keccak256(b"vector digest %d" % number)
        signature = typed_data.compact_signature(key, digest)
        found.append(
            {
                "digest": shown(digest),
                "r": shown(signature[:32]),
                "signer": typed_data.address_of(key.public_key),
                "vs": shown(signature[32:]),
            }
        )
    return found


def id_vectors() -> list[dict[str, str]]:
    """Give the ids of some names."""
    return [
        {
            "account": typed_data.account_id(name),
            "boundary": shown(typed_data.boundary_id(name)),
            "idHash": shown(keccak256(name.encode("utf-8"))),
            "name": name,
            "stream": shown(typed_data.stream_id(name)),
        }
        for name in NAMES
    ]


def merkle_vectors() -> dict[str, Any]:
    """Hash leaves and trees of several sizes, and prove the last leaf of each."""
    stream = typed_data.stream_id("vectors")
    leaves = [
        BatchLeaf(
            stream,
            7,
            index,
            keccak256(b"carrier %d" % index),
            index * index,
            keccak256(b"message %d" % index),
        )
        for index in range(max(SIZES))
    ]
    found = [leaf_hash(leaf) for leaf in leaves]
    trees = {size: BatchTree(found[:size]) for size in SIZES}
    return {
        "batchSeq": 7,
        "leaves": [
            {
                "idHash": shown(leaf.id_hash),
                "index": leaf.index,
                "leaf": shown(leaf_hash(leaf)),
                "messageDigest": shown(leaf.message_digest),
                "readingSeq": leaf.reading_seq,
            }
            for leaf in leaves[:8]
        ],
        "streamId": shown(stream),
        "trees": [
            {
                "index": size - 1,
                "leaf": shown(found[size - 1]),
                "path": [shown(node) for node in tree.proof(size - 1)],
                "root": shown(tree.root),
                "size": size,
            }
            for size, tree in trees.items()
        ],
    }


def log_vectors() -> list[dict[str, Any]]:
    """Give the roots of the log over the first reports, and a path in each."""
    reports = [keccak256(b"report %d" % number) for number in range(13)]
    leaves = [log_leaf(report) for report in reports]
    found = []
    for size in range(len(leaves) + 1):
        entry: dict[str, Any] = {"root": shown(tree_root(leaves[:size])), "size": size}
        if size:
            index = size // 2
            path = prove_inclusion(leaves[:size], index)
            entry["index"] = index
            entry["report"] = shown(reports[index])
            entry["path"] = [shown(node) for node in path]
        found.append(entry)
    return found


# --- a signed reading, by hand ------------------------------------------------------


def head(major: int, number: int) -> bytes:
    """Encode the head of a CBOR item in its shortest form."""
    if number < 24:  # noqa: PLR2004  # the numbers of RFC 8949, 3.1
        return bytes([major << 5 | number])
    for extra, size in ((24, 1), (25, 2), (26, 4)):
        if number < 256**size:
            return bytes([major << 5 | extra]) + number.to_bytes(size, "big")
    return bytes([major << 5 | 27]) + number.to_bytes(8, "big")


def text(data: bytes) -> bytes:
    """Encode a byte string."""
    return head(2, len(data)) + data


def reading_vector() -> dict[str, Any]:
    """Sign one reading with ES256 and give everything its check needs."""
    secret = int.from_bytes(keccak256(b"vector carrier"), "big") % P256_ORDER
    key = ec.derive_private_key(secret, ec.SECP256R1())
    public = key.public_key()
    spki = public.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    carriers, identifier = checksum_address(b"\xc4" * 20), b"88.100.1/meter-1"
    id_hash = keccak256(identifier)
    payload = (
        b"\xa5"  # {1: kid, 2: seq, 3: ts, 4: [[register, value]], 5: prev}
        + (head(0, 1) + text(hashlib.sha256(spki).digest()[:8]))
        + (head(0, 2) + head(0, 5))
        + (head(0, 3) + head(0, 1_647_306_000))
        + (head(0, 4) + b"\x81\x82" + head(0, 1) + head(0, 123_456))
        + (head(0, 5) + text(keccak256(b"message before")[:16]))
    )
    protected = b"\xa1\x01\x26"  # {1: -7}
    aad = b"ccl/reading/v1" + CHAIN_ID.to_bytes(32, "big")
    aad += address_bytes(carriers) + id_hash
    structure = b"\x84\x6aSignature1" + text(protected) + text(aad) + text(payload)
    algorithm = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
    r, s = decode_dss_signature(key.sign(structure, algorithm))
    s = min(s, P256_ORDER - s)
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    message = b"\x84" + text(protected) + b"\xa0" + text(payload) + text(signature)
    numbers = public.public_numbers()
    return {
        "carriers": carriers,
        "chainId": CHAIN_ID,
        "idHash": shown(id_hash),
        "identifier": identifier.decode("ascii"),
        "message": shown(message),
        "messageDigest": shown(keccak256(message)),
        "seq": 5,
        "sigStructureHash": shown(hashlib.sha256(structure).digest()),
        "x": shown(numbers.x.to_bytes(32, "big")),
        "y": shown(numbers.y.to_bytes(32, "big")),
    }


def all_vectors() -> dict[str, Any]:
    """Make every file's content."""
    return {
        "ids": id_vectors(),
        "log": log_vectors(),
        "merkle": merkle_vectors(),
        "reading": reading_vector(),
        "signatures": signature_vectors(),
        "typed_data": typed_vectors(),
    }


def written(content: Any) -> str:
    """Write a file's content, the same bytes for the same content."""
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> None:
    """Write all files."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, content in all_vectors().items():
        path = FOLDER / f"{name}.json"
        path.write_text(written(content), encoding="utf-8")
        print(path.relative_to(FOLDER.parent.parent))


if __name__ == "__main__":
    main()
