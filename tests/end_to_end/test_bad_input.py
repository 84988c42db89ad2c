"""Bad input over HTTP: said clearly, refused, and nothing is changed by it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from contracts.enumerations import CarrierStatus
from contracts.typed_data import account_id
from tests.simulators.device import DeviceSimulator
from tests.simulators.oracle_park import wait_until
from tests.simulators.people import logged_in, signed
from wallet.instruction_file import to_json

PROBLEM = "application/problem+json"
FIRST, SECOND, STRANGER = "Regulator first", "Regulator second", "Steel first"
REGULATOR = account_id("Regulator")


def assert_problem(answer: httpx.Response, status: int, *words: str) -> None:
    """Hold a refusal to its form: a problem that says what is wrong, and no more."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    detail = answer.json()["detail"]
    for word in words:
        assert word in detail, detail
    assert "Traceback" not in answer.text


# --- readings -------------------------------------------------------------------------


@dataclass(frozen=True)
class Carriers:
    """Devices of the park, each with its first reading stored."""

    good: DeviceSimulator
    revoked: DeviceSimulator
    stored: bytes
    """First reading of the good device."""

    def next(self, **changes: Any) -> bytes:
        """A reading that would be accepted as it is."""
        ts = int(time.time()) - 600 + self.good.seq
        return self.good.sign(self.good.reading(**{"ts": ts, **changes}))


@pytest.fixture(scope="module")
def carriers(scene: Any) -> Carriers:
    """One carrier in order, one revoked after its first reading."""
    park = scene.park
    good, revoked = park.device("good"), park.device("revoked")
    ts = int(time.time()) - 600
    raws = [device.next(ts=ts) for device in (good, revoked)]
    wait_until(lambda: all(send(scene, raw).status_code == 200 for raw in raws))
    hashed = revoked.identifier_hash
    call = park.ledger.carriers.set_status(hashed, CarrierStatus.REVOKED, 0)
    park.govern("Identity Platform", call)
    block = park.client.block_number()
    wait_until(lambda: scene.member.status()["block"] >= block)
    return Carriers(good, revoked, raws[0])


def send(scene: Any, raw: bytes, media: str = "application/cose") -> httpx.Response:
    url = f"{scene.member.url}/readings"
    headers = {"content-type": media}
    return httpx.post(url, content=raw, headers=headers, trust_env=False, timeout=20)


def foreign(carriers: Carriers) -> bytes:
    """A reading signed for the same carrier on another chain."""
    domain = replace(carriers.good.domain, chain_id=1)
    other = replace(carriers.good, domain=domain)
    return other.sign(carriers.good.reading(ts=int(time.time())))


def forged(carriers: Carriers) -> bytes:
    raw = carriers.next()
    return raw[:-1] + bytes([raw[-1] ^ 1])


def of_revoked(carriers: Carriers) -> bytes:
    ts = int(time.time())
    return carriers.revoked.sign(carriers.revoked.reading(ts=ts))


def of_stranger(carriers: Carriers) -> bytes:
    return replace(carriers.good, name="stranger").next()


def contradiction(carriers: Carriers) -> bytes:
    """Another reading for a sequence number that is stored."""
    return carriers.good.sign(carriers.good.reading(seq=0, prev=bytes(16)))


Make = Callable[[Carriers], bytes]
READINGS: dict[str, tuple[Make, int, tuple[str, ...]]] = {
    "no CBOR": (lambda _: b"\xff\x00", 422, ("check 1", "expected")),
    "cut short": (lambda c: c.next()[:-1], 422, ("check 1", "expected")),
    "with more behind it": (lambda c: c.next() + b"\x00", 422, ("check 1",)),
    "of an unknown carrier": (of_stranger, 422, ("check 2", "given")),
    "with a forged signature": (forged, 422, ("check 4", "signature")),
    "of another chain": (foreign, 422, ("check 4", "expected")),
    "of a revoked carrier": (of_revoked, 422, ("check 5", "revoked", "given")),
    "that contradicts one": (contradiction, 409, ("seq 0", "other bytes")),
    "that is empty": (lambda _: b"", 400, ("empty",)),
    "that is too long": (lambda _: bytes(5000), 413, ("at most 4096 bytes",)),
}


