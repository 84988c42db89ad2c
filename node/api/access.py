"""What routes are given: the node's parts, the caller, a transaction, a page.

``parts`` is set once by ``create_app``; nothing here is global.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import Connection

from contracts.ledger import Ledger
from node.engine.ports import ChainEngine
from node.errors import InvalidLoginError, InvalidRequestError
from node.gate.access import no_permissions
from node.gate.permissions import Permissions
from node.operations.desk import OperationsDesk
from node.services.caller import NOBODY, Caller
from node.services.instruction_desk import InstructionDesk
from node.services.login import Login
from node.services.ports import ProofSource, ReadingSource
from node.store.database import Database
from node.store.read import MAX_LIMIT

__all__ = [
    "Anyone",
    "Known",
    "Paging",
    "Parts",
    "PartsOf",
    "Transaction",
    "parse_hash",
]

_bearer = HTTPBearer(auto_error=False, description="Token of POST /login/answer")


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a node that its routes call."""

    database: Database
    ledger: Ledger
    login: Login
    desk: InstructionDesk
    readings: ReadingSource | None = None
    """The inbox, None where the node has none."""
    proofs: ProofSource | None = None
    """Source of proof packages, None where the node has none."""
    engine: ChainEngine | None = None
    """The chain's engine, None where another process runs it."""
    is_stopping: Callable[[], bool] = lambda: False
    """Whether streams should end now."""
    permissions: Callable[[], Permissions | None] = no_permissions
    """Gives the permissions in force at this node's gate, None where there are none."""
    operations: OperationsDesk | None = None
    """The watch over the node, None where nobody watches."""


@dataclass(frozen=True, slots=True)
class Page:
    """Which page of a list is asked for."""

    cursor: str | None
    limit: int


def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


PartsOf = Annotated[Parts, Depends(_parts)]


def _transaction(parts: PartsOf) -> Iterator[Connection]:
    with parts.database.reading() as connection:
        yield connection


def _anyone(
    parts: PartsOf,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Caller:
    return parts.login.caller(bearer.credentials) if bearer else NOBODY


def _known(caller: Annotated[Caller, Depends(_anyone)]) -> Caller:
    if caller.address is None:
        raise InvalidLoginError(
            "This needs a login; get a challenge with POST /login/challenge, sign it, "
            "and send the token as Authorization: Bearer."
        )
    return caller


def _page(
    cursor: Annotated[
        str | None, Query(description="'next' of an earlier page")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 100,
) -> Page:
    return Page(cursor, limit)


Transaction = Annotated[Connection, Depends(_transaction)]
Anyone = Annotated[Caller, Depends(_anyone)]
Known = Annotated[Caller, Depends(_known)]
Paging = Annotated[Page, Depends(_page)]


def parse_hash(text: str, where: str) -> bytes:
    """Read a hash of a path or query.

    Args:
        text: 32 bytes in hexadecimal.
        where: Name of the parameter.

    Returns:
        32 bytes.

    Raises:
        InvalidRequestError: If it is none.
    """
    digits = text.removeprefix("0x")
    try:
        value = bytes.fromhex(digits)
    except ValueError:
        value = b""
    if len(value) != 32 or len(digits) != 64:  # noqa: PLR2004  # bytes of a hash
        raise InvalidRequestError(
            f"Parameter {where}: expected 32 bytes in hexadecimal, given {text!r}."
        )
    return value
