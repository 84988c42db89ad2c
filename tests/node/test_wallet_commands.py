"""``carbon-wallet`` against a real node on a real chain."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from node.run import RunningNode
from wallet.__main__ import main

PASSWORD = "seven small stones"  # noqa: S105  # of this test's keys alone
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key files of everybody in the park, made with a cheap scrypt."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("regulator", "steel", "glass", "bank"):
        for part in ("first", "second"):
            label = f"{name}-{part}"
            secret = int.from_bytes(label.encode()).to_bytes(32)
            document = Account.encrypt(secret, PASSWORD, "scrypt", 2**10)
            path = folder / f"{label}.json"
            path.write_text(json.dumps(document))
            path.chmod(0o600)
    (folder / "password").touch(0o600)
    (folder / "password").write_text(f"{PASSWORD}\n")
    return folder


@pytest.fixture
def run(
    keys: Path,
    node: RunningNode,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Run the command line; gives exit code, output and errors."""
    monkeypatch.setenv("CARBON_NODE_URL", node.url)
    monkeypatch.setenv("CARBON_WALLET_KEYS", str(keys))
    monkeypatch.setenv("CARBON_WALLET_PASSWORD_FILE", str(keys / "password"))

    def command(*words: object, key: str | None = None) -> tuple[int, str, str]:
        named = ["--key", key] if key else []
        monkeypatch.setattr("sys.argv", ["carbon-wallet", *map(str, words), *named])
        with pytest.raises(SystemExit) as end:
            main()
        output = capsys.readouterr()
        return int(end.value.code or 0), output.out, output.err

    return command


def _json(result: tuple[int, str, str]) -> Any:
    code, out, err = result
    assert code == 0, err
    return json.loads(out)


class TestKeyCommands:
    def test_list_says_addresses_and_no_secret(self, run: Run):
        rows = _json(run("key", "list", "--json"))
        assert len(rows) == 8
        assert set(rows[0]) == {"label", "address", "file"}

    def test_new_makes_a_usable_key(self, run: Run, tmp_path: Path):
        made = _json(run("--keys", tmp_path, "key", "new", "li", "--json"))
        shown = _json(run("--keys", tmp_path, "key", "show", "li", "--json"))
        assert made == shown

    def test_a_wrong_password_is_a_sentence(self, run: Run, tmp_path: Path):
        wrong = tmp_path / "wrong"
        wrong.touch(0o600)
        wrong.write_text("not this one")
        words = ("balances", "--password-file", wrong)
        code, _, err = run(*words, key="steel-first")
        assert code == 1
        assert "The password does not open key file steel-first.json" in err

    def test_an_unknown_key_is_a_sentence(self, run: Run):
        code, _, err = run("balances", key="nobody")
        assert (code, "carbon-wallet key new" in err) == (1, True)


class TestLanguages:
    @pytest.mark.parametrize(
        ("command", "heading"),
        [("balances", "资产"), ("quota", "已清缴（吨）"), ("trades", "每吨价格")],
    )
    def test_tables_speak_chinese_and_programs_read_the_same(
        self, run: Run, command: str, heading: str
    ):
        zh = ("--language", "zh", command)
        code, out, err = run(*zh, key="steel-first")
        assert (code, heading in out) == (0, True), err
        said = _json(run(*zh, "--json", key="steel-first"))
        assert said == _json(run(command, "--json", key="steel-first"))

    def test_keys_are_listed_in_chinese(self, run: Run):
        assert "标签" in run("--language", "zh", "key", "list")[1]


