"""Every command, typed as a person would, against the demo left running."""

import json
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from node.demo.series import SIMULATED
from tests.simulators import commands
from tests.simulators.commands import Done, Program

DAY_START, DAY_END = 1_672_502_400, 1_672_588_800  # 2023-01-01 at UTC+8
SELLER, BUYER, FORGING = "hongda-steel", "mingyuan-forging", "mingyuan-forging"


@dataclass(frozen=True)
class Tour:
    """The demo, served, and the commands of a person beside it."""

    demo: Program
    folder: Path
    url: str

    @property
    def summary(self) -> dict[str, Any]:
        document = (self.folder / "summary.json").read_text("utf-8")
        return dict(json.loads(document))

    @property
    def package(self) -> tuple[Path, Path]:
        """Proof package and trust file, as the summary names them."""
        facts = self.summary["steps"]["Proof package verified offline"]
        return Path(facts["package"]), Path(facts["trust"])

    def wallet(self, *words: object, key: str = "") -> Done:
        keys = self.folder / "keys"
        settings = {
            "CARBON_NODE_URL": self.url,
            "CARBON_WALLET_KEYS": str(keys),
            "CARBON_WALLET_PASSWORD_FILE": str(keys / "passphrase"),
        }
        named = ("--key", key) if key else ()
        return commands.run("carbon-wallet", *words, *named, env=settings)

    def json(self, *words: object, key: str) -> Any:
        done = self.wallet(*words, "--json", key=key)
        assert done.code == 0, done.err
        return json.loads(done.out)

    def oracle(self, command: str, member: str, *words: object) -> Done:
        config = self.folder / "members" / member / "member.toml"
        return commands.run("carbon-oracle", command, "--config", config, *words)

    def through_file(self, kind: str, who: str, *fields: str, folder: Path) -> str:
        """Draft, sign, approve and submit; gives the status the node answers."""
        file = folder / f"{kind}.json"
        first, second = f"{who}-first", f"{who}-second"
        new = ("instruction", "new", kind, f"account={who}", *fields, "--out", file)
        steps = (
            (new, first),
            (("instruction", "sign", file, "--yes"), first),
            (("instruction", "approve", file, "--yes"), second),
        )
        for words, key in steps:
            done = self.wallet(*words, key=key)
            assert done.code == 0, done.err
        submitted = self.json("instruction", "submit", file, key=second)
        return str(submitted["status"])

    def supply(self, vintage: int) -> dict[str, int]:
        rows = self.json("quota", key="regulator-first")
        return next(row for row in rows if row["vintage"] == vintage)


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tour]:
    place = tmp_path_factory.mktemp("tour")
    folder = place / "demo"
    words = ("demo", "--serve", "--port", "0", "--days", "2", "--folder", folder)
    log = place / "demo.log"
    with commands.running("carbon-node", *words, "--data", place, log=log) as demo:
        url = demo.wait_for(r"API: (http://[^/]+)/docs", timeout_s=150)[1]
        yield Tour(demo, folder, url)


class TestDemo:
    def test_says_its_plant_is_simulated_where_there_is_no_data(self, tour: Tour):
        assert SIMULATED in " ".join(tour.demo.output.split())

    def test_writes_a_summary_a_program_can_read(self, tour: Tour):
        assert tour.summary["chain_id"] == 20260

    def test_shows_no_passphrase(self, tour: Tour):
        secrets = [path.read_text() for path in tour.folder.rglob("passphrase")]
        assert len(secrets) == 5
        assert not any(secret in tour.demo.output for secret in secrets)


class TestLooking:
    def test_keys_are_listed(self, tour: Tour):
        rows = tour.json("key", "list", key="")
        assert len(rows) == 16
        assert "hongda-steel-first" in tour.wallet("key", "list").out

    @pytest.mark.parametrize("command", ["balances", "quota", "trades", "inbox"])
    def test_is_a_table_by_default(self, tour: Tour, command: str):
        done = tour.wallet(command, key="hongda-steel-first")
        assert (done.code, "┃" in done.out, done.err) == (0, True, "")
        assert "…" not in done.out  # ids and addresses are whole

    def test_balances_agree_with_the_summary(self, tour: Tour):
        rows = tour.json("balances", key="yongxin-rolling-first")
        steps = tour.summary["steps"]
        held = steps["Block trade settled, delivery against payment"]["yongxin-rolling"]
        (money,) = (row for row in rows if row["asset"] == "CNY")
        assert money["amount"] == held["cash [CNY]"]

    def test_one_sees_the_own_trades(self, tour: Tour):
        (row,) = tour.json("trades", key="yongxin-rolling-first")
        assert (row["seller_name"], row["tonnes"]) == (SELLER, 100_000)


