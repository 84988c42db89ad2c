"""Bad input to the commands: a sentence, an exit code, nothing changed, no secret."""

import resource
import socket
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from oracle.carrier.signers import create_key
from oracle.reading.suites import Suite
from tests.simulators import commands
from tests.simulators.commands import Done
from tests.simulators.oracle_park import CHAIN_ID, settings_toml
from wallet.__main__ import main

FIRST = "regulator-first"
NEW = ("instruction", "new")


def assert_refused(done: Done, *words: str, code: int = 1) -> None:
    """Hold a refusal to its form: its exit code, one sentence on standard error."""
    assert (done.code, done.out) == (code, ""), done
    for word in words:
        assert word in done.err, done.err


@pytest.fixture(autouse=True)
def unchanged(scene: Any) -> Iterator[None]:
    """Whatever a test does, chain, node and inbox stay as they are."""
    before = scene.state()
    yield
    assert scene.state() == before


@pytest.fixture
def run(scene: Any) -> Callable[..., Done]:
    """Run a command that may not show a secret."""

    def call(program: str, *words: object, **options: Any) -> Done:
        done = commands.run(program, *words, **options)
        shown = done.out + done.err
        assert not any(secret in shown for secret in scene.secrets)
        return done

    return call


# --- carbon-wallet -------------------------------------------------------


@pytest.fixture
def wallet(
    scene: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., Done]:
    """Run carbon-wallet with the people's keys; in this process, to be quick."""
    settings = {
        "CARBON_NODE_URL": scene.node.url,
        "CARBON_WALLET_KEYS": str(scene.keys),
        "CARBON_WALLET_PASSWORD_FILE": str(scene.keys / "password"),
    }
    for name, text in {"wrong": "not this one", "short": "short"}.items():
        (tmp_path / name).touch(0o600)
        (tmp_path / name).write_text(text)
    (tmp_path / "no.json").write_text("{")

    def call(*words: object, **env: str) -> Done:
        for name, value in (settings | env).items():
            monkeypatch.setenv(name, value)
        placed = [str(word).replace("TMP", str(tmp_path)) for word in words]
        monkeypatch.setattr("sys.argv", ["carbon-wallet", *placed])
        with pytest.raises(SystemExit) as end:
            main()
        shown = capsys.readouterr()
        assert not any(one in shown.out + shown.err for one in scene.secrets)
        return Done(int(end.value.code or 0), shown.out, shown.err)

    return call


def issue(*fields: str, **changes: str) -> tuple[str, ...]:
    """Words that draft an issue of quota, with some fields changed."""
    texts = {"account": "Regulator", "vintage": "2024", "tonnes": "7"}
    texts |= {"document": "decision", **changes}
    given = [f"{name}={text}" for name, text in texts.items()]
    return (*NEW, "IssueQuota", *given, *fields, "--out", "TMP/i.json", "--key", FIRST)


WALLET: dict[str, tuple[tuple[str, ...], int, tuple[str, ...]]] = {
    "wrong password": (
        ("quota", "--key", FIRST, "--password-file", "TMP/wrong"),
        1,
        (f"does not open key file {FIRST}.json", "try again"),
    ),
    "no password file": (
        ("quota", "--key", FIRST, "--password-file", "TMP/none"),
        1,
        ("TMP/none", "check its path"),
    ),
    "unknown key": (("quota", "--key", "me"), 1, ("me.json", "key new LABEL")),
    "short password": (
        ("key", "new", "me", "--password-file", "TMP/short"),
        1,
        ("5 characters", "at least 8"),
    ),
    "label taken": (("key", "new", FIRST), 1, (FIRST, "choose another label")),
    "unusable label": (("key", "new", "../me"), 1, ("../me", "letters, digits")),
    "half a tonne": (issue(tonnes="0.5"), 1, ("tonnes", "expected", "0.5")),
    "wrong unit": (issue(tonnes="7 kg"), 1, ("tonnes", "expected", "7 kg")),
    "vintage out of range": (issue(vintage="1999"), 1, ("vintage", "2013 to 2100")),
    "unknown field": (issue("colour=green"), 1, ("colour", "expected")),
    "no pair": (issue("green"), 1, ("name=value", "green")),
    "unknown kind": (
        (*NEW, "Steal", "account=Regulator", "--out", "TMP/i", "--key", FIRST),
        1,
        ("kind", "expected one of", "Steal"),
    ),
    "unknown account": (issue(account="Nobody"), 1, ("check the name",)),
    "no folder for the file": (
        (*issue()[:-4], "--out", "TMP/none/i.json", "--key", FIRST),
        1,
        ("TMP/none/i.json", "a file that can be written"),
    ),
    "broken file": (("instruction", "show", "TMP/no.json"), 1, ("expected",)),
    "absent file": (("instruction", "show", "TMP/none"), 1, ("TMP/none", "check")),
    "unknown id": (
        ("instruction", "follow", f"0x{'ab' * 32}", "--key", FIRST),
        1,
        ("no instruction", "ab" * 32),
    ),
    "wrong statement": (
        (
            *("surrender", "--account", "Steel", "--statement", "0x12"),
            *("--vintage", "2024", "--tonnes", "1", "--key", "steel-first"),
        ),
        1,
        ("statement", "64 digits", "0x12"),
    ),
}


