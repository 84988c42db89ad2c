"""Key files: encrypted, for their owner only, never overwritten."""

from pathlib import Path

import pytest

from oracle.errors import InvalidKeyError
from oracle.member.keys import create_key, load_key
from oracle.member.setup import receipt_signer


def secret_file(path: Path, content: str) -> Path:
    path.touch(0o600)
    path.write_text(content)
    return path


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    return secret_file(tmp_path / "passphrase", "correct horse\n")


class TestKeyFile:
    def test_opens_with_its_passphrase(self, tmp_path: Path, passphrase: Path):
        key = create_key(tmp_path / "key.json", passphrase)
        assert load_key(tmp_path / "key.json", passphrase).address == key.address

    def test_keeps_the_secret_from_others(self, tmp_path: Path, passphrase: Path):
        key = create_key(tmp_path / "key.json", passphrase)
        path = tmp_path / "key.json"
        assert path.stat().st_mode & 0o077 == 0
        assert key.private.to_hex() not in path.read_text()
        assert key.private.to_hex() not in repr(key)

    def test_is_never_overwritten(self, tmp_path: Path, passphrase: Path):
        create_key(tmp_path / "key.json", passphrase)
        with pytest.raises(InvalidKeyError, match="exists already"):
            create_key(tmp_path / "key.json", passphrase)

    def test_does_not_open_with_another_passphrase(
        self, tmp_path: Path, passphrase: Path
    ):
        create_key(tmp_path / "key.json", passphrase)
        other = secret_file(tmp_path / "other", "battery staple")
        with pytest.raises(InvalidKeyError, match="both belong together") as caught:
            load_key(tmp_path / "key.json", other)
        assert "battery" not in str(caught.value)

    @pytest.mark.parametrize("content", ["", "{}", "no json", '{"version": 3}'])
    def test_says_what_is_wrong_with_a_broken_file(
        self, tmp_path: Path, passphrase: Path, content: str
    ):
        (tmp_path / "key.json").write_text(content)
        with pytest.raises(InvalidKeyError, match="key file"):
            load_key(tmp_path / "key.json", passphrase)

    def test_says_that_a_file_is_missing(self, tmp_path: Path, passphrase: Path):
        with pytest.raises(InvalidKeyError, match="create it first"):
            load_key(tmp_path / "key.json", passphrase)

    def test_wants_a_passphrase(self, tmp_path: Path):
        secret_file(tmp_path / "passphrase", "\n")
        with pytest.raises(InvalidKeyError, match="is empty"):
            create_key(tmp_path / "key.json", tmp_path / "passphrase")

    @pytest.mark.parametrize("mode", [0o640, 0o604])
    def test_wants_a_passphrase_that_others_cannot_read(
        self, tmp_path: Path, passphrase: Path, mode: int
    ):
        create_key(tmp_path / "key.json", passphrase)
        passphrase.chmod(mode)
        with pytest.raises(InvalidKeyError, match="open to others"):
            load_key(tmp_path / "key.json", passphrase)


class TestReceiptKey:
    def test_follows_from_the_member_key_alone(self, tmp_path: Path, passphrase: Path):
        key = create_key(tmp_path / "key.json", passphrase)
        again = load_key(tmp_path / "key.json", passphrase)
        assert receipt_signer(key).public_key == receipt_signer(again).public_key
