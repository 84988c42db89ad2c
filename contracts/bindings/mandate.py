"""Mandate: an institution's two representatives act on governed functions."""

from contracts.bindings.contract import Contract
from contracts.calls import Function, UnsignedCall
from contracts.solidity import Address
from contracts.structs import Call, CallBatch, Signatures

EXECUTE = Function("execute", Call, Signatures)
EXECUTE_BATCH = Function("executeBatch", CallBatch, Signatures)
ACCOUNT = Function("account", returns=Address)


class Mandate(Contract):
    """Holds an institution's roles; does what its representatives signed."""

    def execute(self, call: Call, signatures: Signatures) -> UnsignedCall:
        """Call one governed function.

        Args:
            call: Target, call data, the institution's nonce and a deadline.
            signatures: Of two representatives.
        """
        return self._write(EXECUTE, call, signatures)

    def execute_batch(self, batch: CallBatch, signatures: Signatures) -> UnsignedCall:
        """Call several governed functions, all or none.

        Args:
            batch: Targets, call data, the institution's nonce and a deadline.
            signatures: Of two representatives.
        """
        return self._write(EXECUTE_BATCH, batch, signatures)

    def account(self) -> str:
        """Read whose mandate it is."""
        account: str = self._read(ACCOUNT)
        return account
