"""Checks of calls, estimates, state and opcodes."""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from contracts.hashing import keccak256
from node.engine.conformance.bytecode import (
    LOGGER,
    MCOPY,
    PUSH0,
    REVERT_42,
    TIMESTAMP,
    TRANSIENT,
)
from node.engine.conformance.probe import Probe, expect
from node.engine.conformance.sending import hex_word

_P256_PRECOMPILE = "0x" + (0x100).to_bytes(20).hex()
_IDENTITY_PRECOMPILE = "0x" + (4).to_bytes(20).hex()


def call_returns_data(probe: Probe) -> None:
    """A call returns what the contract returns."""
    call = {"to": _IDENTITY_PRECOMPILE, "data": "0x2a2b"}
    expect("result", probe.call("eth_call", call, "latest"), "0x2a2b")


def call_carries_revert_data(probe: Probe) -> None:
    """A reverted call is an error that carries the contract's bytes."""
    error = probe.refusal("eth_call", {"data": "0x" + REVERT_42.hex()}, "latest")
    expect("code", error.code, 3)
    expect("data", error.data, hex_word(42))


def call_changes_nothing(probe: Probe) -> None:
    """A call that writes leaves the storage as it was."""
    probe.log_word(12)
    address = probe.logger_deployment["contractAddress"]
    probe.call("eth_call", {"to": address, "data": hex_word(99)}, "latest")
    stored = probe.call("eth_getStorageAt", address, "0x0", "latest")
    expect("storage", int(stored, 16), 12)


def call_sees_the_newest_block_time(probe: Probe) -> None:
    """A call at the newest block sees a time that is not before it."""
    block = probe.call("eth_getBlockByNumber", "latest", False)
    seen = probe.call("eth_call", {"data": "0x" + TIMESTAMP.hex()}, "latest")
    expect("time", int(seen, 16) >= int(block["timestamp"], 16), True)


def estimate_is_enough(probe: Probe) -> None:
    """A transaction with exactly the estimated gas succeeds."""
    address = probe.logger_deployment["contractAddress"]
    call = {"from": probe.account.address, "to": address, "data": hex_word(13)}
    gas = probe.number("eth_estimateGas", call)
    receipt = probe.send(to=address, data=(13).to_bytes(32), gas=gas)
    expect("status", receipt["status"], "0x1")


def estimate_of_a_revert_is_refused(probe: Probe) -> None:
    """Estimating what reverts is an error that carries the contract's bytes."""
    error = probe.refusal("eth_estimateGas", {"data": "0x" + REVERT_42.hex()})
    expect("data", error.data, hex_word(42))


def deployment_names_the_contract(probe: Probe) -> None:
    """The contract's address follows from sender and nonce, its code is there."""
    receipt = probe.logger_deployment
    found = probe.call("eth_getTransactionByHash", receipt["transactionHash"])
    expect("address", receipt["contractAddress"], _created(probe, found["nonce"]))
    code = probe.call("eth_getCode", receipt["contractAddress"], "latest")
    expect("code", code, "0x" + LOGGER.hex())


def storage_and_code_of_nobody_are_empty(probe: Probe) -> None:
    """Unused accounts have neither code nor storage."""
    nobody = "0x" + 20 * "77"
    expect("code", probe.call("eth_getCode", nobody, "latest"), "0x")
    stored = probe.call("eth_getStorageAt", nobody, "0x0", "latest")
    expect("storage", int(stored, 16), 0)


def push0_works(probe: Probe) -> None:
    """Opcode PUSH0 of Shanghai (EIP-3855)."""
    expect("result", _run(probe, PUSH0), 0)


def mcopy_works(probe: Probe) -> None:
    """Opcode MCOPY of Cancun (EIP-5656)."""
    expect("result", _run(probe, MCOPY), 42)


def transient_storage_works(probe: Probe) -> None:
    """Opcodes TSTORE and TLOAD of Cancun (EIP-1153)."""
    expect("result", _run(probe, TRANSIENT), 42)


def p256_precompile_reported(probe: Probe) -> str:
    """Tell whether the P-256 precompile (RIP-7212) is there."""
    key = ec.generate_private_key(ec.SECP256R1())
    signature = key.sign(b"conformance", ec.ECDSA(hashes.SHA256()))
    digest = hashes.Hash(hashes.SHA256())
    digest.update(b"conformance")
    public = key.public_key().public_numbers()
    words = (*decode_dss_signature(signature), public.x, public.y)
    data = digest.finalize() + b"".join(each.to_bytes(32) for each in words)
    call = {"to": _P256_PRECOMPILE, "data": "0x" + data.hex()}
    present = probe.call("eth_call", call, "latest") == hex_word(1)
    return "present" if present else "absent: signatures are verified in Solidity"


def _run(probe: Probe, program: bytes) -> int:
    return probe.number("eth_call", {"data": "0x" + program.hex()}, "latest")


def _created(probe: Probe, nonce: str) -> str:
    """Return the address of a contract created by the account at a nonce."""
    number = int(nonce, 16)
    digits = number.to_bytes((number.bit_length() + 7) // 8)
    rlp_nonce = digits if 0 < number < 128 else bytes([128 + len(digits)]) + digits  # noqa: PLR2004  # RLP: single bytes below 128 stand for themselves
    sender = bytes.fromhex(probe.account.address[2:])
    body = bytes([128 + len(sender)]) + sender + rlp_nonce
    return "0x" + keccak256(bytes([192 + len(body)]) + body)[12:].hex()


CHECKS = (
    call_returns_data,
    call_carries_revert_data,
    call_changes_nothing,
    call_sees_the_newest_block_time,
    estimate_is_enough,
    estimate_of_a_revert_is_refused,
    deployment_names_the_contract,
    storage_and_code_of_nobody_are_empty,
    push0_works,
    mcopy_works,
    transient_storage_works,
    p256_precompile_reported,
)
