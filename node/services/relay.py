"""From a signed instruction to the transaction that carries it.

All authority is in the instruction's signatures; whoever carries it adds none.
"""

from collections.abc import Mapping

from contracts.bindings import (
    accounts,
    carbon_codes,
    cash,
    emission_ledger,
    mandate,
    market,
    quota,
)
from contracts.calls import Function, UnsignedCall
from wallet.instructions import Instruction, signatures_for

__all__ = ["FUNCTIONS", "call_of"]

FUNCTIONS: Mapping[str, Function] = {
    "ChangeRepresentative": accounts.CHANGE_REPRESENTATIVE,
    "Call": mandate.EXECUTE,
    "CallBatch": mandate.EXECUTE_BATCH,
    "SubmitStatement": emission_ledger.SUBMIT,
    "VerifyStatement": emission_ledger.VERIFY,
    "ConfirmStatement": emission_ledger.CONFIRM,
    "DeclareValueAdded": carbon_codes.DECLARE_VALUE_ADDED,
    "IssueQuota": quota.ISSUE,
    "AllocateQuota": quota.ALLOCATE,
    "SurrenderQuota": quota.SURRENDER,
    "CancelQuota": quota.CANCEL,
    "CreditReceipt": cash.CREDIT,
    "PayoutRequest": cash.REQUEST_PAYOUT,
    "PayoutReceipt": cash.PAY_OUT,
    "BlockTrade": market.TRADE_BLOCK,
}
"""Kind of instruction → the function that takes it."""


def call_of(instruction: Instruction) -> UnsignedCall:
    """Write the transaction of a fully signed instruction.

    Args:
        instruction: The instruction.

    Returns:
        What a relayer sends.

    Raises:
        ConflictSignatureError: If a signature is missing.
    """
    function = FUNCTIONS[instruction.kind]
    pairs = [signatures_for(instruction, party) for party in instruction.parties]
    return UnsignedCall(
        instruction.contract, function.encode(instruction.message, *pairs)
    )
