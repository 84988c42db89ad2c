"""Health page, alarms and figures of a running node, as operators see them."""

import base64
import io
import logging
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from node.engine import EmbeddedEngine
from node.operations.settings import OperationsSettings
from node.run import RunningNode
from oracle.operations.logs import configure_logs
from tests.node.conftest import CHAIN_ID
from tests.simulators.oracle_park import wait_until

TOKEN = "a token of this test alone"  # noqa: S105  # and of nothing else
HTML = {"accept": "text/html,application/xhtml+xml"}


@pytest.fixture(scope="module")
def node(
    open_node: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningNode]:
    settings = OperationsSettings(
        members={"0xAbsent": "http://127.0.0.1:9"}, member_down_s=1, watch_interval_s=1
    )
    folder = tmp_path_factory.mktemp("node")
    gate = folder / "gate.toml"
    gate.write_text(f"chain_id = {CHAIN_ID}\nport = 0\n")
    with open_node(folder, operations=settings, gate=gate) as running:
        yield running


@pytest.fixture
def get(node: RunningNode) -> Iterator[Callable[..., httpx.Response]]:
    with httpx.Client(base_url=node.url, timeout=30, trust_env=False) as client:

        def ask(path: str, **headers: str) -> httpx.Response:
            return client.get(path, headers=headers)

        yield ask


def scrape(get: Callable[..., httpx.Response]) -> dict[str, float]:
    """Name and label values → value."""
    answer = get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        " ".join([sample.name, *(v for _, v in sorted(sample.labels.items()))]): (
            sample.value
        )
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


class TestMetrics:
    def test_move_for_the_right_reason(
        self, get: Callable[..., httpx.Response], park: Any
    ):
        before = scrape(get)
        park.endow("steel", 2024, 5, 100)
        height = park.client.block_number()

        def moved() -> dict[str, float]:
            found = scrape(get)
            is_there = found["carbon_indexer_height_blocks"] == height
            return found if is_there else {}

        wait_until(moved, 20)
        after = moved()
        assert after["carbon_chain_height_blocks"] == height
        assert before["carbon_chain_height_blocks"] < height
        assert after["carbon_indexer_lag_blocks"] == 0
        assert after["carbon_chain_up"] == after["carbon_indexer_up"] == 1
        assert after["carbon_member_up 0xAbsent"] == 0
        assert after["carbon_database_size_bytes"] > 0
        assert after["process_resident_memory_bytes"] > 0
        wait_until(lambda: scrape(get)["carbon_alarms_raised member_down"] == 1, 20)

    def test_count_answers_by_route_not_by_address(
        self, get: Callable[..., httpx.Response]
    ):
        name = "carbon_api_request_duration_seconds_count GET {} {}"
        before = scrape(get)
        for digest in ("aa" * 32, "bb" * 32):
            get(f"/instructions/0x{digest}")
        get("/nowhere")
        after = scrape(get)
        grown = {
            key: value - before.get(key, 0)
            for key, value in after.items()
            if key.startswith(name.split("{", maxsplit=1)[0])
        }
        asked = {key: grown[key] for key in grown if "/instructions/{" in key}
        assert list(asked.values()) == [2], grown
        assert grown[name.format("unmatched", "4xx")] == 1

    def test_count_the_requests_of_every_gate(
        self, get: Callable[..., httpx.Response], node: RunningNode, park: Any
    ):
        assert node.gate is not None
        gates = {"gate": node.gate.url}
        if isinstance(park.engine, EmbeddedEngine):
            gates["engine"] = park.engine.rpc_url
        before = scrape(get)
        for url in gates.values():
            httpx.post(url, json={"jsonrpc": "1.0"}, trust_env=False)
        after = scrape(get)
        for name in gates:
            asked = f"carbon_gate_requests_total local {name} 2xx"
            assert after[asked] > before.get(asked, 0)
            refused = f"carbon_gate_refusals_total {name} malformed"
            assert after[refused] == before.get(refused, 0) + 1


