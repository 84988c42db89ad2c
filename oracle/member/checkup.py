"""The dry run behind `carbon-oracle check`: what would keep a member from working."""

from collections.abc import Callable
from functools import partial
from importlib.metadata import version

from contracts.bindings.reading_anchor import ReadingAnchor
from contracts.chain import ChainClient
from contracts.errors import ContractsError
from contracts.history import open_client
from contracts.typed_data import stream_id
from oracle.config import MemberSettings
from oracle.errors import InvalidSettingsError, OracleError
from oracle.inbox.store import database_revision
from oracle.member.keys import load_key
from oracle.member.setup import database_of, load_deployment
from oracle.member.transport import tls_context
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

__all__ = ["check_member"]

_MAKE_KEY = "make it with: carbon-oracle key"


def check_member(settings: MemberSettings) -> list[Finding]:
    """Check everything that a member needs.

    Args:
        settings: The member's settings.

    Returns:
        Findings in the order of the checks; those behind a failure may repeat it.
    """
    checks: list[tuple[str, Callable[[MemberSettings], Finding]]] = [
        ("folder", _check_folder),
        ("database", _check_database),
        ("key", _check_key),
        ("token", _check_token),
        ("chain", _check_chain),
        ("contracts", _check_contracts),
        ("stream", _check_stream),
        ("membership", _check_membership),
    ]
    findings = [check_machine(), *_check_files(settings)]
    findings += [attempt(name, partial(check, settings)) for name, check in checks]
    return findings + _check_peers(settings)


def _check_files(settings: MemberSettings) -> list[Finding]:
    files = [
        ("key file", settings.key_file, _MAKE_KEY),
        ("passphrase", settings.passphrase_file, "write one into it"),
    ]
    if settings.transport_key_file is not None:
        files.append(("transport key file", settings.transport_key_file, _MAKE_KEY))
    if settings.certificate_key_file is not None:
        needed = "give the key of the certificate"
        files.append(("certificate key", settings.certificate_key_file, needed))
    return [check_secret(*one) for one in files]


def _check_key(settings: MemberSettings) -> Finding:
    address = load_key(settings.key_file, settings.passphrase_file).address
    return Finding("key", "ok", address)


def _check_token(settings: MemberSettings) -> Finding:
    return check_operators("token", settings.metrics_token_file, "figures are")


def _check_folder(settings: MemberSettings) -> Finding:
    return check_disk(settings.data_dir, DiskLimits())


def _check_database(settings: MemberSettings) -> Finding:
    file, is_file = settings.data_dir / "member.db", not settings.database_url
    new = check_made_later("database", file) if is_file else None
    return new or check_revision(*database_revision(database_of(settings)))


def _client(settings: MemberSettings) -> ChainClient:
    return open_client(settings.rpc_url, settings.history_file)


def _check_chain(settings: MemberSettings) -> Finding:
    chain_id = load_deployment(settings).chain_id
    with _client(settings) as client:
        return check_chain(client, chain_id, is_wall=settings.clock == "wall")


def _check_contracts(settings: MemberSettings) -> Finding:
    with _client(settings) as client:
        return check_contracts(client, load_deployment(settings))


def _check_stream(settings: MemberSettings) -> Finding:
    deployment = load_deployment(settings)
    with _client(settings) as client:
        anchor = ReadingAnchor(client, deployment.addresses["ReadingAnchor"])
        silence_s = anchor.max_silence_s_of(stream_id(settings.stream))
    if silence_s == 0:
        message = f"stream {settings.stream} is not open: the regulator opens it"
        raise InvalidSettingsError(message)
    if settings.heartbeat_s > silence_s:
        message = f"heartbeat_s {settings.heartbeat_s} is longer than the stream's "
        raise InvalidSettingsError(f"{message}greatest silence, {silence_s} s")
    words = f"{settings.stream}, greatest silence {silence_s} s"
    return Finding("stream", "ok", words)


def _check_membership(settings: MemberSettings) -> Finding:
    key = load_key(settings.key_file, settings.passphrase_file)
    deployment = load_deployment(settings)
    with _client(settings) as client:
        anchor = ReadingAnchor(client, deployment.addresses["ReadingAnchor"])
        configuration, suspended = anchor.configuration(), anchor.suspended_members()
    keys = [member.key for member in configuration.members]
    if key.address not in keys:
        message = f"{key.address} is no member of configuration {configuration.version}"
        raise InvalidSettingsError(message)
    missing = set(keys) - {key.address} - set(settings.peers)
    if missing:
        message = f"[peers] lacks {', '.join(sorted(missing))}"
        raise InvalidSettingsError(message)
    place = keys.index(key.address)
    if suspended >> place & 1:
        advice = "suspended for two signatures under one number: ask the regulator"
        return Finding("membership", "fail", advice)
    return Finding("membership", "ok", f"member {place} of {len(keys)}")


def _check_peers(settings: MemberSettings) -> list[Finding]:
    try:
        trusted = tls_context(settings.tls)
    except InvalidSettingsError as exc:
        return [Finding("tls", "fail", str(exc))]
    agreed = _agreed(settings)
    peers = settings.peers.items()
    return [one for a, url in peers for one in check_peer(a, url, trusted, agreed)]


def _agreed(settings: MemberSettings) -> Agreed | None:
    """Read from the chain what every member must have alike."""
    try:
        deployment = load_deployment(settings)
        with _client(settings) as client:
            anchor = ReadingAnchor(client, deployment.addresses["ReadingAnchor"])
            digest = anchor.config_digest()
    except (OracleError, ContractsError):
        return None  # the check of the chain tells why
    return Agreed(deployment.chain_id, digest, version("park-carbon-ledger"))
