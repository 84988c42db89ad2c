"""Suites: published vectors, low s only, unsupported ones refused by name."""

import base64
import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from oracle.errors import InvalidKeyError
from oracle.reading.profile import signed_bytes
from oracle.reading.suites import (
    P256_HALF_ORDER,
    P256_ORDER,
    SoftwareSigner,
    Suite,
    key_id,
    key_id_of,
    parse_public_key,
    raw_public_key,
    verify,
)


def load(folder, name):
    return json.loads((folder / name).read_text(encoding="utf-8"))


def cases(file):
    """All tests of a Wycheproof file with the key of their group."""
    return [
        (group["publicKey"], test)
        for group in file["testGroups"]
        for test in group["tests"]
    ]


@pytest.fixture(scope="module")
def wycheproof(data_dir):
    return data_dir / "wycheproof"


@pytest.fixture(scope="module")
def cose(data_dir):
    return data_dir / "cose"


def p256_key(key):
    point = bytes.fromhex(key["uncompressed"])
    return point[1:]


class TestWycheproof:
    def test_p256_signatures_of_64_bytes_hold_exactly_when_valid_and_low(
        self, wycheproof
    ):
        file = load(wycheproof, "ecdsa_secp256r1_sha256_p1363_test.json")
        wrong = []
        for key, test in cases(file):
            signature = bytes.fromhex(test["sig"])
            s = int.from_bytes(signature[32:], "big")
            expected = test["result"] == "valid" and s <= P256_HALF_ORDER
            message = bytes.fromhex(test["msg"])
            if verify(Suite.ES256, p256_key(key), message, signature) != expected:
                wrong.append(test["tcId"])
        assert wrong == []

    def test_no_der_signature_is_accepted(self, wycheproof):
        file = load(wycheproof, "ecdsa_secp256r1_sha256_test.json")
        accepted = [
            test["tcId"]
            for key, test in cases(file)
            if verify(
                Suite.ES256,
                p256_key(key),
                bytes.fromhex(test["msg"]),
                bytes.fromhex(test["sig"]),
            )
        ]
        assert accepted == []

    def test_ed25519_signatures_hold_exactly_when_valid(self, wycheproof):
        file = load(wycheproof, "ed25519_test.json")
        wrong = [
            test["tcId"]
            for key, test in cases(file)
            if verify(
                Suite.EDDSA,
                bytes.fromhex(key["pk"]),
                bytes.fromhex(test["msg"]),
                bytes.fromhex(test["sig"]),
            )
            != (test["result"] == "valid")
        ]
        assert wrong == []


def base64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def parts(example):
    """Protected header, payload and signature out of an example's notation."""
    diag = example["output"]["cbor_diag"]
    inside = [bytes.fromhex(piece.split("'")[0]) for piece in diag.split("h'")[1:]]
    return inside[0], inside[-2], inside[-1]


def low(signature):
    r, s = signature[:32], int.from_bytes(signature[32:], "big")
    return r + min(s, P256_ORDER - s).to_bytes(32, "big")


class TestCoseExamples:
    @pytest.mark.parametrize(
        "name",
        [
            "sign1-tests/sign-pass-01.json",
            "sign1-tests/sign-pass-02.json",
            "sign1-tests/sign-pass-03.json",
            "ecdsa-examples/ecdsa-sig-01.json",
            "RFC8152/Appendix_C_2_1.json",
        ],
    )
    def test_es256_examples_verify_over_our_sig_structure(self, cose, name):
        example = load(cose, name)
        signed = self.signed(example)
        key = example["input"]["sign0"]["key"]
        public = base64url(key["x"]) + base64url(key["y"])
        signature = low(parts(example)[2])

        assert signed.hex().upper() == example["intermediates"]["ToBeSign_hex"]
        assert verify(Suite.ES256, public, signed, signature)
        assert not verify(Suite.ES256, public, signed + b"\x00", signature)

    def test_the_eddsa_example_verifies_over_our_sig_structure(self, cose):
        example = load(cose, "eddsa-examples/eddsa-sig-01.json")
        signed = self.signed(example)
        public = bytes.fromhex(example["input"]["sign0"]["key"]["x_hex"])

        assert signed.hex().upper() == example["intermediates"]["ToBeSign_hex"]
        assert verify(Suite.EDDSA, public, signed, parts(example)[2])

    @pytest.mark.parametrize("number", ["02", "03", "04", "06", "07"])
    def test_altered_examples_do_not_verify(self, cose, number):
        example = load(cose, f"sign1-tests/sign-fail-{number}.json")
        key = example["input"]["sign0"]["key"]
        public = base64url(key["x"]) + base64url(key["y"])

        assert not verify(
            Suite.ES256, public, self.signed(example), low(parts(example)[2])
        )

    @staticmethod
    def signed(example):
        protected, payload, _signature = parts(example)
        aad = bytes.fromhex(example["input"]["sign0"].get("external", ""))
        is_empty = protected == b"\xa0"  # RFC 9052 §4.4: an empty map is signed as h''
        return signed_bytes(b"" if is_empty else protected, payload, aad)


