"""Key files: encrypted, private, never overwritten, wrong use named."""

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from oracle.carrier.signers import create_key, load_key, read_passphrase
from oracle.errors import InvalidKeyError
from oracle.reading.suites import Suite, verify

PASSPHRASE = b"correct horse battery"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "carrier.pem"


class TestKeyFile:
    @pytest.mark.parametrize("suite", [Suite.ES256, Suite.EDDSA])
    def test_a_new_key_opens_with_its_passphrase(self, file: Path, suite: Suite):
        made = create_key(file, suite, PASSPHRASE)

        opened = load_key(file, PASSPHRASE)

        signature = opened.sign(b"data")
        assert opened.suite == suite
        assert verify(suite, made.public_key, b"data", signature)

    def test_it_is_encrypted_and_its_owners_alone(self, file: Path):
        create_key(file, Suite.ES256, PASSPHRASE)

        assert file.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_a_wrong_passphrase_is_named(self, file: Path):
        create_key(file, Suite.ES256, PASSPHRASE)

        with pytest.raises(InvalidKeyError, match="check the passphrase file"):
            load_key(file, b"another passphrase")

    def test_an_existing_file_is_never_overwritten(self, file: Path):
        file.write_bytes(b"precious")

        with pytest.raises(InvalidKeyError, match="never overwritten"):
            create_key(file, Suite.ES256, PASSPHRASE)

        assert file.read_bytes() == b"precious"

    def test_a_short_passphrase_is_refused(self, file: Path):
        with pytest.raises(InvalidKeyError, match="at least 12 bytes, given 5"):
            create_key(file, Suite.ES256, b"short")

        assert not file.exists()

    def test_a_suite_without_software_key_is_refused(self, file: Path):
        with pytest.raises(InvalidKeyError, match="suite SM2"):
            create_key(file, Suite.SM2, PASSPHRASE)

    def test_an_unencrypted_key_is_refused(self, file: Path):
        key = ec.generate_private_key(ec.SECP256R1())
        plain = serialization.NoEncryption()
        file.write_bytes(self.pem(key, plain))

        with pytest.raises(InvalidKeyError, match="not encrypted"):
            load_key(file, PASSPHRASE)

    def test_a_key_of_another_kind_is_refused(self, file: Path):
        key = rsa.generate_private_key(65537, 2048)
        sealed = serialization.BestAvailableEncryption(PASSPHRASE)
        file.write_bytes(self.pem(key, sealed))

        with pytest.raises(InvalidKeyError, match="another kind"):
            load_key(file, PASSPHRASE)

    def test_a_missing_file_is_named(self, file: Path):
        with pytest.raises(InvalidKeyError, match=r"carrier.pem cannot be read"):
            load_key(file, PASSPHRASE)

    @staticmethod
    def pem(
        key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
        encryption: serialization.KeySerializationEncryption,
    ) -> bytes:
        pkcs8 = serialization.PrivateFormat.PKCS8
        return key.private_bytes(serialization.Encoding.PEM, pkcs8, encryption)


class TestPassphraseFile:
    def test_the_line_end_does_not_count(self, tmp_path: Path):
        file = tmp_path / "passphrase"
        file.write_bytes(PASSPHRASE + b"\r\n")
        file.chmod(0o600)

        assert read_passphrase(file) == PASSPHRASE

    def test_a_file_that_others_may_read_is_refused(self, tmp_path: Path):
        file = tmp_path / "passphrase"
        file.write_bytes(PASSPHRASE)
        file.chmod(0o644)

        with pytest.raises(InvalidKeyError, match="expected mode 600, given 644"):
            read_passphrase(file)