class TestBlockTrade:
    def test_takes_four_people_through_the_nodes_inbox(self, tour: Tour):
        words = ("trade", "block", "--seller", SELLER, "--buyer", BUYER)
        words += ("--vintage", 2023, "--tonnes", 100_000, "--price", "80.10", "--yes")
        where = tour.json(*words, key=f"{SELLER}-first")["digest"]
        waiting = tour.json("inbox", key=f"{BUYER}-first")
        assert [one["id"] for one in waiting] == [where]
        assert "100,000 t" in waiting[0]["says"]
        for person in (f"{SELLER}-second", f"{BUYER}-first", f"{BUYER}-second"):
            done = tour.wallet("instruction", "sign", where, "--yes", key=person)
            assert done.code == 0, done.err
        submit = tour.wallet("instruction", "submit", where, key=f"{BUYER}-first")
        assert (submit.code, submit.err) == (0, "")
        followed = tour.json("instruction", "follow", where, key=f"{SELLER}-first")
        assert followed["status"] == "executed"
        assert tour.json("inbox", key=f"{BUYER}-first") == []
        newest = tour.json("trades", key=f"{BUYER}-first")[0]
        assert newest["total"] == "8,010,000.00 CNY"


class TestThroughAFile:
    def test_two_people_cancel_quota(self, tour: Tour, tmp_path: Path):
        before = tour.supply(2022)
        fields = ("vintage=2022", "tonnes=3", "reason=voluntary")
        tour.through_file("CancelQuota", SELLER, *fields, folder=tmp_path)
        follow = ("instruction", "follow", tmp_path / "CancelQuota.json")
        assert tour.json(*follow, key=f"{SELLER}-first")["status"] == "executed"
        after = tour.supply(2022)
        cancelled = "cancelled_tonnes"
        assert after[cancelled] == before[cancelled] + 3
        assert after["held_tonnes"] == before["held_tonnes"] - 3

    def test_it_is_shown_in_words_without_a_node(self, tour: Tour, tmp_path: Path):
        file = tmp_path / "cancel.json"
        fields = (f"account={SELLER}", "vintage=2022", "tonnes=2", "reason=test")
        new = ("instruction", "new", "CancelQuota", *fields, "--out", file)
        assert tour.wallet(*new, key=f"{SELLER}-first").code == 0
        shown = commands.run("carbon-wallet", "instruction", "show", file)
        assert (shown.code, "2 t of quota" in shown.out) == (0, True)


class TestStatement:
    def test_of_one_day_is_recorded_confirmed_met_and_proven(
        self, tour: Tour, tmp_path: Path
    ):
        statement = self.record(tour)
        named = f"statement=0x{statement}"
        opinion = ("opinion=positive", "findings_digest=none")
        file = {"folder": tmp_path}
        submitted = tour.through_file("SubmitStatement", FORGING, named, **file)
        verified = tour.through_file(
            "VerifyStatement", "auditor", named, *opinion, **file
        )
        confirmed = tour.through_file("ConfirmStatement", "regulator", named, **file)
        assert {submitted, verified, confirmed} <= {"sent", "executed"}
        self.surrender(tour, statement)
        self.prove(tour, statement, tmp_path / "day.cclp")

    def record(self, tour: Tour) -> str:
        """Ask a member for the direct emissions of one day."""
        period = ("--start", DAY_START, "--end", DAY_END, "--purpose", "ets_direct")
        done = tour.oracle("statement", "auditor", "--boundary", FORGING, *period)
        assert done.code == 0, done.err
        return done.out.strip()

    def surrender(self, tour: Tour, statement: str) -> None:
        before = tour.supply(2022)["surrendered_tonnes"]
        words = ("surrender", "--account", FORGING, "--statement", f"0x{statement}")
        words += ("--vintage", 2022, "--tonnes", 1, "--yes")
        where = tour.json(*words, key=f"{FORGING}-first")["digest"]
        approve = ("instruction", "approve", where, "--yes")
        assert tour.wallet(*approve, key=f"{FORGING}-second").code == 0
        submit = ("instruction", "submit", where)
        assert tour.wallet(*submit, key=f"{FORGING}-second").code == 0
        follow = ("instruction", "follow", where)
        followed = tour.json(*follow, key=f"{FORGING}-first")
        assert followed["status"] == "executed"
        assert tour.supply(2022)["surrendered_tonnes"] == before + 1

    def prove(self, tour: Tour, statement: str, package: Path) -> None:
        words = ("--out", package, "--statement", statement)
        assert tour.oracle("package", "regulator", *words).code == 0
        _, trust = tour.package
        done = commands.run("carbon-verify", package, "--trust", trust)
        assert done.code == 0, done.out


