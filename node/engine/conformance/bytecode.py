"""Hand-assembled EVM programs for the checks; each comment is its assembly."""

TOPIC_A = bytes.fromhex("aa" * 32)
TOPIC_B = bytes.fromhex("bb" * 32)

LOGGER = (
    bytes.fromhex("600035600052")  # mem[0] = calldata[0]
    + bytes.fromhex("600035600055")  # storage[0] = calldata[0]
    + b"\x7f" + TOPIC_A + bytes.fromhex("60206000a1")  # log1(mem[0..32], A)
    + bytes.fromhex("600035") + b"\x7f" + TOPIC_B
    + bytes.fromhex("60206000a2")  # log2(mem[0..32], B, calldata[0])
    + b"\x00"  # stop
)  # fmt: skip
"""Runtime: store the argument, log it under A, then under B with itself."""

REVERT_42 = bytes.fromhex("602a60005260206000fd")
"""mem[0] = 42; revert(mem[0..32])."""

TIMESTAMP = bytes.fromhex("4260005260206000f3")
"""mem[0] = block time; return(mem[0..32])."""

PUSH0 = bytes.fromhex("5f5f5260205ff3")
"""mem[0] = 0 by push0; return(mem[0..32])."""

MCOPY = bytes.fromhex("602a5f5260205f60205e60206020f3")
"""mem[0] = 42; mcopy to mem[32]; return(mem[32..64])."""

TRANSIENT = bytes.fromhex("602a5f5d5f5c5f5260205ff3")
"""tstore(0, 42); mem[0] = tload(0); return(mem[0..32])."""

LARGEST_CODE_BYTES = 24_576
"""Longest contract code (EIP-170). [B]"""


def init_code(runtime: bytes) -> bytes:
    """Return creation code that installs ``runtime`` (below 64 KiB)."""
    copy = "61" + len(runtime).to_bytes(2).hex() + "80600c6000396000f3"
    return bytes.fromhex(copy) + runtime


def init_code_of_size(size: int) -> bytes:
    """Return creation code that installs ``size`` zero bytes."""
    return bytes.fromhex("62" + size.to_bytes(3).hex() + "6000f3")
