"""Signatures of members as others saw them, until the chain makes them needless.

Rules kept: a signature is on disk before anything follows from it; of one signer and
number at most two reports are kept, for two are a proof already; whether a signature
is authentic is decided before it comes here.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import BigInteger, Engine, LargeBinary, delete, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from contracts.bindings.reading_anchor import SignedReport
from contracts.structs import BatchReport
from oracle.database.address import Address
from oracle.inbox.store import translated, writing
from oracle.inbox.tables import ROW_NUMBER
from oracle.member.states import decode_report, encode_report
from oracle.member.store import Tables

ENOUGH = 2
"""How many reports of one signer and number are kept: two are the proof."""


class SeenSignatureRow(Tables):
    """A member's signature under one report."""

    __tablename__ = "seen_signatures"
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    rules_version: Mapped[int] = mapped_column(ROW_NUMBER, primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    report_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    report: Mapped[bytes] = mapped_column(LargeBinary)
    signature: Mapped[bytes] = mapped_column(LargeBinary(64))


@dataclass(frozen=True, slots=True)
class Signer:
    """A member of one configuration, signing for one number."""

    seq: int
    """Number of the batch."""
    rules_version: int
    """Version of the configuration."""
    place: int
    """Place of the member in it."""


class SignatureStore:
    """Durable memory of others' signatures.

    Args:
        engine: Database of the member.
        database: Its address, for messages.

    Raises:
        UnavailableInboxError: From every method, when the database cannot be used.
    """

    def __init__(self, engine: Engine, database: Address) -> None:
        self._engine = engine
        self._database = database

    def keep(
        self, report: BatchReport, report_hash: bytes, votes: Mapping[int, bytes]
    ) -> None:
        """Keep signatures under a report; repeating changes nothing.

        Args:
            report: What was signed.
            report_hash: 32 bytes, its struct hash.
            votes: Place of the signer → signature [64 bytes], authentic.
        """
        encoded = encode_report(report)
        common: dict[str, int | bytes] = {
            "seq": report.seq,
            "rules_version": report.rules_version,
            "report_hash": report_hash,
            "report": encoded,
        }
        with translated(self._database), writing(self._engine) as connection:
            for place, signature in votes.items():
                query = select(SeenSignatureRow.report_hash).where(
                    SeenSignatureRow.seq == report.seq,
                    SeenSignatureRow.rules_version == report.rules_version,
                    SeenSignatureRow.place == place,
                )
                known = connection.execute(query).scalars().all()
                if report_hash not in known and len(known) < ENOUGH:
                    row = {**common, "place": place, "signature": signature}
                    connection.execute(insert(SeenSignatureRow), row)

    def all(self) -> dict[Signer, list[SignedReport]]:
        """List what is kept, by signer and number, in the order of numbers."""
        found: dict[Signer, list[SignedReport]] = defaultdict(list)
        query = select(SeenSignatureRow.__table__).order_by(
            SeenSignatureRow.seq, SeenSignatureRow.report_hash
        )
        with translated(self._database), self._engine.connect() as connection:
            for row in connection.execute(query):
                signer = Signer(row.seq, row.rules_version, row.place)
                report = decode_report(BatchReport, row.report)
                found[signer].append(SignedReport(report, row.signature))
        return dict(found)

    def drop(self, signer: Signer) -> None:
        """Forget a signer's only report of a number: the chain has it, or it is old."""
        with translated(self._database), writing(self._engine) as connection:
            connection.execute(
                delete(SeenSignatureRow).where(
                    SeenSignatureRow.seq == signer.seq,
                    SeenSignatureRow.rules_version == signer.rules_version,
                    SeenSignatureRow.place == signer.place,
                )
            )
