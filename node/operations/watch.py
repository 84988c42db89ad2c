"""The watch: looks again and again, keeps which alarms are raised, and has it told.

    look ─► judge ─► alarms and notices, one commit ─► log ─► delivery

Rules kept: alarms survive a restart, since they are rows; a change and its notice
commit together, so every change is told at least once; what is in the way of a look,
a full disk say, stops neither the node nor the next look; a look that ends in a fault
of the watch itself is an alarm too, since nobody else would miss the others.
"""

import json
import logging
import threading
import time

from sqlalchemy import Connection, delete, func, insert, select

from node.errors import NodeError
from node.operations.alarms import Judgement, judge, judge_fault
from node.operations.facts import Facts
from node.operations.notices import Delivery
from node.operations.observe import Observer
from node.operations.settings import OperationsSettings
from node.store.alarms import Alarm, AlarmNotice
from node.store.database import Database

__all__ = ["Watch"]

logger = logging.getLogger(__name__)

_FRESH_S = 2.0
"""A look that is younger serves whoever asks. [s]"""
_LEAST_PAUSE_S = 1.0
_Change = tuple[str, str, str, dict[str, str]]
"""What changed (raised or cleared), kind, subject and figures."""


class Watch:
    """Watches one node.

    Args:
        observer: Looks.
        database: Where alarms are kept.
        settings: What is allowed, and who is told.
    """

    def __init__(
        self, observer: Observer, database: Database, settings: OperationsSettings
    ) -> None:
        self._observer = observer
        self._database = database
        self.settings = settings
        self._delivery = Delivery(database, settings)
        self._lock = threading.Lock()
        self._latest: Facts | None = None
        self._looked_at = float("-inf")
        self._last_fault = ""

    def facts(self) -> Facts:
        """Give a look that is not older than some seconds."""
        with self._lock:
            latest = self._latest
            if latest is None or time.monotonic() - self._looked_at > _FRESH_S:
                latest = self._latest = self._observer.look()
                self._looked_at = time.monotonic()
            return latest

    def step(self) -> Facts:
        """Look, keep what changed, and have it told.

        Returns:
            What was found.

        Raises:
            NodeError: The database cannot be used now; the next step tries again.
        """
        with self._lock:
            self._looked_at = float("-inf")
        facts = self.facts()
        self._keep(judge(facts, self.settings), facts.at)
        self._delivery.deliver()
        return facts

    def run(self, stop: threading.Event) -> None:
        """Watch until told to stop.

        Args:
            stop: Set by whoever wants the end.
        """
        pause_s = max(_LEAST_PAUSE_S, self.settings.watch_interval_s)
        while not stop.is_set():
            try:
                self.step()
                self._last_fault = ""
            except NodeError as exc:
                self._note(str(exc))
            except Exception as exc:
                logger.exception("a look failed")
                self._raise_own(exc)
            stop.wait(pause_s)

    def _raise_own(self, fault: Exception) -> None:
        """Raise the alarm of the watch itself: what else holds is not known now."""
        reason = f"{type(fault).__name__}: {fault}"
        try:
            self._keep(judge_fault(reason), int(time.time()))
            self._delivery.deliver()
        except NodeError as exc:
            self._note(str(exc))
        except Exception:
            logger.exception("the alarm of the watch itself could not be kept")

    def _note(self, fault: str) -> None:
        """Say once what keeps alarms from being stored: a full disk stays full."""
        if fault != self._last_fault:
            logger.warning("watch waits reason=%r", fault)
        self._last_fault = fault

    def _keep(self, judgement: Judgement, at: int) -> None:
        with self._database.begin() as connection:
            changes = list(_changes(connection, judgement))
            if not changes:
                return
            first = select(func.coalesce(func.max(AlarmNotice.id), 0) + 1)
            number = int(connection.execute(first).scalar_one())
            for offset, change in enumerate(changes):
                self._write(connection, change, at, number + offset)
        for what, kind, subject, figures in changes:
            words = " ".join(f"{name}={value!r}" for name, value in figures.items())
            level = logging.WARNING if what == "raised" else logging.INFO
            text = "alarm %s kind=%s subject=%s %s"
            logger.log(level, text, what, kind, subject, words)

    def _write(
        self, connection: Connection, change: _Change, at: int, number: int
    ) -> None:
        what, kind, subject, figures = change
        key = {"kind": kind, "subject": subject}
        text = json.dumps(figures, ensure_ascii=False)
        if what == "raised":
            row = {**key, "raised_at": at, "figures": text}
            connection.execute(insert(Alarm), [row])
        else:
            is_it = (Alarm.kind == kind, Alarm.subject == subject)
            connection.execute(delete(Alarm).where(*is_it))
        told = None if self._delivery.has_listener else at
        notice = {**key, "id": number, "change": what, "at": at}
        connection.execute(
            insert(AlarmNotice), [{**notice, "figures": text, "delivered_at": told}]
        )


def _changes(connection: Connection, judgement: Judgement) -> list[_Change]:
    rows = connection.execute(select(Alarm.kind, Alarm.subject, Alarm.figures)).all()
    known = {(row.kind, row.subject): json.loads(row.figures) for row in rows}
    changes: list[_Change] = [
        ("raised", *key, figures)
        for key, figures in judgement.raised.items()
        if key not in known
    ]
    changes += [
        ("cleared", *key, figures)
        for key, figures in known.items()
        if key not in judgement.raised
        and key not in judgement.kept
        and key[0] not in judgement.unknown
    ]
    return changes
