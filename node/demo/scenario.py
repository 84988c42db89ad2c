"""The main job, step by step, on the sandbox clock.

    enrol ─► replay a month ─► statements ─► certificates
          ─► quota ─► block trade ─► surrender ─► proof package

Every step uses the product's own parts as their users do; what is told of a step is
read back from the chain.
"""

import datetime as dt
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from accounting.boundary import Boundary, Source
from contracts.enumerations import Opinion, Purpose
from contracts.hashing import keccak256
from contracts.typed_data import account_id, boundary_id
from node.demo.carriers import REGISTER, Carrier, SignedMonth
from node.demo.ledger import LOCAL, SandboxLedger
from node.demo.members import Members
from node.demo.park import ENTERPRISES, Enterprise
from node.demo.people import AUDITOR, BANK, IDENTITY_PLATFORM, REGULATOR
from node.errors import ConflictDemoError
from oracle.evidence.package import build_package
from oracle.evidence.trust import Trust, encode_trust
from oracle.member.view import Period
from oracle.reading.checks import Domain
from wallet.amounts import format_fen, parse_fen

REGION = "华东"
INDUSTRY = "steel"
START = dt.datetime(2023, 1, 1, tzinfo=LOCAL)
"""The month is replayed as January 2023, whose grid factors are published."""
ROWS_A_DAY = 96
VINTAGES = (2022, 2023)
ISSUED_T = 1_000_000
ALLOCATED_T = {2022: 20_000, 2023: 260_000}
CASH_CNY = "12000000.00"
REFERENCE_CNY = "79.42"
TRADE_T = 100_000
TRADE_CNY = "80.10"
ANCHOR_TIMEOUT_S = 60.0
PAUSE_S = 0.05


@dataclass(frozen=True, slots=True)
class Told:
    """What a step tells: a name and its figures."""

    title: str
    facts: dict[str, Any]