class TestReadings:
    @pytest.mark.parametrize("case", READINGS)
    def test_refused_ones_change_nothing(
        self, scene: Any, carriers: Carriers, case: str
    ):
        make, status, words = READINGS[case]
        before = scene.state()
        assert_problem(send(scene, make(carriers)), status, *words)
        assert scene.state() == before

    def test_again_they_get_the_same_receipt(self, scene: Any, carriers: Carriers):
        before = scene.state()
        answers = [send(scene, carriers.stored) for _ in range(2)]
        assert [one.status_code for one in answers] == [200, 200]
        assert answers[0].content == answers[1].content
        assert scene.state() == before

    def test_of_another_media_type_are_refused(self, scene: Any, carriers: Carriers):
        before = scene.state()
        answer = send(scene, carriers.next(), "text/plain")
        assert_problem(answer, 415, "expected content type application/cose", "given")
        assert scene.state() == before

    def test_refused_ones_that_were_signed_are_kept(
        self, scene: Any, carriers: Carriers
    ):
        raw = of_revoked(carriers)
        send(scene, raw)
        kept = scene.member.inbox.stored.dead_letters(100)
        assert raw in [letter.raw for letter in kept]


# --- the node's API -------------------------------------------------------------------


@pytest.fixture
def people(scene: Any) -> Iterator[Callable[[str], httpx.Client]]:
    """Log in as one of the people."""
    opened: list[Any] = []

    def come(person: str) -> httpx.Client:
        context = logged_in(scene.node.url, scene.signer(person))
        opened.append(context)
        return context.__enter__()

    yield come
    for context in opened:
        context.__exit__(None, None, None)


def document(scene: Any, *people: str, **fields: object) -> dict[str, Any]:
    """An instruction's file, signed by these people."""
    made = scene.issue(**fields)
    signers = [scene.signer(person) for person in people]
    return to_json(signed(made, REGULATOR, *signers))


def twice(scene: Any) -> dict[str, Any]:
    """Signed by one person in both parts."""
    made = document(scene, FIRST)
    (only,) = made["signatures"]
    return {**made, "signatures": [only, {**only, "role": "approve"}]}


def altered(scene: Any, **members: Any) -> dict[str, Any]:
    """A file whose members were changed after it was signed."""
    return {**document(scene, FIRST, SECOND), **members}


def with_field(scene: Any, **fields: str) -> dict[str, Any]:
    made = document(scene, FIRST, SECOND)
    return {**made, "fields": {**made["fields"], **fields}}


File = Callable[[Any], Any]
INSTRUCTIONS: dict[str, tuple[File, int, tuple[str, ...]]] = {
    "no object": (lambda _: {}, 422, ("expected",)),
    "no kind of ours": (lambda s: altered(s, kind="Steal"), 422, ("expected one of",)),
    "another form": (lambda s: altered(s, format="x"), 422, ("format", "expected")),
    "another chain": (lambda s: altered(s, chain_id=1), 422, ("signature",)),
    "changed tonnes": (lambda s: with_field(s, tonnes="8"), 422, ("signature",)),
    "half a tonne": (lambda s: with_field(s, tonnes="0.5"), 422, ("tonnes", "given")),
    "kilograms": (lambda s: with_field(s, tonnes="7 kg"), 422, ("tonnes", "kg")),
    "less than nothing": (lambda s: with_field(s, tonnes="-7"), 422, ("tonnes",)),
    "a year before all": (lambda s: with_field(s, vintage="1999"), 422, ("2013",)),
    "signed by nobody": (document, 409, ("signed by nobody",)),
    "one person twice": (twice, 409, ("another person must sign",)),
    "a wrong right": (lambda s: document(s, SECOND), 403, ("its rights are approve",)),
    "a used number": (lambda s: document(s, FIRST, nonce=0), 409, ("expected",)),
    "a number too high": (lambda s: document(s, FIRST, nonce=99), 409, ("99",)),
    "expired": (lambda s: document(s, FIRST, deadline=1), 409, ("deadline",)),
}


