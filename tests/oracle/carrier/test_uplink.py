"""The uplink: order, retries, receipts that must fit, refusals that are final."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from oracle.carrier.outbox import CarrierIdentity, Outbox
from oracle.carrier.sources import MeterReading
from oracle.carrier.uplink import MemberKey, Uplink
from oracle.errors import (
    InvalidReceiptError,
    InvalidRequestError,
    UnavailableUplinkError,
)
from oracle.inbox.app import create_app
from oracle.inbox.inbox import Inbox, InboxSettings
from oracle.inbox.results import encode_results
from oracle.reading.registry import CarrierRegistry, CarrierStatus
from oracle.reading.suites import SoftwareSigner
from tests.simulators.asgi import DirectLine
from tests.simulators.device import DOMAIN, START, DeviceSimulator, registry_of

Answer = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def device() -> DeviceSimulator:
    return DeviceSimulator()


@pytest.fixture
def member() -> SoftwareSigner:
    return SoftwareSigner(ec.generate_private_key(ec.SECP256R1()))


@pytest.fixture
def inbox(
    tmp_path: Path, device: DeviceSimulator, member: SoftwareSigner
) -> Iterator[Inbox]:
    settings = InboxSettings(tmp_path / "inbox.db", DOMAIN, workers=0)
    with Inbox(settings, registry_of(device), member, lambda: START) as one:
        yield one


@pytest.fixture
def outbox(tmp_path: Path, device: DeviceSimulator) -> Iterator[Outbox]:
    identity = CarrierIdentity(device.identifier, DOMAIN)
    with Outbox(tmp_path / "outbox.db", identity, device.signer) as one:
        one.append([MeterReading(START + 900 * n, ((1, n),)) for n in range(25)])
        yield one


@pytest.fixture
def uplink(inbox: Inbox, member: SoftwareSigner) -> Uplink:
    """An uplink to a real inbox, ten messages a request."""
    key = MemberKey(member.suite, member.public_key, DOMAIN)
    client = httpx.Client(transport=DirectLine(create_app(inbox)))
    return Uplink("http://inbox", client, key, batch_messages=10)


def through(answer: Answer, **options: object) -> Uplink:
    """An uplink over a line that answers as told."""
    client = httpx.Client(transport=httpx.MockTransport(answer))
    return Uplink("http://inbox", client, sleep=lambda _s: None, **options)


class TestDrain:
    def test_sends_everything_in_order(
        self, uplink: Uplink, outbox: Outbox, inbox: Inbox
    ):
        assert list(uplink.drain(outbox)) == [10, 10, 5]

        assert [one.seq for one in inbox.stored.pending(100)] == list(range(25))
        assert (outbox.status().receipted, uplink.statistics.accepted) == (25, 25)

    def test_what_is_stored_already_is_settled_by_the_same_receipt(
        self, uplink: Uplink, outbox: Outbox, inbox: Inbox
    ):
        inbox.submit([raw for _, raw in outbox.unsent(10)])

        list(uplink.drain(outbox))

        assert (uplink.statistics.replayed, uplink.statistics.accepted) == (10, 15)
        assert outbox.status().unsent == 0

    def test_a_refusal_is_final_and_kept(
        self, uplink: Uplink, outbox: Outbox, inbox: Inbox, device: DeviceSimulator
    ):
        record = replace(device.record, status=CarrierStatus.REVOKED, cutoff_seq=19)
        inbox.set_registry(CarrierRegistry({record.identifier_hash: record}))

        list(uplink.drain(outbox))

        status = outbox.status()
        assert (status.receipted, status.refused, status.unsent) == (20, 5, 0)


class TestEnrolment:
    """The member follows the chain, so it may learn of a carrier a moment later."""

    def test_that_the_member_sees_a_moment_later_loses_nothing(
        self, uplink: Uplink, outbox: Outbox, inbox: Inbox, device: DeviceSimulator
    ):
        inbox.set_registry(CarrierRegistry())
        pauses: list[float] = []

        def sleep(pause_s: float) -> None:
            pauses.append(pause_s)
            if len(pauses) == 3:
                inbox.set_registry(registry_of(device))

        uplink.sleep = sleep
        list(uplink.drain(outbox))

        status = outbox.status()
        assert (status.receipted, status.refused) == (25, 0)
        assert pauses == [0.5, 0.5, 1.0]

    def test_that_never_comes_is_waited_for_once(
        self, uplink: Uplink, outbox: Outbox, inbox: Inbox
    ):
        inbox.set_registry(CarrierRegistry())
        pauses: list[float] = []
        uplink.sleep = pauses.append

        list(uplink.drain(outbox))

        assert sum(pauses) == 60
        assert outbox.status().refused == 25


class TestRetry:
    @pytest.mark.parametrize("code", [429, 503])
    def test_an_answer_that_asks_to_wait_is_tried_again(
        self, outbox: Outbox, inbox: Inbox, code: int
    ):
        pauses, server = [], DirectLine(create_app(inbox))
        answers = iter([code, code])

        def answer(request: httpx.Request) -> httpx.Response:
            if (busy := next(answers, None)) is not None:
                return httpx.Response(busy, headers={"retry-after": "2"})
            return server.handle_request(request)

        uplink = through(answer)
        uplink.sleep = pauses.append

        list(uplink.drain(outbox))

        assert (pauses, uplink.statistics.retries) == ([2.0, 4.0], 2)
        assert outbox.status().unsent == 0

    def test_a_silent_inbox_leaves_everything_unsent(self, outbox: Outbox):
        def answer(request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("refused", request=request)

        with pytest.raises(UnavailableUplinkError, match="is it running"):
            list(through(answer, max_attempts=3).drain(outbox))

        assert outbox.status().unsent == 25

    def test_an_answer_that_got_lost_costs_nothing(
        self, uplink: Uplink, outbox: Outbox, inbox: Inbox
    ):
        inbox.submit([raw for _, raw in outbox.unsent(25)])

        list(uplink.drain(outbox))

        assert inbox.stored.counts()["readings"] == 25


class TestDistrust:
    def test_a_receipt_of_another_key_settles_nothing(
        self, uplink: Uplink, outbox: Outbox
    ):
        stranger = SoftwareSigner(ec.generate_private_key(ec.SECP256R1()))
        uplink.member_key = MemberKey(stranger.suite, stranger.public_key, DOMAIN)

        with pytest.raises(InvalidReceiptError, match="not the member's"):
            list(uplink.drain(outbox))

        assert outbox.status().unsent == 25

    def test_a_receipt_for_other_readings_settles_nothing(
        self, outbox: Outbox, inbox: Inbox, device: DeviceSimulator
    ):
        [other] = inbox.submit([device.next()])

        def answer(_request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, content=encode_results([other] * 25))

        with pytest.raises(InvalidReceiptError, match="does not name the reading"):
            list(through(answer).drain(outbox))

        assert outbox.status().unsent == 25

    @pytest.mark.parametrize(
        ("answer", "message"),
        [
            (httpx.Response(200, content=b"<html>"), "unreadable"),
            (httpx.Response(200, content=b"\x82\x80\x80"), "expected 25 results"),
            (httpx.Response(404, content=b"nothing here"), "refused the request"),
        ],
        ids=["no CBOR", "too few", "another service"],
    )
    def test_an_answer_of_another_form_settles_nothing(
        self, outbox: Outbox, answer: httpx.Response, message: str
    ):
        with pytest.raises(InvalidRequestError, match=message):
            list(through(lambda _request: answer).drain(outbox))

        assert outbox.status().unsent == 25
