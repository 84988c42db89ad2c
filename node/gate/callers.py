"""The callers file: who may ask this gate, known by token or by certificate.

    [[callers]]
    name = "steel-indexer"
    organisation = "steel"               # as in the permissions file; optional
    token_sha256 = "…"                   # written by carbon-node gate token
    # or certificate_sha256 = "…"        # fingerprint of a client certificate
    # or certificate_name = "…"          # its common name, DNS name or URI
    rights = ["read", "send", "deploy"]  # what is not named is refused
    methods = ["eth_call"]               # optional: these alone
    senders = ["0x…"]                    # optional: transactions of these alone
    requests_per_s = 100                 # optional, with burst
    burst = 200

Rules it keeps: the file is readable by its owner alone and holds digests, no tokens; a
token has 256 random bits, so one round of SHA-256 is enough; every digest is compared,
each in constant time; what proves nothing is nobody.
"""

import hashlib
import hmac
import re
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID

from node.errors import InvalidConfigError
from node.gate.access import RIGHTS, Caller

__all__ = ["Callers", "new_token", "read_callers"]

_PROOFS = ("token_sha256", "certificate_sha256", "certificate_name")
_LISTS = ("rights", "methods", "senders")
_NUMBERS = ("requests_per_s", "burst")
_NAMES = {"name", "organisation", *_PROOFS, *_LISTS, *_NUMBERS}
_DIGEST = re.compile(r"[0-9a-f]{64}")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class _Entry:
    """A caller and what proves that it is the one."""

    caller: Caller
    proof: str
    """One of ``_PROOFS``."""
    value: str


@dataclass(frozen=True, slots=True)
class Callers:
    """All callers of a gate."""

    entries: tuple[_Entry, ...]

    def by_token(self, token: str) -> Caller | None:
        """Find the caller of a bearer token, None for a token of nobody."""
        digest = hashlib.sha256(token.encode()).hexdigest()
        return self._find({"token_sha256": [digest]})

    def by_certificate(self, certificate: bytes) -> Caller | None:
        """Find the caller of a verified client certificate (DER), or None."""
        fingerprint, names = _facts(certificate)
        proofs = {"certificate_sha256": [fingerprint], "certificate_name": names}
        return self._find(proofs)

    def _find(self, shown: Mapping[str, list[str]]) -> Caller | None:
        found = None
        for entry in self.entries:
            for value in shown.get(entry.proof, ()):
                if hmac.compare_digest(entry.value.encode(), value.encode()):
                    found = entry.caller
        return found


def new_token() -> tuple[str, str]:
    """Make a bearer token; return it and its digest."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    return token, hashlib.sha256(token.encode()).hexdigest()


def read_callers(path: Path) -> Callers:
    """Read a callers file.

    Args:
        path: TOML file, mode 600.

    Returns:
        The callers.

    Raises:
        InvalidConfigError: If others can read it, or an entry is wrong; names it.
    """
    try:
        if path.stat().st_mode & 0o077:
            raise InvalidConfigError(
                f"Callers file {path} can be read by others; run: chmod 600 {path}"
            )
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as exc:
        raise InvalidConfigError(
            f"Callers file {path} cannot be read ({exc.strerror}); make one with "
            "carbon-node gate token, or correct the path."
        ) from exc
    except ValueError as exc:
        raise InvalidConfigError(f"Callers file {path} is no TOML: {exc}.") from exc
    tables = content.pop("callers", [])
    if content or not isinstance(tables, list):
        raise InvalidConfigError(
            f"Callers file {path}: expected tables [[callers]] and nothing else, given "
            f"{', '.join(content) or 'something else'}."
        )
    entries = tuple(_entry(one, path) for one in tables)
    names = [one.caller.name for one in entries]
    if twice := {name for name in names if names.count(name) > 1}:
        raise InvalidConfigError(
            f"Callers file {path}: {', '.join(sorted(twice))} stands there twice; give "
            "each caller a name of its own."
        )
    return Callers(entries)


def _entry(table: Any, path: Path) -> _Entry:
    name = table.get("name") if isinstance(table, dict) else None
    if not isinstance(name, str) or not name:
        raise InvalidConfigError(f"Callers file {path}: a caller without a name.")
    where = f"Callers file {path}: {name}"
    if unknown := set(table) - _NAMES:
        raise InvalidConfigError(
            f"{where}: unknown {', '.join(sorted(unknown))}; a caller has "
            f"{', '.join(sorted(_NAMES))}."
        )
    proofs = [proof for proof in _PROOFS if proof in table]
    if len(proofs) != 1 or not isinstance(table[proofs[0]], str):
        raise InvalidConfigError(
            f"{where}: expected exactly one of {', '.join(_PROOFS)}, given "
            f"{', '.join(proofs) or 'none'}."
        )
    value = table[proofs[0]]
    if proofs[0] != "certificate_name":
        value = value.lower().replace(":", "")
        if not _DIGEST.fullmatch(value):
            raise InvalidConfigError(f"{where}: {proofs[0]} is 64 hexadecimal digits.")
    return _Entry(_caller(table, where), proofs[0], value)


def _caller(table: Mapping[str, Any], where: str) -> Caller:
    for name in _LISTS:
        listed = table.get(name, [])
        if not isinstance(listed, list) or not all(isinstance(x, str) for x in listed):
            raise InvalidConfigError(f"{where}: {name} is a list of texts.")
    for name in _NUMBERS:
        if name in table and (type(table[name]) is not int or table[name] < 1):
            raise InvalidConfigError(f"{where}: {name} is a number from 1.")
    rights = frozenset(table.get("rights", []))
    if not rights <= frozenset(RIGHTS):
        raise InvalidConfigError(f"{where}: rights are of {', '.join(RIGHTS)}.")
    senders = table.get("senders")
    if senders is not None and not all(_ADDRESS.fullmatch(one) for one in senders):
        raise InvalidConfigError(f"{where}: senders are addresses, 0x and 40 digits.")
    rate = table.get("requests_per_s")
    return Caller(
        str(table["name"]),
        rights,
        table.get("organisation"),
        frozenset(table["methods"]) if "methods" in table else None,
        None if senders is None else frozenset(bytes.fromhex(s[2:]) for s in senders),
        rate,
        table.get("burst", 2 * rate if rate else 1),
    )


@lru_cache(maxsize=1024)
def _facts(certificate: bytes) -> tuple[str, list[str]]:
    """Give a certificate's fingerprint and names, once for each certificate."""
    parsed = x509.load_der_x509_certificate(certificate)
    names = [
        str(one.value)
        for one in parsed.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    ]
    try:
        san = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names += san.value.get_values_for_type(x509.DNSName)
        names += san.value.get_values_for_type(x509.UniformResourceIdentifier)
    except x509.ExtensionNotFound:
        pass
    return hashlib.sha256(certificate).hexdigest(), names
