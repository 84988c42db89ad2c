"""A whole node with its own chain, killed after it acknowledged something."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx

from contracts.directory import Deployment
from contracts.typed_data import account_id
from wallet.instruction_file import to_json
from wallet.instructions import Instruction, build
from wallet.signers import KeySigner, sign_instruction

ROOT = Path(__file__).resolve().parents[2]
CHAIN_ID = 20260
REGULATOR = account_id("regulator")
CYCLES = 3


def _signer(label: str) -> KeySigner:
    return KeySigner(int.from_bytes(label.encode()).to_bytes(32))


@contextmanager
def _running(config: Path) -> Iterator[str]:
    """Run a node and kill it at the end."""
    command = [sys.executable, "-m", "node", "run", "--config", str(config)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    with process.stdout as lines:
        try:
            yield lines.readline().strip()
        finally:
            process.kill()
            process.wait()


def _login(url: str) -> httpx.Client:
    signer = _signer("regulator-first")
    http = httpx.Client(base_url=url, timeout=60)
    asked = http.post("/login/challenge", json={"address": signer.address})
    message = asked.json()["message"]
    body = {"message": message, "signature": f"0x{signer.sign_text(message).hex()}"}
    token = http.post("/login/answer", json=body).json()["token"]
    http.headers["Authorization"] = f"Bearer {token}"
    return http


def _issue(quota: str, nonce: int) -> Instruction:
    fields = {"account": "regulator", "vintage": "2024", "tonnes": "10"}
    fields |= {"document": "kill", "nonce": str(nonce)}
    fields["deadline"] = str(int(time.time()) + 3600)
    made = build("IssueQuota", quota, CHAIN_ID, fields)
    made = sign_instruction(made, REGULATOR, "initiate", _signer("regulator-first"))
    return sign_instruction(made, REGULATOR, "approve", _signer("regulator-second"))


def _await_executed(http: httpx.Client, path: str) -> None:
    give_up = time.monotonic() + 20
    while http.get(path).json()["status"] != "executed":
        assert time.monotonic() < give_up
        time.sleep(0.05)


class TestKilledNode:
    def test_has_everything_that_it_acknowledged(self, embedded_home: Path):
        text = (embedded_home.parent / "deployment.json").read_text()
        quota = Deployment.from_json(text).addresses["Quota"]
        sent: list[str] = []
        for cycle in range(CYCLES):
            with _running(embedded_home) as url, closing(_login(url)) as http:
                for path in sent:
                    _await_executed(http, path)
                nonce = http.get("/accounts/regulator").json()["nonce"]
                assert nonce == cycle
                made = _issue(quota, nonce)
                path = f"/instructions/0x{made.digest.hex()}"
                http.post("/instructions", json=to_json(made))
                assert http.post(f"{path}/submit").status_code == 200
                sent.append(path)
        with _running(embedded_home) as url, closing(_login(url)) as http:
            _await_executed(http, sent[-1])
            (supply,) = http.get("/quota/supply").json()
        assert supply["issued_tonnes"] == 10 * CYCLES