class Scenario:
    """The steps; each returns what it tells.

    Args:
        ledger: The sandbox chain.
        members: The running oracle.
        carriers: The carriers.
        folder: Where packages are written.
    """

    def __init__(
        self,
        ledger: SandboxLedger,
        members: Members,
        carriers: list[Carrier],
        folder: Path,
    ) -> None:
        self._ledger = ledger
        self._members = members
        self._carriers = carriers
        self._folder = folder
        self.statements: dict[tuple[str, Purpose], bytes] = {}

    # ------------------------------------------------------------------ enrolment

    def enrol(self) -> Told:
        """Register carriers by the identity platform, boundaries by the regulator."""
        acts, ledger = self._ledger.acts, self._ledger.ledger
        for start in range(0, len(self._carriers), 4):
            some = [c.registration() for c in self._carriers[start : start + 4]]
            acts.govern(IDENTITY_PLATFORM, [ledger.carriers.register(some)])
        boundaries = [self.boundary(enterprise) for enterprise in ENTERPRISES]
        acts.govern(
            REGULATOR,
            [
                ledger.emissions.register_boundary(
                    boundary_id(one.name), account_id(one.account_name), one.to_bytes()
                )
                for one in boundaries
            ],
        )
        return Told(
            "Carriers and boundaries registered",
            {
                "carriers": [carrier.identifier for carrier in self._carriers],
                "boundaries": [one.name for one in boundaries],
            },
        )

    def boundary(self, enterprise: Enterprise) -> Boundary:
        """Return the boundary of an enterprise: all its meters."""
        sources = tuple(
            Source(enterprise.identifier(meter), REGISTER, meter.kind.role)
            for meter in enterprise.meters
        )
        return Boundary(
            name=enterprise.name,
            account_name=enterprise.name,
            title_zh=enterprise.title_zh,
            title_en=enterprise.title_en,
            industry=INDUSTRY,
            region=REGION,
            sources=sources,
        )

    # ------------------------------------------------------------------- readings

    def replay(
        self, usage_wh: tuple[int, ...], progress: Callable[[int], None]
    ) -> Told:
        """Sign and deliver the month day by day, then the late deliveries.

        Args:
            usage_wh: The plant series of the month. [Wh]
            progress: Told the number of readings anchored so far.
        """
        domain = Domain(
            self._ledger.deployment.chain_id, self._ledger.ledger.carriers.address
        )
        start = int(START.timestamp())
        months = [SignedMonth(one, usage_wh, start, domain) for one in self._carriers]
        delivered = 0
        for first in range(0, len(months[0]), ROWS_A_DAY):
            rows = range(first, min(first + ROWS_A_DAY, len(months[0])))
            self._move_to(START + dt.timedelta(seconds=900 * rows.stop))
            delivered += self._deliver([one.delivered(rows) for one in months], rows)
            self._wait_anchored()
            progress(delivered)
        self._move_to(START + dt.timedelta(seconds=900 * len(months[0]), days=2))
        late = self._deliver([one.late() for one in months], range(1))
        self._wait_anchored()
        progress(delivered + late)
        head = self._ledger.ledger.anchor.head(self._stream)
        return Told(
            "Readings signed, acknowledged, anchored",
            {
                "readings": delivered + late,
                "of them delivered late": late,
                "lost for ever (the gap)": sum(one.lost() for one in months),
                "batches": head.seq,
                "head": "0x" + head.head.hex(),
            },
        )

    @property
    def _stream(self) -> bytes:
        return self._members.leader.follower.view.stream_id

    def _deliver(self, parts: list[list[bytes]], rows: range) -> int:
        """Send every carrier's messages to a member's inbox, one request each."""
        nodes = self._members.nodes
        sent = 0
        for index, messages in enumerate(parts):
            if not messages:
                continue
            url = nodes[(index + rows.start) % len(nodes)].url + "/readings/batch"
            answer = httpx.post(
                url,
                content=b"".join(messages),
                headers={"Content-Type": "application/cbor-seq"},
                timeout=30,
            )
            if answer.is_error:
                raise ConflictDemoError(
                    f"{url} answered {answer.status_code}: {answer.text}"
                )
            sent += len(messages)
        return sent

    def _wait_anchored(self) -> None:
        deadline = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=ANCHOR_TIMEOUT_S)
        while any(node.status()["pending"] for node in self._members.nodes):
            if dt.datetime.now(dt.UTC) > deadline:
                states = [node.status() for node in self._members.nodes]
                raise ConflictDemoError(f"readings wait unanchored: {states}")
            time.sleep(PAUSE_S)

    # ----------------------------------------------------------------- statements

    def account(self, days: int) -> Told:
        """Let the members recompute, then submit, verify and confirm."""
        facts: dict[str, Any] = {}
        end = int((START + dt.timedelta(days=days)).timestamp())
        for enterprise in ENTERPRISES:
            period = Period(boundary_id(enterprise.name), int(START.timestamp()), end)
            for purpose in (Purpose.ETS_DIRECT, Purpose.TOTAL_WITH_INDIRECT):
                statement = self._members.leader.propose_statement(period, purpose)
                self.statements[enterprise.name, purpose] = statement
                self._pass_on(enterprise.name, statement)
                found = self._ledger.ledger.emissions.statement_of(statement)
                facts[f"{enterprise.name} {purpose.name.lower()}"] = {
                    "tonnes": f"{found.grams / 1_000_000:.3f}",
                    "grams": found.grams,
                    "status": found.status.name.lower(),
                    "statement": "0x" + statement.hex(),
                }
        return Told(
            "Statements recomputed by all, submitted, verified, confirmed", facts
        )

    def _pass_on(self, owner: str, statement: bytes) -> None:
        acts, name = self._ledger.acts, "0x" + statement.hex()
        acts.instruct("SubmitStatement", owner, statement=name)
        acts.instruct(
            "VerifyStatement",
            AUDITOR,
            statement=name,
            opinion=Opinion.POSITIVE.name.lower(),
            findings_digest=_word("no findings"),
        )
        acts.instruct("ConfirmStatement", REGULATOR, statement=name)

    def certify(self, days: int) -> Told:
        """Declare value added, then let the members grade every enterprise."""
        end = START + dt.timedelta(days=days)
        for enterprise in ENTERPRISES:
            self._ledger.acts.instruct(
                "DeclareValueAdded",
                enterprise.name,
                boundary=enterprise.name,
                period_start=int(START.timestamp()),
                period_end=int(end.timestamp()),
                value_added_fen=format_fen(enterprise.value_added_fen),
                evidence_digest=_word("SIMULATED value added"),
            )
        facts = {}
        for enterprise in ENTERPRISES:
            statement = self.statements[enterprise.name, Purpose.TOTAL_WITH_INDIRECT]
            token = self._members.leader.propose_code(statement)
            code = self._ledger.ledger.codes.code_of(token)
            facts[enterprise.name] = {"token": hex(token), **_code_facts(code)}
        return Told("Carbon-efficiency certificates issued", facts)

    # ---------------------------------------------------------------------- quota

    def allocate(self) -> Told:
        """Issue two vintages, allocate to every enterprise, take in cash."""
        acts = self._ledger.acts
        for vintage in VINTAGES:
            acts.instruct(
                "IssueQuota",
                REGULATOR,
                vintage=vintage,
                tonnes=ISSUED_T,
                document=_word(f"SANDBOX issue {vintage}"),
            )
            for enterprise in ENTERPRISES:
                acts.instruct(
                    "AllocateQuota",
                    REGULATOR,
                    to=account_id(enterprise.name),
                    vintage=vintage,
                    tonnes=ALLOCATED_T[vintage],
                    document=_word(f"SANDBOX allocation {vintage}"),
                )
        for enterprise in ENTERPRISES:
            acts.instruct(
                "CreditReceipt",
                BANK,
                to=account_id(enterprise.name),
                fen=CASH_CNY,
                bank_reference=_word(f"SANDBOX receipt {enterprise.name}"),
            )
        return Told("Quota issued and allocated, cash credited", self._holdings())

    def trade(self) -> Told:
        """Trade a block between two enterprises in the session of a working day."""
        seller, buyer = ENTERPRISES[0].name, ENTERPRISES[1].name
        self._move_to(dt.datetime(2023, 3, 1, 13, 30, tzinfo=LOCAL))
        market = self._ledger.ledger.market
        opening = market.set_reference_price(2023, parse_fen(REFERENCE_CNY))
        self._ledger.acts.govern(REGULATOR, [opening])
        receipt = self._ledger.acts.trade(
            seller, buyer, vintage=2023, tonnes=TRADE_T, price_fen=TRADE_CNY
        )
        facts = {
            "seller": seller,
            "buyer": buyer,
            "tonnes": TRADE_T,
            "price [CNY/t]": TRADE_CNY,
            "gas": receipt.gas_used,
            "transaction": "0x" + receipt.tx_hash.hex(),
        }
        return Told(
            "Block trade settled, delivery against payment", facts | self._holdings()
        )

    def surrender(self) -> Told:
        """Hand in quota against every enterprise's direct emissions."""
        facts: dict[str, Any] = {}
        for enterprise in ENTERPRISES:
            statement = self.statements[enterprise.name, Purpose.ETS_DIRECT]
            quota = self._ledger.ledger.quota
            due = quota.obligation_of(statement)
            self._ledger.acts.instruct(
                "SurrenderQuota",
                enterprise.name,
                statement="0x" + statement.hex(),
                vintage=2022,
                tonnes=due,
            )
            facts[enterprise.name] = {
                "obligation [t]": due,
                "surrendered [t]": quota.surrendered_for(statement),
            }
        return Told("Obligations surrendered", facts)

    def _holdings(self) -> dict[str, Any]:
        ledger = self._ledger.ledger
        return {
            one.name: {
                **{
                    f"quota {vintage} [t]": ledger.quota.balance_of(
                        account_id(one.name), vintage
                    )
                    for vintage in VINTAGES
                },
                "cash [CNY]": format_fen(ledger.cash.balance_of(account_id(one.name))),
            }
            for one in ENTERPRISES
        }

    # ---------------------------------------------------------------------- proof

    def prove(self) -> Told:
        """Write a proof package, verify it offline, flip one byte, verify again."""
        name = ENTERPRISES[0].name
        statement = self.statements[name, Purpose.TOTAL_WITH_INDIRECT]
        evidence = self._members.leader.statement_evidence(statement)
        package = self._folder / f"{statement.hex()}.cclp"
        trust = self._folder / "trust.json"
        data = build_package(evidence)
        package.write_bytes(data)
        versions = {one.version: one for one in evidence.configurations}
        trust.write_bytes(encode_trust(Trust(evidence.chain, versions)))
        accepted = _verify(package, trust)
        if accepted.returncode != 0:
            raise ConflictDemoError(f"the package is refused: {accepted.stdout}")
        flipped = self._folder / "one-byte-flipped.cclp"
        place = len(data) // 2
        flipped.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        refused = _verify(flipped, trust)
        if refused.returncode == 0:
            raise ConflictDemoError("a package with a flipped byte is accepted")
        return Told(
            "Proof package verified offline",
            {
                "package": str(package),
                "bytes": len(data),
                "trust": str(trust),
                "accepted": accepted.stdout.strip().splitlines()[-1],
                "one byte flipped": refused.stdout.strip().splitlines()[-1],
                "exit code then": refused.returncode,
            },
        )

    def _move_to(self, moment: dt.datetime) -> None:
        self._ledger.set_time(moment)


def _code_facts(code: Any) -> dict[str, Any]:
    report = code.report
    return {
        "grade": report.grade,
        "level L [t/10k CNY]": f"{report.level_micro / 1e6:.6f}",
        "ratio K": f"{report.ratio_micro / 1e6:.6f}",
        "coverage": f"{report.coverage_bps / 100:.2f} %",
        "attested": f"{report.attested_bps / 100:.2f} %",
    }


def _verify(package: Path, trust: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "oracle.evidence", str(package)]
    command += ["--trust", str(trust), "--lang", "en"]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  our own command


def _word(text: str) -> str:
    return "0x" + keccak256(text.encode()).hex()