class TestOracle:
    @pytest.mark.parametrize("member", ["park-operator", "regulator"])
    def test_check_finds_every_member_in_order(self, tour: Tour, member: str):
        done = tour.oracle("check", member)
        assert (done.code, "FAIL" in done.out) == (0, False), done.out
        assert done.out.count("ok   peer") == 4


class TestCarrier:
    def test_new_key_shows_what_to_register(self, tmp_path: Path):
        passphrase = tmp_path / "passphrase"
        passphrase.touch(0o600)
        passphrase.write_text("seven small stones")
        words = ("new-key", tmp_path / "carrier.pem", "--passphrase-file", passphrase)
        done = commands.run("carbon-carrier", *words, "--json")
        assert len(json.loads(done.out)["key_id"]) == 16
        assert (tmp_path / "carrier.pem").stat().st_mode & 0o777 == 0o600

    def test_status_shows_an_outbox_with_nothing_unsent(self, tour: Tour):
        outbox = tour.folder / "carriers" / "88.999.1001-steam.db"
        done = commands.run("carbon-carrier", "status", outbox, "--json")
        found = json.loads(done.out)
        assert (found["receipted"], found["unsent"]) == (193, 0)


class TestVerify:
    def test_accepts_the_package_and_writes_a_page(self, tour: Tour, tmp_path: Path):
        package, trust = tour.package
        page = tmp_path / "report.html"
        words = (package, "--trust", trust, "--html", page)
        done = commands.run("carbon-verify", *words)
        assert done.code == 0, done.out
        text = page.read_text("utf-8")
        assert package.name in text
        assert "http://" not in text

    def test_refuses_one_flipped_byte_by_name(self, tour: Tour):
        package, trust = tour.package
        flipped = package.with_name("one-byte-flipped.cclp")
        done = commands.run("carbon-verify", flipped, "--trust", trust)
        assert done.code > 10
        assert "expected" in done.out


class TestApi:
    def test_page_and_description_need_no_other_server(self, tour: Tour):
        with httpx.Client(base_url=tour.url) as client:
            page = client.get("/docs").text
            described = client.get("/openapi.json").json()
            assets = {word for word in page.split('"') if word.startswith("/docs/")}
            codes = {client.get(asset).status_code for asset in assets}
        assert (len(assets) >= 2, codes) == (True, {200})
        assert "https://" not in page
        assert "/instructions/{digest}/submit" in described["paths"]

    def test_stream_gives_events_and_goes_on_where_it_stopped(self, tour: Tour):
        first, second = self.read(tour, {}, 2)
        (again,) = self.read(tour, {"Last-Event-ID": first["id"]}, 1)
        assert again == second
        assert json.loads(first["data"])["event"] == first["event"]

    def read(
        self, tour: Tour, headers: dict[str, str], count: int
    ) -> list[dict[str, str]]:
        events: list[dict[str, str]] = [{}]
        with httpx.stream("GET", f"{tour.url}/events", headers=headers) as answer:
            for line in answer.iter_lines():
                name, colon, value = line.partition(": ")
                if colon:
                    events[-1][name] = value
                elif events[-1]:
                    events.append({})
                if len(events) > count:
                    break
        return events[:count]


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
class TestStop:
    """Last: it ends the demo of this module."""

    def test_ctrl_c_ends_it_and_leaves_no_process(self, tour: Tour):
        assert len(commands.processes_of(tour.folder)) >= 2
        assert tour.demo.stop(signal.SIGINT) == 0
        assert commands.leaves_nothing(tour.folder)
        assert "Traceback" not in tour.demo.output
