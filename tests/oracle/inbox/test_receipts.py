"""Receipts: a member's word, bound to chain and contract, small and exact."""

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from oracle.errors import InvalidReceiptError
from oracle.inbox.receipts import (
    MAX_ENTRIES,
    ReceiptBook,
    ReceiptEntry,
    read_receipt,
    read_unverified,
    sign_receipt,
)
from oracle.reading.checks import Domain
from oracle.reading.suites import SoftwareSigner
from tests.simulators.device import DOMAIN, START

ENTRY = ReceiptEntry(bytes(8), 5, b"\x11" * 32)


@pytest.fixture(params=["ES256", "EdDSA"])
def signer(request: pytest.FixtureRequest) -> SoftwareSigner:
    if request.param == "EdDSA":
        return SoftwareSigner(ed25519.Ed25519PrivateKey.generate())
    return SoftwareSigner(ec.generate_private_key(ec.SECP256R1()))


def read(data: bytes, signer: SoftwareSigner, domain: Domain = DOMAIN) -> object:
    return read_receipt(data, signer.suite, signer.public_key, domain)


class TestReceipt:
    def test_reads_back_what_was_signed(self, signer: SoftwareSigner):
        receipt = read(sign_receipt([ENTRY], START, signer, DOMAIN), signer)

        assert receipt.entries == (ENTRY,)
        assert (receipt.received_at, receipt.promise_at) == (START, START + 60)

    def test_stays_below_4_kib(self, signer: SoftwareSigner):
        entry = ReceiptEntry(b"\xff" * 8, 2**63 - 1, b"\xff" * 32)

        assert len(sign_receipt([entry] * MAX_ENTRIES, START, signer, DOMAIN)) < 4096

    @pytest.mark.parametrize(
        "domain",
        [Domain(1, DOMAIN.carriers_address), Domain(20260, "0x" + "77" * 20)],
        ids=["another chain", "another contract"],
    )
    def test_counts_in_its_own_place_only(self, signer: SoftwareSigner, domain: Domain):
        data = sign_receipt([ENTRY], START, signer, DOMAIN)

        with pytest.raises(InvalidReceiptError, match="not the member's"):
            read(data, signer, domain)

    def test_every_altered_byte_is_noticed(self, signer: SoftwareSigner):
        data = sign_receipt([ENTRY], START, signer, DOMAIN)

        for place in range(len(data)):
            altered = bytearray(data)
            altered[place] ^= 1
            with pytest.raises(InvalidReceiptError):
                read(bytes(altered), signer)

    def test_another_suite_is_refused(self, signer: SoftwareSigner):
        data = sign_receipt([ENTRY], START, signer, DOMAIN)
        header = cbor2.loads(data)[0]
        other = data.replace(header, b"\xa1\x01\x38\x2e"[: len(header)], 1)

        with pytest.raises(InvalidReceiptError):
            read(other, signer)

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"\x01",
            b"\x84\x40\xa0\x40",
            cbor2.dumps([b"", {}, b"", b""]),
            cbor2.dumps([b"", {}, cbor2.dumps([1, 2]), b""]),
        ],
    )
    def test_another_form_is_refused(self, data: bytes):
        with pytest.raises(InvalidReceiptError):
            read_unverified(data)

    @pytest.mark.parametrize("count", [0, MAX_ENTRIES + 1])
    def test_covers_one_to_64_readings(self, signer: SoftwareSigner, count: int):
        with pytest.raises(ValueError, match="1 to 64"):
            sign_receipt([ENTRY] * count, START, signer, DOMAIN)


class TestReceiptBook:
    def test_a_receipt_never_covers_two_requests(self, signer: SoftwareSigner):
        book = ReceiptBook(signer, DOMAIN, START, first=7)
        book.begin_request()
        first = [book.add(ENTRY) for _ in range(MAX_ENTRIES + 1)]
        book.begin_request()
        second = book.add(ENTRY)

        assert (first[0], first[-1], second) == (7, 8, 9)
        assert [len(read(one, signer).entries) for one in book.sign().values()] == [
            64,
            1,
            1,
        ]
