"""Login by a signed challenge, then a short-lived bearer token.

The challenge is an EIP-4361 message that binds domain, address, URI, chain and a
single-use nonce of 128 bits, and holds for 60 seconds. The node recognises its own
text by its hash, so whatever is signed is exactly what it asked for. Challenge and
token are kept as SHA-256; a token says who somebody is, the chain says what they may.
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Connection, delete, insert, select
from sqlalchemy.orm import InstrumentedAttribute

from contracts.errors import ContractsError
from contracts.typed_data import recover
from node.errors import InvalidLoginError
from node.services.caller import Caller, caller_of
from node.store.database import Database
from node.store.desk import LoginChallenge, LoginToken
from wallet.signers import text_digest

__all__ = ["Challenge", "Login", "Token"]

CHALLENGE_LIFE_S = 60
"""How long a challenge can be answered. [s]"""

MOST_CHALLENGES = 10_000
"""Challenges that can be open at a time; the oldest make room."""
TOKENS_OF_A_KEY = 16
"""Tokens of one key in force at a time; the oldest make room."""

_FULL_SIGNATURE_BYTES = 65
_STATEMENT = "Sign in to the park carbon ledger. This moves nothing."


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a key must sign to log in."""

    message: str
    """The EIP-4361 text."""
    expires_at: int
    """Last second for the answer. [unix s]"""


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token in force."""

    token: str
    """To be sent as ``Authorization: Bearer``."""
    address: str
    """The key it stands for."""
    expires_at: int
    """End of its life. [unix s]"""


class Login:
    """Gives out challenges and tokens.

    Args:
        database: Where both are kept, hashed.
        public_url: Address under which people reach the node.
        chain_id: The chain.
        token_life_s: Life of a token. [s]
        now: The wall clock. [unix s]
    """

    def __init__(
        self,
        database: Database,
        public_url: str,
        chain_id: int,
        token_life_s: int,
        now: Callable[[], int],
    ) -> None:
        self._database = database
        self._url = public_url
        self._chain_id = chain_id
        self._token_life_s = token_life_s
        self._now = now

    def challenge(self, address: str) -> Challenge:
        """Make a challenge for a key.

        Args:
            address: Checksum address of the key.

        Returns:
            The text to sign.
        """
        now = self._now()
        expires_at = now + CHALLENGE_LIFE_S
        message = self._message(address, now, expires_at)
        row = {
            "text_hash": _sha256(message),
            "address": address,
            "expires_at": expires_at,
        }
        with self._database.begin() as connection:
            connection.execute(
                delete(LoginChallenge).where(LoginChallenge.expires_at < now)
            )
            _make_room(connection, LoginChallenge.text_hash, MOST_CHALLENGES)
            connection.execute(insert(LoginChallenge).values(row))
        return Challenge(message, expires_at)

    def answer(self, message: str, signature: bytes) -> Token:
        """Exchange a signed challenge for a token.

        Args:
            message: The text, as it was given out.
            signature: EIP-191 signature, 64 bytes of EIP-2098 or 65 of the older form.

        Returns:
            The token.

        Raises:
            InvalidLoginError: If the challenge is unknown, used or late, or the
                signature by another key.
        """
        address = self._take(message)
        if _signer(message, signature) != address:
            raise InvalidLoginError(
                f"The signature is not by {address}, for whom the challenge was made; "
                "ask for a new challenge and sign its exact text."
            )
        return self._new_token(address)

    def caller(self, token: str) -> Caller:
        """Find out whose token it is.

        Args:
            token: The bearer token.

        Returns:
            The caller with what the chain says it represents.

        Raises:
            InvalidLoginError: If the token is unknown or has ended.
        """
        query = select(LoginToken.address).where(
            LoginToken.token_hash == _sha256(token),
            LoginToken.expires_at >= self._now(),
        )
        with self._database.reading() as connection:
            address = connection.execute(query).scalar()
            if address is None:
                raise InvalidLoginError("The token is unknown or over; log in again.")
            return caller_of(connection, address)

    def _take(self, message: str) -> str:
        text_hash = _sha256(message)
        known = LoginChallenge.text_hash == text_hash
        query = select(LoginChallenge.address, LoginChallenge.expires_at).where(known)
        with self._database.begin() as connection:
            found = connection.execute(query).one_or_none()
            taken = connection.execute(delete(LoginChallenge).where(known))
        if found is None or taken.rowcount != 1:
            raise InvalidLoginError(
                "The challenge is unknown or was used; ask for a new one."
            )
        if found.expires_at < self._now():
            raise InvalidLoginError(
                f"The challenge held for {CHALLENGE_LIFE_S} s and is over; ask for a "
                "new one."
            )
        return str(found.address)

    def _new_token(self, address: str) -> Token:
        now = self._now()
        made = Token(secrets.token_urlsafe(32), address, now + self._token_life_s)
        row = {
            "token_hash": _sha256(made.token),
            "address": address,
            "expires_at": made.expires_at,
        }
        with self._database.begin() as connection:
            connection.execute(delete(LoginToken).where(LoginToken.expires_at < now))
            of_key = LoginToken.address == address
            _make_room(connection, LoginToken.token_hash, TOKENS_OF_A_KEY, of_key)
            connection.execute(insert(LoginToken).values(row))
        return made

    def _message(self, address: str, now: int, expires_at: int) -> str:
        domain = self._url.split("://", 1)[-1].split("/", 1)[0]
        return (
            f"{domain} wants you to sign in with your Ethereum account:\n"
            f"{address}\n\n{_STATEMENT}\n\n"
            f"URI: {self._url}\nVersion: 1\nChain ID: {self._chain_id}\n"
            f"Nonce: {secrets.token_hex(16)}\n"
            f"Issued At: {_iso(now)}\nExpiration Time: {_iso(expires_at)}"
        )


def _make_room(
    connection: Connection,
    key: InstrumentedAttribute[bytes],
    most: int,
    *which: ColumnElement[bool],
) -> None:
    """Delete the oldest rows, so that one more is at most ``most``."""
    table = key.class_
    newest_first = select(key).where(*which).order_by(table.expires_at.desc())
    connection.execute(delete(table).where(key.in_(newest_first.offset(most - 1))))


def _signer(message: str, signature: bytes) -> str:
    if len(signature) == _FULL_SIGNATURE_BYTES:
        parity = signature[64] % 27
        s_word = int.from_bytes(signature[32:64]) | parity << 255
        signature = signature[:32] + (s_word % 2**256).to_bytes(32)
    try:
        return recover(text_digest(message), signature)
    except ContractsError as exc:
        raise InvalidLoginError(f"The signature cannot be read: {exc}") from exc


def _sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