class TestWallet:
    @pytest.mark.parametrize("case", WALLET)
    def test_says_what_is_wrong(
        self, wallet: Callable[..., Done], tmp_path: Path, case: str
    ):
        words, code, expected = WALLET[case]
        done = wallet(*words)
        shown = (word.replace("TMP", str(tmp_path)) for word in expected)
        assert_refused(done, *shown, code=code)
        assert not (tmp_path / "i.json").exists()

    def test_says_that_the_node_is_away(
        self, wallet: Callable[..., Done], free_port: int
    ):
        url = f"http://127.0.0.1:{free_port}"
        done = wallet("quota", "--key", FIRST, CARBON_NODE_URL=url)
        assert_refused(done, url, "start it", code=4)

    @pytest.mark.parametrize("url", ["http://[", "node.example"])
    def test_says_that_the_address_of_the_node_is_none(
        self, wallet: Callable[..., Done], url: str
    ):
        done = wallet("quota", "--key", FIRST, CARBON_NODE_URL=url)
        assert_refused(done, url, "--node", code=4)

    def test_says_that_a_key_file_is_exposed(
        self, scene: Any, wallet: Callable[..., Done], tmp_path: Path
    ):
        path = tmp_path / "me.json"
        path.write_bytes((scene.keys / f"{FIRST}.json").read_bytes())
        path.chmod(0o644)
        done = wallet("quota", "--key", "me", CARBON_WALLET_KEYS=str(tmp_path))
        assert_refused(done, f"chmod 600 {path}")

    def test_lets_one_person_sign_once(
        self, wallet: Callable[..., Done], tmp_path: Path
    ):
        wallet(*issue())
        sign = ("instruction", "sign", "TMP/i.json", "--yes", "--key", FIRST)
        assert wallet(*sign).code == 0
        before = (tmp_path / "i.json").read_bytes()
        approve = ("instruction", "approve", "TMP/i.json", "--yes", "--key", FIRST)
        assert_refused(wallet(*approve), "another representative must sign")
        assert (tmp_path / "i.json").read_bytes() == before


# --- carbon-carrier -------------------------------------------------------


