"""What a gate counts: requests by caller, and every refusal by its reason."""

import time
from collections.abc import Callable
from typing import Any

from node.gate.figures import GatesCollector
from node.gate.open import OpenGate

Serve = Callable[..., OpenGate]
Visit = Callable[..., Any]


def counted(gate: OpenGate) -> dict[str, float]:
    """Name and label values → count."""
    return {
        " ".join([sample.name, *(v for _, v in sorted(sample.labels.items()))]): (
            sample.value
        )
        for family in GatesCollector({"gate": gate.figures}).collect()
        for sample in family.samples
    }


def call(method: str, *params: object) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


class TestFigures:
    def test_count_each_refusal_by_its_reason(
        self, serve: Serve, visit: Visit, callers: Any, account: Any
    ):
        slow = ("requests_per_s = 1", "burst = 2")
        reader = callers.add("reader", 'rights = ["read"]')
        quick = callers.add("quick", 'rights = ["read"]', *slow)
        limits = {"max_batch": 3, "max_log_blocks": 1, "max_request_bytes": 2000}
        gate = serve(callers=callers.path, body_timeout_ms=300, **limits)
        client = visit(gate.url, reader)

        client.http.get("/")
        client.http.post("/", content=b"{}", headers={"content-type": "text/plain"})
        visit(gate.url, "no token of this gate").post(call("eth_chainId"))
        client.post({"x": 2000 * "x"})
        client.http.post("/", content=_slowly(), headers=_JSON)
        for _ in range(3):
            visit(gate.url, quick).post(call("eth_chainId"))
        client.http.post("/", content=b"no json", headers=_JSON)
        client.post(call("anvil_reset"))
        client.post(call("eth_sendRawTransaction", account(7).sign()))
        client.post(call("eth_getLogs", None))
        client.post([call("eth_chainId")] * 4)

        found = counted(gate)
        for reason in (
            *("http_method", "media_type", "unknown_caller", "too_large", "too_slow"),
            *("too_fast", "malformed", "method", "right", "parameters", "too_much"),
        ):
            assert found[f"carbon_gate_refusals_total gate {reason}"] == 1, reason
        assert found["carbon_gate_requests_total quick gate 2xx"] == 2
        assert found["carbon_gate_requests_total quick gate 4xx"] == 1
        assert found["carbon_gate_requests_total unknown gate 4xx"] == 3
        assert found["carbon_gate_request_duration_seconds_count gate"] == 13

    def test_name_who_asked_and_nobody_else(self, serve: Serve, visit: Visit):
        gate = serve()
        assert visit(gate.url).call("eth_chainId")
        names = [key for key in counted(gate) if key.startswith("carbon_gate_requests")]
        assert "carbon_gate_requests_total local gate 2xx" in names


_JSON = {"content-type": "application/json"}


def _slowly() -> Any:
    yield b"{"
    time.sleep(0.6)
    yield b"}"
