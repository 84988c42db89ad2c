"""Who asks: a key, the accounts it represents, and so what it may see."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from contracts.enumerations import AccountStatus, Kind, Rights
from node.errors import InvalidAccessError
from node.store.facts import Account, AccountStatusChange, RepresentativeChange
from node.store.read import latest, newest_value

__all__ = ["NOBODY", "Caller", "Representation", "caller_of"]

_SEE_ALL = {Kind.VERIFIER, Kind.REGULATOR}
_CLOSED = {AccountStatus.NONE, AccountStatus.CLOSED}


@dataclass(frozen=True, slots=True)
class Representation:
    """A key's part in one account."""

    account: str
    name: str
    kind: Kind
    rights: Rights


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever made a request."""

    address: str | None
    """Address of the key, None without login."""
    represents: tuple[Representation, ...] = ()
    """Accounts that the chain says it represents."""

    @property
    def sees_all(self) -> bool:
        """Whether it represents an auditor or the regulator."""
        return any(part.kind in _SEE_ALL for part in self.represents)

    @property
    def scope(self) -> frozenset[str] | None:
        """Accounts whose details it may see, None for all."""
        if self.sees_all:
            return None
        return frozenset(part.account for part in self.represents)

    def may_see(self, account: str) -> bool:
        """Say whether it may see an account's details."""
        return self.scope is None or account in self.scope

    def require_sight_of(self, account: str) -> None:
        """Refuse unless it may see an account's details.

        Args:
            account: The account.

        Raises:
            InvalidAccessError: If it may not.
        """
        if not self.may_see(account):
            raise InvalidAccessError(
                f"Details of account {account} are for its representatives, auditors "
                f"and the regulator; {self.address or 'an anonymous caller'} is none."
            )


NOBODY = Caller(None)
"""A caller without login."""


def caller_of(connection: Connection, address: str) -> Caller:
    """Look up what a key represents.

    Args:
        connection: The transaction.
        address: Address of the key.

    Returns:
        The caller, with every account it has rights at.
    """
    rights = latest(
        RepresentativeChange,
        RepresentativeChange.account,
        RepresentativeChange.key,
        where=RepresentativeChange.key == address,
    )
    change = AccountStatusChange
    status = newest_value(change.status, change.account == Account.account)
    query = (
        select(Account.account, Account.name, Account.kind, rights.c.rights)
        .join(rights, rights.c.account == Account.account)
        .where(rights.c.rights > Rights.NONE)
        .where(func.coalesce(status, AccountStatus.OPEN).not_in(_CLOSED))
        .order_by(Account.account)
    )
    return Caller(
        address,
        tuple(
            Representation(account, name, Kind(kind), Rights(granted))
            for account, name, kind, granted in connection.execute(query)
        ),
    )
