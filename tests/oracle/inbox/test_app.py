"""The HTTP uplink: status codes, media types, and what a client reads back."""

import threading
from concurrent.futures import Future

import httpx
import pytest

from oracle.errors import InvalidRequestError, UnavailableInboxError
from oracle.inbox.app import MAX_BODY_BYTES, create_app
from oracle.inbox.receipts import read_receipt
from oracle.inbox.results import Status, decode_results, encode_results
from oracle.inbox.store import writing
from oracle.member.server import HttpServer
from oracle.reading.sequence import join_sequence
from tests.oracle.inbox.conftest import sqlite_only
from tests.simulators.asgi import DirectLine
from tests.simulators.device import DOMAIN, DeviceSimulator
from tests.simulators.endless_body import ANNOUNCED, send_without_end

COSE = {"content-type": "application/cose"}
SEQUENCE = {"content-type": "application/cbor-seq"}


@pytest.fixture
def device():
    return DeviceSimulator()


@pytest.fixture
def inbox(open_inbox, device):
    return open_inbox(device, queue_messages=100)


@pytest.fixture
def client(inbox):
    line = DirectLine(create_app(inbox))
    with httpx.Client(transport=line, base_url="http://inbox") as one:
        yield one


class TestOneReading:
    def test_is_answered_with_its_receipt(self, client, device, member_key):
        answer = client.post("/readings", content=device.next(), headers=COSE)

        assert (answer.status_code, answer.headers["content-type"]) == (
            200,
            "application/cose",
        )
        public = member_key.public_key
        receipt = read_receipt(answer.content, member_key.suite, public, DOMAIN)
        assert receipt.entries[0].seq == 0

    def test_again_is_answered_with_the_same_receipt(self, client, device):
        raw = device.next()

        answers = [client.post("/readings", content=raw, headers=COSE) for _ in "ab"]

        assert answers[0].content == answers[1].content

    def test_that_is_refused_says_why(self, client):
        stranger = DeviceSimulator("stranger").next()

        answer = client.post("/readings", content=stranger, headers=COSE)

        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"].startswith("check 2 (key id): expected")

    def test_that_contradicts_a_stored_one_is_a_conflict(self, client, device):
        pair = [device.sign(device.reading(values=((1, v),))) for v in (1, 2)]

        codes = [
            client.post("/readings", content=raw, headers=COSE).status_code
            for raw in pair
        ]

        assert codes == [200, 409]

    @pytest.mark.parametrize(
        ("content", "headers", "code"),
        [
            (b"x", {"content-type": "text/plain"}, 415),
            (b"x", {}, 415),
            (b"", COSE, 400),
            (bytes(4097), COSE, 413),
        ],
        ids=["other type", "no type", "empty", "too long"],
    )
    def test_in_another_form_is_refused(self, client, content, headers, code):
        answer = client.post("/readings", content=content, headers=headers)

        assert answer.status_code == code
        assert answer.json()["status"] == code


class TestBatch:
    def test_has_a_result_for_each_message(self, client, device):
        messages = device.series(3)
        body = join_sequence([*messages[:2], b"\x01", *messages[1:]])

        answer = client.post("/readings/batch", content=body, headers=SEQUENCE)

        results = decode_results(answer.content)
        assert [one.status for one in results] == [
            Status.ACCEPTED,
            Status.ACCEPTED,
            Status.REFUSED,
            Status.REPLAYED,
            Status.ACCEPTED,
        ]

    def test_with_a_broken_end_keeps_what_came_before(self, client, device, inbox):
        body = join_sequence(device.series(2)) + b"\x5f\x00"

        answer = client.post("/readings/batch", content=body, headers=SEQUENCE)

        statuses = [one.status for one in decode_results(answer.content)]
        assert statuses == [Status.ACCEPTED, Status.ACCEPTED, Status.REFUSED]
        assert inbox.stored.dead_letters()[0].raw == b"\x5f\x00"

    def test_that_is_too_long_is_refused_whole(self, client, inbox):
        body = bytes(MAX_BODY_BYTES + 1)

        answer = client.post("/readings/batch", content=body, headers=SEQUENCE)

        assert answer.status_code == 413
        assert inbox.stored.counts()["dead_letters"] == 0

    @sqlite_only
    def test_without_end_is_cut_off(self, inbox):
        server = HttpServer(create_app(inbox), "127.0.0.1", 0)
        server.start()
        try:
            url = f"{server.url}/readings/batch"
            sent, answer = send_without_end(url, "content-type: application/cbor-seq")
        finally:
            server.stop()

        assert sent < ANNOUNCED
        assert answer.startswith(b"HTTP/1.1 413")

    def test_of_too_many_messages_is_refused_whole(self, client, inbox):
        answer = client.post(
            "/readings/batch", content=b"\x01" * 10_001, headers=SEQUENCE
        )

        assert answer.status_code == 413
        assert "at most 10000, given 10001" in answer.json()["detail"]
        assert inbox.stored.counts()["dead_letters"] == 0


class TestPressure:
    def test_a_full_queue_answers_429_with_retry_after(
        self, client, device, inbox, monkeypatch
    ):
        stuck, is_in = Future(), threading.Event()

        def take(_messages):
            is_in.set()
            return stuck

        monkeypatch.setattr(inbox._pool, "submit", take)
        inbox.enqueue(device.series(100))
        assert is_in.wait(5)

        answer = client.post("/readings", content=device.next(), headers=COSE)

        assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
        assert "at most 100 waiting" in answer.json()["detail"]
        stuck.set_exception(UnavailableInboxError("over", 1, is_overload=False))

    def test_a_failing_database_answers_503_with_retry_after(
        self, client, device, inbox
    ):
        with writing(inbox.engine) as connection:
            connection.exec_driver_sql("ALTER TABLE receipts RENAME TO lost")

        answer = client.post("/readings", content=device.next(), headers=COSE)

        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert "nothing was acknowledged" in answer.json()["detail"]

    @pytest.mark.parametrize("address_of", ["postgresql"], indirect=True)
    def test_a_damaged_database_answers_503_and_names_the_remedy(
        self, client, device, inbox
    ):
        """The server itself says that a page is damaged, from a trigger."""
        with writing(inbox.engine) as connection:
            connection.exec_driver_sql(
                "CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                "RAISE EXCEPTION 'invalid page' USING ERRCODE = 'XX001'; END $$"
            )
            connection.exec_driver_sql(
                "CREATE TRIGGER fault BEFORE INSERT ON readings "
                "EXECUTE FUNCTION fault()"
            )

        answer = client.post("/readings", content=device.next(), headers=COSE)

        assert (answer.status_code, answer.headers["retry-after"]) == (503, "300")
        assert "carbon-oracle rebuild" in answer.json()["detail"]


class TestHealth:
    def test_counts_what_is_stored(self, client, device):
        client.post("/readings", content=device.next(), headers=COSE)

        assert client.get("/health").json()["readings"] == 1


class TestResults:
    def test_survive_their_encoding(self, inbox, device):
        results = inbox.submit([device.next(), b"noise", device.next()])

        assert decode_results(encode_results(results)) == results

    @pytest.mark.parametrize("data", [b"", b"\x01", b"\x82\x81\x82\x00\x05\x80"])
    def test_that_are_broken_are_refused(self, data):
        with pytest.raises(InvalidRequestError, match="unreadable"):
            decode_results(data)
