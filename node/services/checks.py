"""What the node checks of an instruction before it keeps or carries it.

 1. it is for this chain
 2. it is for the contract that takes its kind (a mandate: that of the party)
 3. its time has not passed, by the chain's clock
 4. every party's account is open
 5. its number is the party's next one
 6. every signature is by a representative with the right to that part

The contracts check all of this again; the node only spares people a vain wait.
"""

from contracts.bindings import Mandate
from contracts.enumerations import AccountStatus, Rights
from contracts.ledger import Ledger
from contracts.typed_data import TYPES
from node.errors import (
    InvalidAccessError,
    InvalidRequestError,
    StaleInstructionError,
    UnavailableEngineError,
)
from wallet.instructions import Instruction

__all__ = ["chain_time", "check_instruction", "check_rights"]

_NEEDED = {"initiate": Rights.INITIATE, "approve": Rights.APPROVE}


def check_instruction(instruction: Instruction, ledger: Ledger) -> None:
    """Check an instruction against the chain.

    Args:
        instruction: The instruction, with any signatures.
        ledger: The chain's contracts.

    Raises:
        InvalidRequestError: For another chain or contract, or a closed account.
        StaleInstructionError: If its time or number has passed.
        InvalidAccessError: If a signer has no right to its part.
    """
    _check_chain(instruction, ledger)
    _check_contract(instruction, ledger)
    now = chain_time(ledger)
    if instruction.deadline < now:
        raise StaleInstructionError(
            f"The instruction was valid until {instruction.deadline} and the chain's "
            f"time is {now} (unix s); build it again with a later deadline."
        )
    for account, nonce in instruction.nonces.items():
        _check_account(ledger, account, nonce)
    check_rights(instruction, ledger)


def check_rights(instruction: Instruction, ledger: Ledger) -> None:
    """Check that every signer may do its part.

    Args:
        instruction: The instruction with its signatures.
        ledger: The chain's contracts.

    Raises:
        InvalidAccessError: If one may not.
    """
    for made in instruction.signatures:
        held = ledger.accounts.rights_of(made.account, made.key)
        if not held & _NEEDED[made.role]:
            raise InvalidAccessError(
                f"Key {made.key} signed to {made.role} for account {made.account}, "
                f"where its rights are {held.name.lower()}; another representative "
                "must sign."
            )


def chain_time(ledger: Ledger) -> int:
    """Give the time of the newest block, in unix seconds."""
    block = ledger.client.block("latest")
    if block is None:
        raise UnavailableEngineError("The chain has no block yet; try again.")
    return block.timestamp


def _check_chain(instruction: Instruction, ledger: Ledger) -> None:
    needed = ledger.deployment.chain_id
    if instruction.chain_id != needed:
        raise InvalidRequestError(
            f"The instruction is for chain {instruction.chain_id}, this node serves "
            f"chain {needed}; build it again for chain {needed}, or ask another node."
        )


def _check_contract(instruction: Instruction, ledger: Ledger) -> None:
    name = TYPES[instruction.kind]
    given = instruction.contract
    if name == "Mandate":
        mandates = ledger.deployment.mandates.values()
        (party,) = instruction.parties
        is_right = (
            given in mandates and Mandate(ledger.client, given).account() == party
        )
        needed = f"the mandate of {party}"
    else:
        needed = ledger.deployment.addresses[name]
        is_right = given == needed
    if not is_right:
        raise InvalidRequestError(
            f"The instruction {instruction.kind} is for contract {given}, expected "
            f"{name} at {needed}; build it again with this node's addresses."
        )


def _check_account(ledger: Ledger, account: str, nonce: int) -> None:
    found = ledger.accounts.account_of(account)
    if found.status is not AccountStatus.OPEN:
        raise InvalidRequestError(
            f"Account {account} is {found.status.name.lower()}, expected open; check "
            "its name, or ask the regulator."
        )
    if nonce != found.nonce:
        raise StaleInstructionError(
            f"The instruction has number {nonce} of account {account}, expected "
            f"{found.nonce}; build it again with that number."
        )
