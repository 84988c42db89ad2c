"""Steps 3 to 7: statements, certificates, quota, block trade, surrender."""

import datetime as dt
from decimal import Decimal
from typing import Any

from contracts.bindings.carbon_codes import Code
from contracts.enumerations import Opinion, Purpose
from contracts.typed_data import account_id, boundary_id
from node.demo.ledger import LOCAL
from node.demo.park import ENTERPRISES
from node.demo.people import AUDITOR, BANK, REGULATOR
from node.demo.stage import START, Stage, Told, word
from oracle.member.view import Period
from wallet.amounts import format_fen, parse_fen

VINTAGES = (2022, 2023)
ISSUED_T = 1_000_000
ALLOCATED_T = {2022: 20_000, 2023: 260_000}
CASH_CNY = "12000000.00"
REFERENCE_CNY = "79.42"
TRADE_T = 100_000
TRADE_CNY = "80.10"
SESSION = dt.datetime(2023, 3, 1, 13, 30, tzinfo=LOCAL)
"""Within the block session of a working day."""


class Compliance:
    """What enterprises, auditor, regulator and bank do; two people each.

    Args:
        stage: The running parts.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._acts = stage.ledger.acts
        self._ledger = stage.ledger.ledger
        self._leader = stage.members.leader
        self.statements: dict[tuple[str, Purpose], bytes] = {}

    def account(self) -> Told:
        """Let the members recompute, then submit, verify and confirm."""
        facts: dict[str, Any] = {}
        end = int(self._stage.end.timestamp())
        for enterprise in ENTERPRISES:
            period = Period(boundary_id(enterprise.name), int(START.timestamp()), end)
            for purpose in (Purpose.ETS_DIRECT, Purpose.TOTAL_WITH_INDIRECT):
                statement = self._leader.propose_statement(period, purpose)
                self.statements[enterprise.name, purpose] = statement
                self._pass_on(enterprise.name, statement)
                found = self._ledger.emissions.statement_of(statement)
                facts[f"{enterprise.name} {purpose.name.lower()}"] = {
                    "tonnes": f"{Decimal(found.grams) / 1_000_000:.3f}",
                    "grams": found.grams,
                    "status": found.status.name.lower(),
                    "statement": "0x" + statement.hex(),
                }
        return Told(
            "Statements recomputed by all, submitted, verified, confirmed", facts
        )

    def _pass_on(self, owner: str, statement: bytes) -> None:
        acts, name = self._acts, "0x" + statement.hex()
        acts.instruct("SubmitStatement", owner, statement=name)
        acts.instruct(
            "VerifyStatement",
            AUDITOR,
            statement=name,
            opinion=Opinion.POSITIVE.name.lower(),
            findings_digest=word("no findings"),
        )
        acts.instruct("ConfirmStatement", REGULATOR, statement=name)

    def certify(self) -> Told:
        """Declare value added, then let the members grade every enterprise."""
        end = int(self._stage.end.timestamp())
        for enterprise in ENTERPRISES:
            self._acts.instruct(
                "DeclareValueAdded",
                enterprise.name,
                boundary=enterprise.name,
                period_start=int(START.timestamp()),
                period_end=end,
                value_added_fen=format_fen(enterprise.value_added_fen),
                evidence_digest=word("SIMULATED value added"),
            )
        facts = {}
        for enterprise in ENTERPRISES:
            statement = self.statements[enterprise.name, Purpose.TOTAL_WITH_INDIRECT]
            token = self._leader.propose_code(statement)
            code = self._ledger.codes.code_of(token)
            facts[enterprise.name] = {"token": hex(token), **_code_facts(code)}
        return Told("Carbon-efficiency certificates issued", facts)

    # ---------------------------------------------------------------------- quota

    def allocate(self) -> Told:
        """Issue two vintages, allocate to every enterprise, take in cash."""
        acts = self._acts
        for vintage in VINTAGES:
            acts.instruct(
                "IssueQuota",
                REGULATOR,
                vintage=vintage,
                tonnes=ISSUED_T,
                document=word(f"SANDBOX issue {vintage}"),
            )
            for enterprise in ENTERPRISES:
                acts.instruct(
                    "AllocateQuota",
                    REGULATOR,
                    to=account_id(enterprise.name),
                    vintage=vintage,
                    tonnes=ALLOCATED_T[vintage],
                    document=word(f"SANDBOX allocation {vintage}"),
                )
        for enterprise in ENTERPRISES:
            acts.instruct(
                "CreditReceipt",
                BANK,
                to=account_id(enterprise.name),
                fen=CASH_CNY,
                bank_reference=word(f"SANDBOX receipt {enterprise.name}"),
            )
        return Told("Quota issued and allocated, cash credited", self._holdings())

    def trade(self) -> Told:
        """Trade a block between two enterprises in the session of a working day."""
        seller, buyer = ENTERPRISES[0].name, ENTERPRISES[1].name
        self._stage.ledger.set_time(SESSION)
        market = self._ledger.market
        opening = market.set_reference_price(2023, parse_fen(REFERENCE_CNY))
        self._acts.govern(REGULATOR, [opening])
        receipt = self._acts.trade(
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
            quota = self._ledger.quota
            due = quota.obligation_of(statement)
            self._acts.instruct(
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
        ledger = self._ledger
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


def _code_facts(report: Code) -> dict[str, Any]:
    return {
        "grade": report.grade,
        "level L [t/10k CNY]": f"{Decimal(report.level_micro) / 1_000_000:.6f}",
        "ratio K": f"{Decimal(report.ratio_micro) / 1_000_000:.6f}",
        "coverage": f"{report.coverage_bps / 100:.2f} %",
        "attested": f"{report.attested_bps / 100:.2f} %",
    }