class TestThroughAFile:
    def test_two_people_issue_quota(self, run: Run, park: Any, tmp_path: Path):
        file = tmp_path / "issue.json"
        before = park.ledger.quota.supply_of(2025).issued
        fields = ("account=regulator", "vintage=2025", "tonnes=7,000 t")
        new = ("instruction", "new", "IssueQuota", *fields, "document=decision 1")
        code, out, _ = run(*new, "--out", file, key="regulator-first")
        assert (code, "Issue 7,000 t of quota" in out) == (0, True)
        sign = ("instruction", "sign", file, "--yes")
        assert run(*sign, key="regulator-first")[0] == 0
        approve = ("instruction", "approve", file, "--yes")
        assert run(*approve, key="regulator-second")[0] == 0
        submit = ("instruction", "submit", file, "--json")
        _json(run(*submit, key="regulator-first"))
        follow = ("instruction", "follow", file, "--json")
        answer = _json(run(*follow, key="regulator-first"))
        assert answer["status"] == "executed"
        assert park.ledger.quota.supply_of(2025).issued == before + 7_000

    def test_is_shown_and_asked_before_a_signature(
        self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        file = tmp_path / "issue.json"
        fields = ("account=regulator", "vintage=2025", "tonnes=12", "document=x")
        new = ("instruction", "new", "IssueQuota", *fields, "--out", file)
        run(*new, key="regulator-first")
        before = file.read_bytes()
        monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
        sign = ("--language", "zh", "instruction", "sign", file, "--json")
        code, out, err = run(*sign, key="regulator-first")
        assert (code, out.strip()) == (1, "")
        assert "发行 2025 年度配额 12 t" in err
        assert "是否签名？" in err
        assert file.read_bytes() == before

    def test_the_same_person_cannot_approve(self, run: Run, tmp_path: Path):
        file = tmp_path / "issue.json"
        fields = ("account=regulator", "vintage=2025", "tonnes=1", "document=x")
        new = ("instruction", "new", "IssueQuota", *fields, "--out", file)
        run(*new, key="regulator-first")
        run("instruction", "sign", file, "--yes", key="regulator-first")
        before = file.read_bytes()
        approve = ("instruction", "approve", file, "--yes")
        code, _, err = run(*approve, key="regulator-first")
        assert (code, "another representative must sign" in err) == (1, True)
        assert file.read_bytes() == before

    def test_offline_the_same_person_cannot_sign_twice(self, run: Run, tmp_path: Path):
        file = tmp_path / "issue.json"
        fields = ("account=regulator", "vintage=2025", "tonnes=1", "document=x")
        new = ("instruction", "new", "IssueQuota", *fields, "--out", file)
        run(*new, key="regulator-first")
        sign = ("instruction", "sign", file, "--yes", "--offline")
        assert run(*sign, "--account", "regulator", key="regulator-first")[0] == 0
        code, _, err = run(*sign, "--account", "regulator", key="regulator-first")
        assert (code, "another person must sign" in err) == (1, True)

    def test_an_expired_instruction_is_not_signed(
        self, run: Run, park: Any, tmp_path: Path
    ):
        file = tmp_path / "late.json"
        fields = ("account=regulator", "vintage=2025", "tonnes=1", "document=x")
        late = f"deadline={park.now() - 1}"
        new = ("instruction", "new", "IssueQuota", *fields, late, "--out", file)
        run(*new, key="regulator-first")
        code, _, err = run("instruction", "sign", file, "--yes", key="regulator-first")
        assert (code, "was valid until" in err) == (1, True)

    def test_a_used_number_is_not_signed(self, run: Run, park: Any, tmp_path: Path):
        file = tmp_path / "stale.json"
        fields = ("account=regulator", "vintage=2025", "tonnes=1", "document=x")
        new = ("instruction", "new", "IssueQuota", *fields, "--out", file)
        run(*new, key="regulator-first")
        quota = {"vintage": 2025, "tonnes": 2, "document": "other"}
        park.act(park.quota("IssueQuota", "regulator", **quota), "regulator")
        code, _, err = run("instruction", "sign", file, "--yes", key="regulator-first")
        assert (code, "another one came first" in err) == (1, True)

    def test_another_chain_is_not_signed(self, run: Run, tmp_path: Path):
        file = tmp_path / "other.json"
        fields = ("account=regulator", "vintage=2025", "tonnes=1", "document=x")
        new = ("instruction", "new", "IssueQuota", *fields, "--out", file)
        run(*new, key="regulator-first")
        document = json.loads(file.read_text()) | {"chain_id": 1}
        file.write_text(json.dumps(document))
        code, _, err = run("instruction", "sign", file, "--yes", key="regulator-first")
        assert (code, "given chain 1" in err) == (1, True)

    def test_an_unknown_account_is_a_sentence(self, run: Run, tmp_path: Path):
        fields = ("account=nowhere", "vintage=2025", "tonnes=1", "document=x")
        new = ("instruction", "new", "IssueQuota", *fields, "--out", tmp_path / "x")
        code, _, err = run(*new, key="regulator-first")
        assert (code, "check the name" in err) == (1, True)


class TestThroughTheNode:
    def test_a_block_trade_takes_four_people(self, run: Run, park: Any):
        park.endow("steel", 2024, 150_000, 100)
        park.endow("glass", 2024, 1, 2_000_000_000)
        sold = park.ledger.quota.balance_of(park.account("steel"), 2024) - 100_000
        _open_session(park)
        trade = ("trade", "block", "--seller", "steel", "--buyer", "glass")
        trade += ("--vintage", "2024", "--tonnes", "100000", "--price", "80.00")
        answer = _json(run(*trade, "--yes", "--json", key="steel-first"))
        where = answer["digest"]
        sign = ("instruction", "approve", where, "--yes")
        assert run(*sign, key="steel-second")[0] == 0
        waiting = _json(run("inbox", "--json", key="glass-first"))
        assert where in [one["id"] for one in waiting]
        _, shown, _ = run("--language", "zh", "inbox", key="glass-first")
        assert all(one in shown for one in ("尚待签名", "待签名", "glass 的发起"))
        assert " to " not in shown
        assert "sells" in waiting[0]["says"]
        for person in ("glass-first", "glass-second"):
            assert run("instruction", "sign", where, "--yes", key=person)[0] == 0
        submitted = _json(
            run("instruction", "submit", where, "--json", key="glass-first")
        )
        assert submitted["status"] in {"sent", "executed"}
        assert park.ledger.quota.balance_of(park.account("steel"), 2024) == sold
        assert _follow(run, where, "steel-second")["status"] == "executed"
        (row,) = _json(run("trades", "--json", key="steel-first"))
        assert (row["buyer_name"], row["total"]) == ("glass", "8,000,000.00 CNY")

    def test_a_surrender_needs_a_confirmed_statement(self, run: Run, park: Any):
        park.endow("steel", 2024, 10, 100)
        words = ("surrender", "--account", "steel", "--statement", f"0x{'ab' * 32}")
        words += ("--vintage", "2024", "--tonnes", "5", "--yes", "--json")
        where = _json(run(*words, key="steel-first"))["digest"]
        run("instruction", "approve", where, "--yes", key="steel-second")
        code, _, err = run("instruction", "submit", where, key="steel-first")
        assert (code, "statement" in err) == (1, True)
        assert _follow(run, where, "steel-first")["status"] == "refused"

    def test_balances_are_those_of_ones_own_account(self, run: Run, park: Any):
        park.endow("steel", 2026, 11, 4_200)
        deadline = 200
        rows: list[dict[str, Any]] = []
        while deadline and not any(row.get("vintage") == 2026 for row in rows):
            rows = _json(run("balances", "--json", key="steel-first"))
            deadline -= 1
        assert {row["name"] for row in rows} == {"steel"}
        assert "11 t" in [row["amount"] for row in rows]

    def test_quota_is_a_table_by_default(self, run: Run, park: Any):
        park.endow("steel", 2024, 1, 100)
        code, out, _ = run("quota", key="steel-first")
        assert (code, "issued tonnes" in out) == (0, True)


class TestNodeAway:
    def test_is_said_with_what_to_do(self, run: Run, free_port: int):
        url = f"http://127.0.0.1:{free_port}"
        code, _, err = run("--node", url, "trades", key="steel-first")
        assert (code, "does not answer; start it" in err) == (4, True)


class TestProgram:
    def test_runs_as_a_process(self, keys: Path):
        command = [sys.executable, "-m", "wallet", "--keys", str(keys), "key", "list"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert "steel-first" in done.stdout


def _follow(run: Run, where: str, key: str) -> Any:
    return _json(run("instruction", "follow", where, "--json", key=key))


def _open_session(park: Any) -> None:
    """Go to a working day's block session, with a reference price."""
    now = park.engine.clock.now()
    moment = now - (now + 8 * 3600) % 86_400 + 86_400 + 13 * 3600 + 600
    while not park.ledger.rulebook.is_working_day(moment):
        moment += 86_400
    park.engine.set_time(moment)
    park.engine.mine()
    park.govern("regulator", park.ledger.market.set_reference_price(2024, 8_000))