@pytest.fixture(params=[Suite.ES256, Suite.EDDSA], ids=lambda suite: suite.name)
def signer(request):
    if request.param is Suite.EDDSA:
        return SoftwareSigner(ed25519.Ed25519PrivateKey.generate())
    return SoftwareSigner(ec.generate_private_key(ec.SECP256R1()))


class TestSoftwareSigner:
    def test_signs_what_verifies(self, signer):
        signature = signer.sign(b"data")

        assert len(signature) == 64
        assert verify(signer.suite, signer.public_key, b"data", signature)

    def test_another_message_does_not_verify(self, signer):
        signature = signer.sign(b"data")

        assert not verify(signer.suite, signer.public_key, b"Data", signature)

    def test_always_signs_with_low_s(self):
        signer = SoftwareSigner(ec.generate_private_key(ec.SECP256R1()))

        signatures = [signer.sign(bytes([number])) for number in range(32)]

        halves = [int.from_bytes(one[32:], "big") for one in signatures]
        assert max(halves) <= P256_HALF_ORDER

    def test_the_same_signature_with_high_s_is_refused(self):
        signer = SoftwareSigner(ec.generate_private_key(ec.SECP256R1()))
        signature = signer.sign(b"data")
        s = int.from_bytes(signature[32:], "big")
        high = signature[:32] + (P256_ORDER - s).to_bytes(32, "big")

        assert not verify(Suite.ES256, signer.public_key, b"data", high)

    @pytest.mark.parametrize("half", [slice(0, 32), slice(32, 64)])
    def test_a_zero_half_is_refused(self, half):
        signer = SoftwareSigner(ec.generate_private_key(ec.SECP256R1()))
        signature = bytearray(signer.sign(b"data"))
        signature[half] = bytes(32)

        assert not verify(Suite.ES256, signer.public_key, b"data", bytes(signature))


class TestKeys:
    def test_a_key_id_names_the_subject_public_key_info(self, signer):
        public = parse_public_key(signer.suite, signer.public_key)
        spki = public.public_bytes(
            serialization.Encoding.DER,
            serialization.PublicFormat.SubjectPublicKeyInfo,
        )

        assert key_id_of(signer.suite, signer.public_key) == key_id(spki)

    def test_a_key_is_parsed_once(self, signer):
        first = parse_public_key(signer.suite, signer.public_key)

        assert parse_public_key(signer.suite, signer.public_key) is first

    @pytest.mark.parametrize("suite", [Suite.ES256K, Suite.SM2])
    def test_an_unsupported_suite_is_refused_by_name(self, suite):
        with pytest.raises(InvalidKeyError, match=f"{suite.name} is not supported"):
            verify(suite, bytes(64), b"data", bytes(64))

    def test_a_key_of_the_wrong_length_is_refused(self):
        with pytest.raises(InvalidKeyError, match="64 bytes, given 65"):
            parse_public_key(Suite.ES256, bytes(65))

    def test_a_point_off_the_curve_is_refused(self):
        with pytest.raises(InvalidKeyError, match="not a point"):
            parse_public_key(Suite.ES256, b"\x01" * 64)

    def test_a_key_on_another_curve_is_refused(self):
        key = ec.generate_private_key(ec.SECP384R1()).public_key()

        with pytest.raises(InvalidKeyError, match="secp384r1"):
            raw_public_key(key)
