"""Checkpoints of the log: signed notes with the members' Ed25519 cosignatures.

    park.example/log/steel         origin
    1234                           number of leaves
    qINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=
                                   (an empty line)
    — auditor.example <base64 of key id (4), unix time (8), signature (64)>

The forms are C2SP signed-note, tlog-checkpoint and tlog-cosignature (version 1). A
member signs what it has stored, never what it was merely told. The reader brings the
members' keys; lines of unknown keys are passed over, a wrong signature of a known key
refuses the whole checkpoint.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from oracle.errors import InvalidCheckpointError
from oracle.log.tree import HASH_BYTES

MAX_NOTE_BYTES = 64 * 1024
"""No checkpoint is longer."""

_COSIGNATURE_TYPE = b"\x04"
_KEY_ID_BYTES = 4
_LINE_BYTES = _KEY_ID_BYTES + 8 + 64
_TEXT_LINES = 3


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the log looked like: its size and root."""

    origin: str
    """Name of the log, without space; one log, one name."""
    size: int
    """Number of leaves."""
    root: bytes
    """Root of the tree, 32 bytes."""

    def text(self) -> bytes:
        """Return the note's text, which is what signatures cover."""
        root = base64.b64encode(self.root).decode()
        return f"{self.origin}\n{self.size}\n{root}\n".encode()


@dataclass(frozen=True, slots=True)
class CosignerKey:
    """A member's key for checkpoints; it signs nothing else."""

    name: str
    """Name of the member, without space and plus."""
    public_key: bytes
    """Ed25519, 32 bytes."""

    @property
    def key_id(self) -> bytes:
        """Hint that finds the key, 4 bytes."""
        content = self.name.encode() + b"\n" + _COSIGNATURE_TYPE + self.public_key
        return sha256(content).digest()[:_KEY_ID_BYTES]


@dataclass(frozen=True, slots=True)
class CosignedCheckpoint:
    """A checkpoint whose cosignatures were verified."""

    checkpoint: Checkpoint
    """Size and root."""
    cosigned_at: Mapping[str, int]
    """Name of the member → time of its signature [unix s]."""


def cosign(
    checkpoint: Checkpoint, name: str, key: Ed25519PrivateKey, timestamp: int
) -> bytes:
    """Sign a checkpoint as one member.

    Args:
        checkpoint: Checkpoint that the member has stored.
        name: Name of the member.
        key: Its private key for checkpoints.
        timestamp: Time of the signature. [unix s]

    Returns:
        The signature line with its line feed, UTF-8.
    """
    public = CosignerKey(name, key.public_key().public_bytes_raw())
    signature = key.sign(_signed(checkpoint.text(), timestamp))
    payload = public.key_id + timestamp.to_bytes(8, "big") + signature
    return f"— {name} {base64.b64encode(payload).decode()}\n".encode()


def join_note(checkpoint: Checkpoint, lines: Iterable[bytes]) -> bytes:
    """Put a checkpoint and its signature lines together.

    Args:
        checkpoint: Checkpoint.
        lines: Lines made by `cosign`.

    Returns:
        The signed note, UTF-8.
    """
    return checkpoint.text() + b"\n" + b"".join(sorted(lines))


def open_note(
    note: bytes, keys: Iterable[CosignerKey], threshold: int
) -> CosignedCheckpoint:
    """Verify a signed note.

    Args:
        note: The whole note.
        keys: Keys of the members that count.
        threshold: How many of them must have signed.

    Returns:
        The checkpoint with who signed and when.

    Raises:
        InvalidCheckpointError: The note is malformed, a known key's signature is
            wrong, or too few members signed.
    """
    text, lines = _split(note)
    checkpoint = _parse_text(text)
    known = {(key.name, key.key_id): key for key in keys}
    cosigned_at: dict[str, int] = {}
    for line in lines:
        name, payload = _parse_line(line)
        key = known.get((name, payload[:_KEY_ID_BYTES]))
        if key is not None:
            cosigned_at[name] = _verify_line(text, key, payload)
    if len(cosigned_at) < threshold:
        raise InvalidCheckpointError(
            f"Checkpoint {checkpoint.origin} at {checkpoint.size}: expected "
            f"{threshold} members' cosignatures, got {len(cosigned_at)}."
        )
    return CosignedCheckpoint(checkpoint, cosigned_at)


def _signed(text: bytes, timestamp: int) -> bytes:
    """Build the bytes that a cosignature covers."""
    return f"cosignature/v1\ntime {timestamp}\n".encode() + text


def _split(note: bytes) -> tuple[bytes, list[str]]:
    """Split a note into its text and its signature lines."""
    text, separator, rest = note.rpartition(b"\n\n")
    if len(note) > MAX_NOTE_BYTES or not separator or not rest.endswith(b"\n"):
        raise InvalidCheckpointError(
            "Checkpoint: expected a text, an empty line and signature lines of at most "
            f"{MAX_NOTE_BYTES} bytes, got {len(note)} bytes of another form."
        )
    try:
        return text + b"\n", rest.decode("utf-8").split("\n")[:-1]
    except UnicodeDecodeError as exc:
        raise InvalidCheckpointError(f"Checkpoint: no UTF-8: {exc}.") from exc


def _parse_text(text: bytes) -> Checkpoint:
    """Decode the text and demand its only form."""
    lines = text.decode("utf-8", errors="replace").split("\n")
    try:
        origin, size = lines[0], int(lines[1])
        root = base64.b64decode(lines[2], validate=True)
    except (IndexError, ValueError, binascii.Error) as exc:
        raise InvalidCheckpointError(
            f"Checkpoint: expected origin, size and root on {_TEXT_LINES} lines: {exc}."
        ) from exc
    checkpoint = Checkpoint(origin, size, root)
    is_sound = bool(origin) and size >= 0 and len(root) == HASH_BYTES
    if not is_sound or checkpoint.text() != text:
        raise InvalidCheckpointError(
            "Checkpoint: expected origin, decimal size and a root of 32 bytes in their "
            f"shortest form, got {text[:80]!r}."
        )
    return checkpoint


def _parse_line(line: str) -> tuple[str, bytes]:
    """Decode one signature line into the signer's name and the payload."""
    parts = line.split(" ")
    try:
        dash, name, encoded = parts
        payload = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error) as exc:
        raise InvalidCheckpointError(
            f"Checkpoint: no signature line: {line[:80]!r}."
        ) from exc
    if dash != "—" or not name:
        raise InvalidCheckpointError(f"Checkpoint: no signature line: {line[:80]!r}.")
    return name, payload


def _verify_line(text: bytes, key: CosignerKey, payload: bytes) -> int:
    """Verify one member's cosignature; return its time [unix s]."""
    if len(payload) != _LINE_BYTES:
        raise InvalidCheckpointError(
            f"Cosignature of {key.name}: expected {_LINE_BYTES} bytes, "
            f"got {len(payload)}."
        )
    timestamp = int.from_bytes(payload[_KEY_ID_BYTES : _KEY_ID_BYTES + 8], "big")
    signature = payload[_KEY_ID_BYTES + 8 :]
    try:
        public = Ed25519PublicKey.from_public_bytes(key.public_key)
        public.verify(signature, _signed(text, timestamp))
    except (InvalidSignature, ValueError) as exc:
        raise InvalidCheckpointError(
            f"Cosignature of {key.name}: expected one by its key, got another."
        ) from exc
    return timestamp
