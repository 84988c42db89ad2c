"""Accounts: organisations, representatives, instruction nonces."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from contracts.bindings.contract import Contract
from contracts.calls import Function, UnsignedCall
from contracts.enumerations import AccountStatus, Kind, Rights
from contracts.solidity import Address, Bytes32, Uint8, Uint64
from contracts.structs import ChangeRepresentative, Representative, Signatures


@dataclass(frozen=True, slots=True)
class Account:
    """What the ledger knows of an account."""

    kind: Annotated[Kind, "uint8"]
    status: Annotated[AccountStatus, "uint8"]
    nonce: Uint64
    """Nonce of the next instruction."""


OPEN = Function("open", Address, str, Uint8, tuple[Representative, ...])
SET_STATUS = Function("setStatus", Address, Uint8, Bytes32)
SET_REPRESENTATIVE = Function("setRepresentative", Address, Address, Uint8)
CHANGE_REPRESENTATIVE = Function(
    "changeRepresentative", ChangeRepresentative, Signatures
)
SET_AUTHORISER = Function("setAuthoriser", Address, bool)
AUTHORISE = Function("authorise", Address, Uint8, Uint64, Uint64, Bytes32, Signatures)
AUTHORISE_PAIR = Function(
    "authorisePair",
    *(Address, Uint64, Address, Uint64),
    *(Uint64, Bytes32, Signatures, Signatures),
)
ACCOUNT_OF = Function("accountOf", Address, returns=Account)
RIGHTS_OF = Function("rightsOf", Address, Address, returns=Annotated[Rights, "uint8"])
IS_AUTHORISER = Function("isAuthoriser", Address, returns=bool)


class Accounts(Contract):
    """Organisations and who speaks for them."""

    def open(
        self,
        account: str,
        name: str,
        kind: Kind,
        representatives: Sequence[Representative],
    ) -> UnsignedCall:
        """Open an account; governed, for the regulator.

        Args:
            account: Its id, see ``typed_data.account_id``.
            name: The organisation's registered name.
            kind: What it is.
            representatives: At least two; one initiates, another approves.
        """
        return self._write(OPEN, account, name, kind, tuple(representatives))

    def set_status(
        self, account: str, status: AccountStatus, reason: bytes
    ) -> UnsignedCall:
        """Set what an account may do; governed, for the regulator.

        Args:
            account: Its id.
            status: The new status.
            reason: Digest of the reason, 32 bytes.
        """
        return self._write(SET_STATUS, account, status, reason)

    def set_representative(
        self, account: str, key: str, rights: Rights
    ) -> UnsignedCall:
        """Appoint, change or (no rights) remove a representative; governed.

        Args:
            account: The account's id.
            key: The person's key.
            rights: What it may do.
        """
        return self._write(SET_REPRESENTATIVE, account, key, rights)

    def change_representative(
        self, instruction: ChangeRepresentative, signatures: Signatures
    ) -> UnsignedCall:
        """Let an account change its own representatives.

        Args:
            instruction: The change.
            signatures: Of two representatives.
        """
        return self._write(CHANGE_REPRESENTATIVE, instruction, signatures)

    def set_authoriser(self, where: str, allowed: bool) -> UnsignedCall:
        """Let a contract take instructions; governed, for the administrator.

        Args:
            where: The contract.
            allowed: Whether it may.
        """
        return self._write(SET_AUTHORISER, where, allowed)

    def account_of(self, account: str) -> Account:
        """Read what the ledger knows of an account.

        Args:
            account: Its id; one never opened has kind and status NONE.
        """
        found: Account = self._read(ACCOUNT_OF, account)
        return found

    def rights_of(self, account: str, key: str) -> Rights:
        """Read a key's rights at an account.

        Args:
            account: The account's id.
            key: The person's key.
        """
        rights: Rights = self._read(RIGHTS_OF, account, key)
        return rights

    def is_authoriser(self, where: str) -> bool:
        """Tell whether a contract may take instructions.

        Args:
            where: The contract.
        """
        allowed: bool = self._read(IS_AUTHORISER, where)
        return allowed