class Outline(HTMLParser):
    """What a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: dict[str, dict[str, str | None]] = {}
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        self.attributes.setdefault(tag, dict(attrs))
        self.addresses += [v for k, v in attrs if k in {"src", "href"}]


class TestHealthPage:
    def test_stands_alone_and_names_its_language(
        self, get: Callable[..., httpx.Response]
    ):
        page = get("/health", **HTML, **{"accept-language": "zh-CN,zh;q=0.9"})
        outline = Outline(page.text)
        assert outline.attributes["html"]["lang"] == "zh"
        assert "节点健康状况" in page.text
        assert not {"script", "img", "link", "iframe"} & set(outline.tags)
        assert all(one.startswith("?lang=") for one in outline.addresses)
        assert outline.tags.count("h1") == 1
        assert outline.tags.index("h1") < outline.tags.index("h2")
        assert "width=device-width" in page.text
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy

    def test_shows_the_raised_alarm_and_what_to_do(
        self, get: Callable[..., httpx.Response]
    ):
        def page() -> str:
            return get("/health?lang=en", **HTML).text

        wait_until(lambda: "0xAbsent at http://127.0.0.1:9" in page(), 20)
        assert "Something has to be done" in page()
        assert "runbook Member down" in page()
        assert "<p>None.</p>" not in page()

    def test_is_json_for_programs(self, get: Callable[..., httpx.Response]):
        found = get("/health").json()
        lights = {part["name"]: part["light"] for part in found["parts"]}
        assert lights["chain"] == lights["index"] == lights["database"] == "green"
        assert set(found["parts"][0]["sentence"]) == {"en", "zh"}

    def test_escapes_what_others_wrote(self, open_node: Any, tmp_path: Path):
        evil = {"<script>x</script>": "http://127.0.0.1:9"}
        settings = OperationsSettings(members=evil)
        with open_node(tmp_path, operations=settings) as node:
            page = httpx.get(f"{node.url}/health", headers=HTML, trust_env=False).text
        assert "&lt;script&gt;" in page
        assert "<script" not in page


class TestAlarms:
    def test_list_what_is_raised_and_what_changed(
        self, get: Callable[..., httpx.Response]
    ):
        wait_until(lambda: get("/alarms").json()["raised"], 20)
        found = get("/alarms").json()
        assert found["raised"][0]["kind"] == "member_down"
        assert found["notices"][-1]["change"] == "raised"


class TestAccess:
    PATHS = ("/health", "/alarms", "/metrics")

    @pytest.mark.parametrize("path", PATHS)
    def test_without_token_a_proxy_or_a_foreign_name_is_refused(
        self, get: Callable[..., httpx.Response], path: str
    ):
        assert get(path).status_code == 200
        assert get(path, **{"x-forwarded-for": "203.0.113.9"}).status_code == 403
        assert get(path, host="evil.example").status_code == 403

    def test_with_token_everybody_must_show_it(self, open_node: Any, tmp_path: Path):
        path = tmp_path / "token"
        path.touch(0o600)
        path.write_text(TOKEN)
        settings = OperationsSettings(token_file=path)
        basic = base64.b64encode(f"any:{TOKEN}".encode()).decode()
        with open_node(tmp_path, operations=settings) as node:
            client = httpx.Client(base_url=node.url, trust_env=False)
            for one in self.PATHS:
                refused = client.get(one)
                assert refused.status_code == 401
                assert refused.headers["www-authenticate"].startswith("Basic")
                wrong = {"authorization": f"Bearer {TOKEN}x"}
                assert client.get(one, headers=wrong).status_code == 401
                for shown in (f"Bearer {TOKEN}", f"Basic {basic}"):
                    given = {"authorization": shown, "x-forwarded-for": "203.0.113.9"}
                    assert client.get(one, headers=given).status_code == 200
            client.close()


class TestRequestIds:
    def test_come_back_and_stand_in_the_log(
        self, get: Callable[..., httpx.Response], log: io.StringIO
    ):
        assert get("/status", **{"x-request-id": "abc-1"}).headers["x-request-id"] == (
            "abc-1"
        )
        assert "request=abc-1" in log.getvalue()
        made = get("/status", **{"x-request-id": "no good\tid"}).headers["x-request-id"]
        assert re.fullmatch(r"[0-9a-f]{16}", made)

    def test_no_key_and_no_token_is_ever_logged(
        self, park: Any, log: io.StringIO, visit: Any, node: RunningNode
    ):
        visitor = visit("regulator-first")
        token = visitor.http.headers["Authorization"].removeprefix("Bearer ")
        fields = {"vintage": 2024, "tonnes": 1, "document": "d"}
        made = park.signed(park.quota("IssueQuota", "regulator", **fields), "regulator")
        assert visitor.bring(made).status_code in {200, 201}
        assert visitor.submit(made).status_code == 200
        written = log.getvalue()
        keys = [one.secret.hex() for one in _people_keys(park)]
        folder = Path(str(node.database.engine.url.database)).parent
        keys.append((folder / "relayer.key").read_text().strip())
        assert "answered" in written
        for secret in (token, *keys, *(s.signature.hex() for s in made.signatures)):
            assert secret not in written


def _people_keys(park: Any) -> list[Any]:
    return [signer._key for signer in park.pair("regulator")]


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged meanwhile, in the form of the product."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    written = io.StringIO()
    configure_logs("logfmt", logging.DEBUG, written)
    yield written
    root.handlers[:] = before
    root.setLevel(level)
