"""CarbonCodes: carbon-efficiency certificates, locked to their account."""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.bindings.contract import Contract
from contracts.calls import Function, UnsignedCall
from contracts.solidity import Address, Bytes32, Uint8, Uint16, Uint64, Uint256
from contracts.structs import Attestation, CodeReport, DeclareValueAdded, Signatures


@dataclass(frozen=True, slots=True)
class Code:
    """A certificate."""

    statement: Bytes32
    benchmark_digest: Bytes32
    level_micro: Uint64
    """Carbon-efficiency level L. [1e-6 t per 10,000 CNY]"""
    ratio_micro: Uint64
    """L over the benchmark. [1e-6]"""
    expires: Uint64
    """[unix s]"""
    coverage_bps: Uint16
    attested_bps: Uint16
    grade: Uint8
    revoked: bool


DECLARE_VALUE_ADDED = Function("declareValueAdded", DeclareValueAdded, Signatures)
ISSUE = Function("issue", CodeReport, Attestation, returns=Uint256)
REVOKE = Function("revoke", Uint256, Bytes32)
CODE_OF = Function("codeOf", Uint256, returns=Code)
LIVE_CODE = Function("liveCode", Bytes32, returns=Uint256)
IS_VALID = Function("isValid", Uint256, returns=bool)
LOCKED = Function("locked", Uint256, returns=bool)
OWNER_OF = Function("ownerOf", Uint256, returns=Address)
RETIRE = Function("retire", Address)
ADOPT = Function("adopt", tuple[Uint256, ...])
PREDECESSOR = Function("predecessor", returns=Address)
SUCCESSOR = Function("successor", returns=Address)
TOTAL = Function("total", returns=Uint64)
IS_COMPLETE = Function("isComplete", returns=bool)

MAX_ADOPTED = 32
"""Greatest number of codes that one step takes over."""


class CarbonCodes(Contract):
    """Certificates of grade for confirmed statements."""

    def declare_value_added(
        self, instruction: DeclareValueAdded, signatures: Signatures
    ) -> UnsignedCall:
        """Declare the value added of a boundary and period, for its owner.

        Args:
            instruction: The declaration.
            signatures: Of two representatives.
        """
        return self._write(DECLARE_VALUE_ADDED, instruction, signatures)

    def issue(self, report: CodeReport, attestation: Attestation) -> UnsignedCall:
        """Issue a code that a quorum graded.

        Args:
            report: What the members say.
            attestation: Their signatures.
        """
        return self._write(ISSUE, report, attestation)

    def revoke(self, token_id: int, reason: bytes) -> UnsignedCall:
        """Revoke a code; governed, for the regulator.

        Args:
            token_id: The code.
            reason: Digest of the reason, 32 bytes.
        """
        return self._write(REVOKE, token_id, reason)

    def retire(self, successor: str) -> UnsignedCall:
        """Hand over to a successor for good; governed, for the administrator.

        Args:
            successor: Contract that names this one as its predecessor.
        """
        return self._write(RETIRE, successor)

    def adopt(self, token_ids: Sequence[int]) -> UnsignedCall:
        """Take codes over from the retired predecessor; anyone may carry it.

        Args:
            token_ids: At most ``MAX_ADOPTED`` codes of the predecessor.
        """
        return self._write(ADOPT, tuple(token_ids))

    def predecessor(self) -> str:
        """Read which contract held the codes before, zero where none did."""
        address: str = self._read(PREDECESSOR)
        return address

    def successor(self) -> str:
        """Read which contract holds the codes now, zero while it is this one."""
        address: str = self._read(SUCCESSOR)
        return address

    def total(self) -> int:
        """Read how many codes were ever issued or taken over here."""
        total: int = self._read(TOTAL)
        return total

    def is_complete(self) -> bool:
        """Tell whether every code of the predecessor is here."""
        complete: bool = self._read(IS_COMPLETE)
        return complete

    def code_of(self, token_id: int) -> Code:
        """Read a code.

        Args:
            token_id: The code.

        Raises:
            CodesUnknownError: It does not exist.
        """
        code: Code = self._read(CODE_OF, token_id)
        return code

    def live_code(self, statement: bytes) -> int:
        """Read a statement's code, 0 where there is none.

        Args:
            statement: 32 bytes.
        """
        token_id: int = self._read(LIVE_CODE, statement)
        return token_id

    def is_valid(self, token_id: int) -> bool:
        """Tell whether a code holds: neither revoked nor expired.

        Args:
            token_id: The code.
        """
        valid: bool = self._read(IS_VALID, token_id)
        return valid

    def locked(self, token_id: int) -> bool:
        """Tell whether a code stays with its account (ERC-5192).

        Args:
            token_id: The code.
        """
        locked: bool = self._read(LOCKED, token_id)
        return locked

    def owner_of(self, token_id: int) -> str:
        """Read the account that has a code.

        Args:
            token_id: The code.
        """
        account: str = self._read(OWNER_OF, token_id)
        return account
