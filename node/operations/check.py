"""The dry run behind ``carbon-node check``: what would keep a node from working.

It starts nothing and changes nothing, beside a node that runs or stands. The embedded
chain is inside the node's process: it is asked where setting ``rpc_port`` names a port,
and otherwise left to the node's own health page.
"""

import os
import subprocess
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path

from coincurve import PrivateKey
from sqlalchemy.engine import make_url

from contracts.chain import ChainClient
from contracts.errors import ContractsError
from contracts.ledger import Ledger
from contracts.typed_data import address_of
from node.config import Settings
from node.engine.anvil import find_anvil
from node.errors import NodeError
from node.network.binary import VERSION as AVALANCHEGO
from node.network.binary import find_avalanchego, version_of
from node.network.engine import AvalancheEngine
from node.network.home import ValidatorHome
from node.operations.start import member_tls, member_urls
from node.relayer import relayer_key
from node.run import choose_engine, database_url, open_ledger
from node.store.database import database_revision
from oracle.errors import OracleError
from oracle.operations.chain_checks import (
    Agreed,
    check_chain,
    check_contracts,
    check_peer,
)
from oracle.operations.findings import (
    DiskLimits,
    Finding,
    attempt,
    check_disk,
    check_machine,
    check_made_later,
    check_operators,
    check_revision,
    check_secret,
)

__all__ = ["check_node"]

_EXPECTED = (NodeError, OracleError, ContractsError, OSError)
_ANVIL = "1.7.1"
"""Version of anvil that everything here was tried with."""
_ANSWER_TIMEOUT_S = 10
_LEAST_TRANSACTIONS = 1000
"""Transactions that the relayer should still be able to pay."""
_GAS = 200_000
"""Gas of a usual instruction. [gas]"""


def check_node(settings: Settings) -> list[Finding]:
    """Check everything that a node needs.

    Args:
        settings: The node's settings.

    Returns:
        Findings in the order of the checks; those behind a failure may repeat it.
    """
    own: list[tuple[str, Callable[[Settings], Finding]]] = [
        ("database", _check_database),
        ("relayer key", _check_relayer),
        ("operators", _check_operators),
        ("engine", _check_engine),
    ]
    findings = [check_machine(), *_check_disks(settings), *_check_secrets(settings)]
    findings += [_try(name, partial(check, settings)) for name, check in own]
    url = _rpc_url(settings)
    if not url:
        advice = (
            "the embedded chain is inside the node and setting rpc_port names no port: "
            "see the node's own page /health, or set rpc_port"
        )
        return [*findings, Finding("chain", "warn", advice)]
    return findings + _check_shared(settings, url)


def _try(subject: str, check: Callable[[], Finding]) -> Finding:
    return attempt(subject, check, _EXPECTED)


def _check_disks(settings: Settings) -> list[Finding]:
    watched = settings.operations
    limits = DiskLimits(watched.disk_free_mb, watched.disk_free_inodes_percent)
    folders = [settings.data_dir]
    if settings.inbox_database is not None:
        folders.append(settings.inbox_database.parent)
    return [check_disk(folder, limits) for folder in dict.fromkeys(folders)]


def _check_secrets(settings: Settings) -> list[Finding]:
    watched = settings.operations
    files: list[tuple[str, Path | None, str]] = [
        ("relayer key file", settings.relayer_key, "write 64 hexadecimal digits"),
        ("operators' token", watched.token_file, "write at least 16 characters"),
        ("notices' secret", watched.webhook_secret_file, "write one into it"),
    ]
    return [check_secret(name, path, how) for name, path, how in files if path]


def _check_database(settings: Settings) -> Finding:
    url = database_url(settings)
    parsed = make_url(url)
    is_file = parsed.get_backend_name() == "sqlite"
    new = check_made_later("database", Path(str(parsed.database))) if is_file else None
    return new or check_revision(*database_revision(url))