@pytest.fixture(scope="module")
def carrier_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key and some series."""
    folder = tmp_path_factory.mktemp("carrier")
    for name, text in {"pass": "seven small stones", "wrong": "not this one"}.items():
        (folder / name).touch(0o600)
        (folder / name).write_text(text)
    (folder / "open").write_text("readable by all")
    head = "date,Usage_kWh\n"
    (folder / "empty.csv").write_text(head)
    (folder / "words.csv").write_text(f"{head}01/01/2018 00:15,much\n")
    (folder / "other.csv").write_text("date,other\n01/01/2018 00:15,1\n")
    (folder / "good.csv").write_text(f"{head}01/01/2018 00:15,1\n")
    (folder / "no.db").write_bytes(b"no database at all" * 100)
    create_key(folder / "key.pem", Suite.ES256, (folder / "pass").read_bytes())
    return folder


@pytest.fixture
def carrier(run: Callable[..., Done], carrier_folder: Path) -> Callable[..., Done]:
    """Run carbon-carrier on what is in the folder."""

    def call(*words: object) -> Done:
        placed = [str(word).replace("TMP", str(carrier_folder)) for word in words]
        return run("carbon-carrier", *placed)

    return call


def replay(series: str, *more: str, file: str = "pass") -> tuple[str, ...]:
    return (
        *("replay", f"TMP/{series}", "--identifier", "88.1.1/m", "--key"),
        *("TMP/key.pem", "--passphrase-file", f"TMP/{file}", "--carriers"),
        *(f"0x{'c4' * 20}", "--chain-id", str(CHAIN_ID), "--outbox", "TMP/out.db"),
        *(("--url", "http://127.0.0.1:9") if "--url" not in more else ()),
        *more,
    )


CARRIER: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "a key that is there": (
        ("new-key", "TMP/key.pem", "--passphrase-file", "TMP/pass"),
        ("TMP/key.pem", "exists"),
    ),
    "no passphrase file": (
        ("new-key", "TMP/k", "--passphrase-file", "TMP/none"),
        ("TMP/none",),
    ),
    "an open passphrase file": (
        ("new-key", "TMP/k", "--passphrase-file", "TMP/open"),
        ("TMP/open", "600"),
    ),
    "a wrong passphrase": (replay("good.csv", file="wrong"), ("TMP/key.pem",)),
    "an absent series": (replay("none.csv"), ("TMP/none.csv",)),
    "an empty series": (replay("empty.csv", "--start", "2023-01-01"), ("empty.csv",)),
    "words for numbers": (replay("words.csv"), ("words.csv", "much")),
    "an absent column": (replay("other.csv"), ("other.csv", "Usage_kWh")),
    "an address that is none": (
        replay("good.csv", "--url", "inbox.example"),
        ("inbox.example", "http"),
    ),
    "an outbox that is none": (("status", "TMP/no.db"), ("TMP/no.db",)),
    "an absent outbox": (("status", "TMP/none.db"), ("TMP/none.db",)),
}


class TestCarrier:
    @pytest.mark.parametrize("case", CARRIER)
    def test_says_what_is_wrong(
        self, carrier: Callable[..., Done], carrier_folder: Path, case: str
    ):
        words, expected = CARRIER[case]
        shown = (word.replace("TMP", str(carrier_folder)) for word in expected)
        assert_refused(carrier(*words), *shown)
        assert not (carrier_folder / "k").exists()


# --- carbon-verify -------------------------------------------------------


class TestVerify:
    def test_says_that_a_file_is_absent(self, run: Callable[..., Done], tmp_path: Path):
        package, trust = tmp_path / "none.cclp", tmp_path / "trust.json"
        done = run("carbon-verify", package, "--trust", trust)
        assert_refused(done, str(package))

    @pytest.mark.parametrize("content", ["{", "[]", '{"chain_id": 1}'])
    def test_says_that_the_trust_file_is_none(
        self, run: Callable[..., Done], tmp_path: Path, content: str
    ):
        package, trust = tmp_path / "some.cclp", tmp_path / "trust.json"
        package.write_bytes(b"\xa0")
        trust.write_text(content)
        done = run("carbon-verify", package, "--trust", trust)
        assert_refused(done, "trust", code=3)


# --- carbon-node -------------------------------------------------------


@pytest.fixture
def config(scene: Any, tmp_path: Path) -> Path:
    """Settings of a node on the park's chain, in a folder of its own."""
    deployment = (scene.folder / "deployment.json").read_text()
    (tmp_path / "deployment.json").write_text(deployment)
    path = tmp_path / "node.toml"
    path.write_text(
        'data_dir = "data"\ndeployment = "deployment.json"\nport = 0\n'
        f'chain_id = {CHAIN_ID}\npublic_url = "http://node.example"\n'
        f'rpc_url = "{scene.park.engine.rpc_url}"\n'
    )
    return path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


NODE: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "no TOML": ("port = 0", "port =", ("node.toml", "no TOML")),
    "an unknown setting": ("port = 0", "prot = 0", ("unknown prot", "settings are")),
    "a wrong type": ("port = 0", 'port = "x"', ("port", "expected int", "'x'")),
    "another chain": (f"id = {CHAIN_ID}", "id = 7", ("chain", "7", str(CHAIN_ID))),
    "no deployment": ('"deployment.json"', '"none.json"', ("none.json", "deploy")),
}