class TestInstructions:
    @pytest.mark.parametrize("case", INSTRUCTIONS)
    def test_refused_ones_change_nothing(
        self, scene: Any, people: Callable[[str], httpx.Client], case: str
    ):
        make, status, words = INSTRUCTIONS[case]
        person = SECOND if case == "a wrong right" else FIRST
        before = scene.state()
        answer = people(person).post("/instructions", json=make(scene))
        assert_problem(answer, status, *words)
        assert scene.state() == before

    def test_of_a_stranger_change_nothing(
        self, scene: Any, people: Callable[[str], httpx.Client]
    ):
        before = scene.state()
        full = document(scene, FIRST, SECOND)
        answer = people(STRANGER).post("/instructions", json=full)
        assert_problem(answer, 403, "represents none of the parties")
        assert scene.state() == before

    def test_under_signed_do_not_reach_the_chain(
        self, scene: Any, people: Callable[[str], httpx.Client]
    ):
        person = people(FIRST)
        digest = person.post("/instructions", json=document(scene, FIRST)).json()
        before = scene.state()
        answer = person.post(f"/instructions/{digest['digest']}/submit")
        assert_problem(answer, 409, "1 of 2 signatures", "approve")
        assert scene.state() == before


QUESTIONS: dict[str, tuple[str, int, tuple[str, ...]]] = {
    "an id that is none": ("/instructions/0x12", 422, ("digest", "32 bytes", "0x12")),
    "an unknown id": (f"/instructions/0x{'ab' * 32}", 404, ("ab" * 32,)),
    "an unknown account": ("/accounts/nowhere", 404, ("check the name",)),
    "a page too long": ("/trades?limit=100000", 422, ("limit",)),
    "a page of nothing": ("/trades?limit=0", 422, ("limit",)),
    "a cursor that is none": ("/trades?cursor=x", 422, ("cursor",)),
    "an unknown statement": (f"/statements/0x{'cd' * 32}", 404, ("cd" * 32,)),
    "an unknown carrier": ("/carriers/88.1.1%2Fnone", 404, ("88.1.1/none",)),
    "an unknown page": ("/nothing", 404, ("/nothing",)),
}


class TestQuestions:
    @pytest.mark.parametrize("case", QUESTIONS)
    def test_are_answered_with_a_problem(
        self, scene: Any, people: Callable[[str], httpx.Client], case: str
    ):
        path, status, words = QUESTIONS[case]
        before = scene.state()
        assert_problem(people(FIRST).get(path), status, *words)
        assert scene.state() == before

    def test_without_login_say_how_to_log_in(self, scene: Any):
        answer = httpx.get(f"{scene.node.url}/trades", trust_env=False)
        assert_problem(answer, 401, "POST /login/challenge")

    def test_with_a_made_up_token_say_to_log_in_again(self, scene: Any):
        headers = {"Authorization": "Bearer made-up"}
        url = f"{scene.node.url}/trades"
        answer = httpx.get(url, headers=headers, trust_env=False)
        assert_problem(answer, 401, "log in again")

    def test_a_body_that_is_no_json_is_refused(
        self, people: Callable[[str], httpx.Client]
    ):
        headers = {"content-type": "application/json"}
        answer = people(FIRST).post("/instructions", content=b"{", headers=headers)
        assert_problem(answer, 422, "JSON")

    def test_a_login_signed_by_another_key_is_refused(self, scene: Any):
        address = scene.signer(FIRST).address
        url = scene.node.url
        asked = httpx.post(
            f"{url}/login/challenge", json={"address": address}, trust_env=False
        )
        message = asked.json()["message"]
        signature = f"0x{scene.signer(STRANGER).sign_text(message).hex()}"
        answer = httpx.post(
            f"{url}/login/answer",
            json={"message": message, "signature": signature},
            trust_env=False,
        )
        assert_problem(answer, 401, "not by", address)