def _check_relayer(settings: Settings) -> Finding:
    made = settings.relayer_key or settings.data_dir / "relayer.key"
    is_ours = settings.relayer_key is None
    new = check_made_later("relayer key", made) if is_ours else None
    return new or Finding("relayer key", "ok", _address(relayer_key(settings)))


def _check_operators(settings: Settings) -> Finding:
    what = "health, alarms and figures are"
    return check_operators("operators", settings.operations.token_file, what)


def _check_engine(settings: Settings) -> Finding:
    if settings.rpc_url:
        return Finding("engine", "ok", f"runs elsewhere, at {settings.rpc_url}")
    if settings.validator is not None:
        program = find_avalanchego(settings.avalanchego_path)
        engine = choose_engine(settings)
        if isinstance(engine, AvalancheEngine):
            engine.require_permitted()
        return _version("avalanchego", version_of(program), AVALANCHEGO)
    return _version("anvil", _anvil_version(settings), _ANVIL)


def _anvil_version(settings: Settings) -> str:
    program = find_anvil(settings.anvil_path)
    done = subprocess.run(  # noqa: S603  # the engine's own program
        [program, "--version"],
        capture_output=True,
        text=True,
        timeout=_ANSWER_TIMEOUT_S,
        check=False,
        env={"PATH": os.environ.get("PATH", "")},
    )
    return done.stdout


def _version(program: str, found: str, wanted: str) -> Finding:
    if wanted in found:
        return Finding("engine", "ok", f"{program} {wanted}")
    first = found.strip().splitlines()[:1]
    advice = f"{program} says {first}, tried is {wanted}: install that one"
    return Finding("engine", "warn", advice)


def _rpc_url(settings: Settings) -> str:
    if settings.rpc_url:
        return settings.rpc_url
    if settings.validator is not None:
        return ValidatorHome(settings.validator).rpc_url
    return f"http://127.0.0.1:{settings.rpc_port}" if settings.rpc_port else ""


def _check_shared(settings: Settings, url: str) -> list[Finding]:
    """Check what needs the chain; without it the members alone are asked."""
    agreed: Agreed | None = None
    try:
        with open_ledger(settings, url) as ledger:
            findings = _check_ledger(settings, ledger)
            digest = ledger.anchor.config_digest()
            release = version("park-carbon-ledger")
            agreed = Agreed(settings.chain_id, digest, release)
    except _EXPECTED as exc:
        findings = [Finding("chain", "fail", str(exc))]
    try:
        urls, trusted = member_urls(settings), member_tls(settings)
    except NodeError as exc:
        return [*findings, Finding("members", "fail", str(exc))]
    peers = urls.items()
    return findings + [f for a, u in peers for f in check_peer(a, u, trusted, agreed)]


def _check_ledger(settings: Settings, ledger: Ledger) -> list[Finding]:
    client, deployment = ledger.client, ledger.deployment
    is_wall = settings.clock_mode == "wall"
    return [
        _try(
            "chain",
            lambda: check_chain(client, deployment.chain_id, is_wall=is_wall),
        ),
        _try("contracts", lambda: check_contracts(client, deployment)),
        _try("relayer funds", lambda: _check_funds(settings, client)),
    ]


def _check_funds(settings: Settings, client: ChainClient) -> Finding:
    """Look whether the relayer can pay, where the chain takes anything."""
    price = int(client.request("eth_gasPrice"), 16)
    made = settings.relayer_key or settings.data_dir / "relayer.key"
    if not price or not made.exists():
        return Finding("relayer funds", "ok", "transactions cost nothing")
    address = _address(relayer_key(settings))
    held = int(client.request("eth_getBalance", address, "latest"), 16)
    left = held // (price * _GAS)
    if left == 0:
        advice = f"{address} cannot pay one transaction: fund it"
        return Finding("relayer funds", "fail", advice)
    if left < _LEAST_TRANSACTIONS:
        advice = f"{address} can pay {left} more transactions: fund it soon"
        return Finding("relayer funds", "warn", advice)
    return Finding("relayer funds", "ok", f"{address} can pay {left} transactions")


def _address(key: PrivateKey) -> str:
    return address_of(key.public_key)
