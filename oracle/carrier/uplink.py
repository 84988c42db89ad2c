"""HTTP uplink of a carrier: sends what is unsent, in order, until it is receipted.

Rules kept: a message counts as sent only when a receipt names its digest (and, where
the member's key is known, carries its signature); an answer 429 or 503 or none at all
leaves everything stored and is tried again after the time that the inbox asks for; a
refusal is final for that message and kept with its reason. One refusal gets time: a
key id that the inbox does not know may have been enrolled or rotated a moment ago, so
it is final only after a grace period.
"""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx

from oracle.carrier.outbox import Outbox
from oracle.errors import (
    InvalidReceiptError,
    InvalidRequestError,
    UnavailableUplinkError,
)
from oracle.inbox.receipts import read_receipt, read_unverified
from oracle.inbox.results import Result, Status, decode_results
from oracle.reading.checks import Domain
from oracle.reading.profile import message_digest
from oracle.reading.sequence import join_sequence
from oracle.reading.suites import Suite

logger = logging.getLogger(__name__)

MAX_PAUSE_S = 30.0
FIRST_PAUSE_S = 0.5
KEY_ID_CHECK = 2
"""Check that refuses an unknown key id."""


@dataclass(frozen=True, slots=True)
class MemberKey:
    """Public key of the member whose receipts are expected."""

    suite: Suite
    """Suite of the key."""
    public_key: bytes
    """ES256 x ‖ y (64 bytes), EdDSA 32 bytes."""
    domain: Domain
    """Chain and contract."""


@dataclass(slots=True)
class UplinkStatistics:
    """What an uplink did."""

    requests: int = 0
    """Requests that were answered."""
    accepted: int = 0
    """Readings stored now."""
    replayed: int = 0
    """Readings that were stored before."""
    refused: int = 0
    """Readings that the inbox will never take."""
    retries: int = 0
    """Requests that had to be repeated."""


@dataclass(slots=True)
class Uplink:
    """Sends an outbox to an inbox.

    Attributes:
        url: Address of the inbox, without path.
        client: HTTP client.
        member_key: Key of the member; None takes receipts by their digest alone.
        batch_messages: Most messages of one request.
        max_attempts: Attempts for one request; None tries for ever.
        enrolment_grace_s: How long an unknown key id is tried again. [s]
        statistics: What was done so far.
    """

    url: str
    client: httpx.Client
    member_key: MemberKey | None = None
    batch_messages: int = 500
    max_attempts: int | None = None
    enrolment_grace_s: float = 60.0
    sleep: Callable[[float], None] = time.sleep
    statistics: UplinkStatistics = field(default_factory=UplinkStatistics)
    _waited_s: float = field(default=0.0, init=False)

    def drain(self, outbox: Outbox) -> Iterator[int]:
        """Send until nothing is unsent.

        Args:
            outbox: Outbox of one carrier.

        Yields:
            How many messages each request settled.

        Raises:
            UnavailableUplinkError: The attempts are used up; what is unsent stays.
            InvalidReceiptError: The answer is not the member's word.
            InvalidRequestError: The address is none, or the inbox cannot read the
                request.
        """
        while messages := outbox.unsent(self.batch_messages):
            results = self._send_until_answered([raw for _, raw in messages])
            has_grace = self._has_grace(results)
            receipts: dict[int, bytes] = {}
            problems: dict[int, str] = {}
            for (seq, raw), result in zip(messages, results, strict=True):
                if result.status in (Status.ACCEPTED, Status.REPLAYED):
                    self._check_receipt(raw, result.receipt)
                    receipts[seq] = result.receipt
                elif has_grace and result.check == KEY_ID_CHECK:
                    continue
                else:
                    problems[seq] = result.detail
                self._count(result.status)
            outbox.settle(receipts, problems)
            if has_grace:
                self._wait_for_enrolment()
            yield len(receipts) + len(problems)

    def _has_grace(self, results: list[Result]) -> bool:
        """Tell whether an unknown key id in these results gets another try."""
        unknown = [one for one in results if one.check == KEY_ID_CHECK]
        if not unknown:
            self._waited_s = 0.0
        elif self._waited_s < self.enrolment_grace_s:
            logger.warning("%s; it may have been enrolled just now", unknown[0].detail)
            return True
        return False

    def _wait_for_enrolment(self) -> None:
        """Pause, each time as long as all pauses before, up to the grace."""
        left_s = self.enrolment_grace_s - self._waited_s
        pause = min(max(FIRST_PAUSE_S, self._waited_s), MAX_PAUSE_S, left_s)
        self.statistics.retries += 1
        self._waited_s += pause
        self.sleep(pause)

    def _send_until_answered(self, messages: list[bytes]) -> list[Result]:
        attempt, body = 0, join_sequence(messages)
        while True:
            attempt += 1
            try:
                results = self._send(body)
            except UnavailableUplinkError as exc:
                if self.max_attempts is not None and attempt >= self.max_attempts:
                    raise
                self.statistics.retries += 1
                longest = exc.retry_after_s * 2 ** min(attempt - 1, 10)
                pause = min(longest, MAX_PAUSE_S)
                logger.warning("%s The next attempt is in %g s.", exc, pause)
                self.sleep(pause)
            else:
                self.statistics.requests += 1
                return self._complete(results, len(messages))

    def _send(self, body: bytes) -> list[Result]:
        """Send one request; an answer that asks to wait is an error."""
        url = f"{self.url.rstrip('/')}/readings/batch"
        headers = {"content-type": "application/cbor-seq"}
        try:
            answer = self.client.post(url, content=body, headers=headers)
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as exc:
            message = f"inbox address: expected http://HOST:PORT, given {self.url!r}"
            raise InvalidRequestError(message, 400) from exc
        except httpx.TransportError as exc:
            message = f"the inbox {self.url} does not answer ({exc}): is it running?"
            raise UnavailableUplinkError(message, 0.5) from exc
        if answer.status_code in (429, 502, 503, 504):
            message = f"the inbox {self.url} asks to wait: {answer.text[:200]}"
            after = answer.headers.get("retry-after", "1")
            pause = float(after) if after.isdigit() else 1.0
            raise UnavailableUplinkError(message, pause)
        if answer.status_code != httpx.codes.OK:
            message = f"the inbox {self.url} refused the request: {answer.text[:200]}"
            raise InvalidRequestError(message, answer.status_code)
        return decode_results(answer.content)

    def _complete(self, results: list[Result], count: int) -> list[Result]:
        if len(results) != count:
            message = f"expected {count} results of the inbox, given {len(results)}"
            raise InvalidRequestError(message, 502)
        return results

    def _check_receipt(self, raw: bytes, receipt: bytes) -> None:
        """Demand that the receipt covers the message."""
        if self.member_key is None:
            content = read_unverified(receipt)
        else:
            key = self.member_key
            content = read_receipt(receipt, key.suite, key.public_key, key.domain)
        digest = message_digest(raw)
        if all(entry.digest != digest for entry in content.entries):
            message = f"the receipt does not name the reading {digest.hex()}"
            raise InvalidReceiptError(message)

    def _count(self, status: Status) -> None:
        if status is Status.ACCEPTED:
            self.statistics.accepted += 1
        elif status is Status.REPLAYED:
            self.statistics.replayed += 1
        else:
            self.statistics.refused += 1