class TestNode:
    @pytest.mark.parametrize("case", NODE)
    def test_says_what_is_wrong_with_its_settings(
        self, run: Callable[..., Done], config: Path, case: str
    ):
        old, new, expected = NODE[case]
        change(config, old, new)
        done = run("carbon-node", "run", "--config", config)
        assert done.code in {1, 3}
        assert_refused(done, *expected, code=done.code)

    def test_says_that_the_settings_are_absent(
        self, run: Callable[..., Done], tmp_path: Path
    ):
        path = tmp_path / "none.toml"
        assert_refused(run("carbon-node", "run", "--config", path), str(path))

    def test_says_that_the_chain_is_away(
        self, scene: Any, run: Callable[..., Done], config: Path, free_port: int
    ):
        away = f"http://127.0.0.1:{free_port}"
        change(config, scene.park.engine.rpc_url, away)
        done = run("carbon-node", "run", "--config", config)
        assert_refused(done, away, "does not answer")

    def test_says_that_its_port_is_taken(self, run: Callable[..., Done], config: Path):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            change(config, "port = 0", f"port = {port}")
            done = run("carbon-node", "run", "--config", config)
        assert_refused(done, f"127.0.0.1:{port}", "set another port")

    def test_says_that_its_database_is_locked(
        self, run: Callable[..., Done], config: Path
    ):
        path = config.parent / "data" / "node.sqlite"
        assert run("carbon-node", "index", "--config", config).code == 0
        with sqlite3.connect(path) as other:
            other.execute("BEGIN EXCLUSIVE")
            done = run("carbon-node", "index", "--config", config)
        assert_refused(done, str(path), "locked by another process")

    def test_says_that_the_disk_is_full(self, run: Callable[..., Done], config: Path):
        done = run("carbon-node", "index", "--config", config, prepare=tiny_files)
        assert_refused(done, "node.sqlite", "disk has room")

    def test_says_that_another_node_has_the_chain(
        self, scene: Any, run: Callable[..., Done], config: Path
    ):
        rpc = f'rpc_url = "{scene.park.engine.rpc_url}"\n'
        change(config, rpc, "")
        chain = config.parent / "data" / "chain"
        words = ("engine", "--data", chain, "--chain-id", CHAIN_ID)
        log = config.parent / "engine.log"
        with commands.running("carbon-node", *words, log=log) as engine:
            engine.wait_for("http://")
            done = run("carbon-node", "run", "--config", config)
        assert_refused(done, str(chain), "another")


def tiny_files() -> None:
    """Let no file of the process grow beyond a page or two."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))


# --- carbon-oracle -------------------------------------------------------


ORACLE: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "the chain away": ({"rpc_url": "http://127.0.0.1:9"}, ("does not answer",)),
    "no deployment": ({"deployment_file": Path("/none")}, ("/none",)),
    "no key": ({"key_file": Path("/none.json")}, ("/none.json",)),
}


class TestOracle:
    @pytest.mark.parametrize("case", ORACLE)
    def test_check_names_what_is_wrong(
        self, scene: Any, run: Callable[..., Done], tmp_path: Path, case: str
    ):
        changes, expected = ORACLE[case]
        path = tmp_path / "member.toml"
        path.write_text(settings_toml(scene.park.settings(1, **changes)))
        done = run("carbon-oracle", "check", "--config", path)
        failed = [line for line in done.out.splitlines() if line.startswith("FAIL")]
        assert (done.code, done.err) == (1, "")
        for word in expected:
            assert any(word in line for line in failed), done.out

    def test_says_what_is_wrong_with_its_settings(
        self, run: Callable[..., Done], tmp_path: Path
    ):
        path = tmp_path / "member.toml"
        path.write_text('[member]\ncolour = "green"\n')
        done = run("carbon-oracle", "check", "--config", path)
        assert_refused(done, str(path), "colour")

    def test_says_that_its_port_is_taken(
        self, scene: Any, run: Callable[..., Done], tmp_path: Path
    ):
        path = tmp_path / "member.toml"
        taken = scene.park.settings(1, port=scene.park.ports[0])
        path.write_text(settings_toml(taken))
        done = run("carbon-oracle", "run", "--config", path)
        assert_refused(done, str(scene.park.ports[0]), "choose another port")

    def test_says_that_the_disk_is_full(
        self, scene: Any, run: Callable[..., Done], tmp_path: Path
    ):
        path = tmp_path / "member.toml"
        path.write_text(settings_toml(scene.park.settings(1, data_dir=tmp_path / "d")))
        words = ("run", "--once", "--config", path)
        done = run("carbon-oracle", *words, prepare=tiny_files)
        assert_refused(done, "member.db", "check disk and file")
