import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oracle.errors import InvalidCheckpointError
from oracle.log.checkpoint import (
    Checkpoint,
    CosignerKey,
    cosign,
    join_note,
    open_note,
)
from oracle.log.tree import leaf_hash

CHECKPOINT = Checkpoint("park.example/log/steel", 1234, leaf_hash(b"root"))
NAMES = ("auditor", "operator", "regulator")
KEYS = {
    name: Ed25519PrivateKey.from_private_bytes(name.encode().ljust(32, b"."))
    for name in NAMES
}
COSIGNERS = [
    CosignerKey(name, key.public_key().public_bytes_raw()) for name, key in KEYS.items()
]
TIME = 1_700_000_000


def lines(*names: str) -> list[bytes]:
    return [cosign(CHECKPOINT, name, KEYS[name], TIME) for name in names]


class TestOpenNote:
    def test_gives_the_checkpoint_and_who_signed_when(self):
        opened = open_note(join_note(CHECKPOINT, lines(*NAMES)), COSIGNERS, 3)
        assert opened.checkpoint == CHECKPOINT
        assert opened.cosigned_at == dict.fromkeys(NAMES, TIME)

    def test_the_text_has_origin_size_and_root(self):
        note = join_note(CHECKPOINT, lines("auditor")).decode().split("\n")
        root = base64.b64encode(CHECKPOINT.root).decode()
        assert note[:4] == ["park.example/log/steel", "1234", root, ""]

    def test_too_few_cosignatures_are_refused(self):
        note = join_note(CHECKPOINT, lines("auditor", "operator"))
        with pytest.raises(InvalidCheckpointError, match="expected 3 members"):
            open_note(note, COSIGNERS, 3)

    def test_one_member_twice_counts_once(self):
        note = join_note(CHECKPOINT, lines("auditor", "auditor"))
        with pytest.raises(InvalidCheckpointError, match="got 1"):
            open_note(note, COSIGNERS, 2)

    def test_a_stranger_does_not_count(self):
        stranger = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
        line = cosign(CHECKPOINT, "stranger", stranger, TIME)
        with pytest.raises(InvalidCheckpointError, match="got 0"):
            open_note(join_note(CHECKPOINT, [line]), COSIGNERS, 1)

    def test_every_changed_byte_is_refused(self):
        note = join_note(CHECKPOINT, lines(*NAMES))
        for place in range(len(note)):
            changed = bytearray(note)
            changed[place] ^= 1
            with pytest.raises(InvalidCheckpointError):
                open_note(bytes(changed), COSIGNERS, 3)

    def test_a_cosignature_of_another_size_is_refused_by_name(self):
        other = Checkpoint(CHECKPOINT.origin, 1235, CHECKPOINT.root)
        line = cosign(other, "operator", KEYS["operator"], TIME)
        with pytest.raises(InvalidCheckpointError, match="Cosignature of operator"):
            open_note(join_note(CHECKPOINT, [line]), COSIGNERS, 1)

    def test_a_negative_size_is_refused(self):
        below = Checkpoint(CHECKPOINT.origin, -1, CHECKPOINT.root)
        with pytest.raises(InvalidCheckpointError, match="decimal size"):
            open_note(join_note(below, lines("auditor")), COSIGNERS, 0)

    def test_a_size_with_a_leading_zero_is_refused(self):
        note = join_note(CHECKPOINT, lines(*NAMES)).replace(b"\n1234\n", b"\n01234\n")
        with pytest.raises(InvalidCheckpointError, match="shortest form"):
            open_note(note, COSIGNERS, 3)

    def test_a_note_without_signatures_is_refused(self):
        with pytest.raises(InvalidCheckpointError, match="signature lines"):
            open_note(CHECKPOINT.text(), COSIGNERS, 1)
