"""Creates the contracts of a ledger, one a nonce of the deployer's fresh key.

The address of a contract follows from the deployer and the nonce, so every address is
known before the first transaction, and a broken run goes on where it stopped.
"""

from collections.abc import Iterator, Mapping

from contracts.calls import GAS_LIMIT, UnsignedCall
from contracts.chain import ChainClient
from contracts.directory import CONTRACTS, Artifact, Deployment, artifact
from contracts.errors import ConflictError
from contracts.hashing import address_bytes
from contracts.plan import DeploymentPlan
from contracts.sender import Sender
from contracts.solidity import WORD_BYTES
from contracts.transactions import contract_address

PREDECESSOR = "predecessor"
"""Argument of a constructor: the contract that it takes its state over from."""

NOBODY = "0x" + "0" * 40
"""The predecessor of what a ledger begins with."""

NEEDS: dict[str, tuple[str, ...]] = {
    "Directory": ("AccessManager",),
    "Accounts": ("AccessManager",),
    "Rulebook": ("AccessManager",),
    "Carriers": ("AccessManager", "Accounts"),
    "ReadingAnchor": ("AccessManager", "Carriers"),
    "EmissionLedger": ("AccessManager", "Accounts", "ReadingAnchor"),
    "CarbonCodes": (
        "AccessManager",
        "Accounts",
        "ReadingAnchor",
        "EmissionLedger",
        PREDECESSOR,
    ),
    "Quota": ("AccessManager", "Accounts", "EmissionLedger"),
    "Cash": ("AccessManager", "Accounts"),
    "Market": ("AccessManager", "Accounts", "Rulebook", "Quota", "Cash"),
}
"""What a constructor takes, in its order."""


def planned_addresses(
    creator: str, plan: DeploymentPlan
) -> tuple[dict[str, str], dict[str, str]]:
    """Give the addresses of a deployment before it happens.

    Args:
        creator: The deployer.
        plan: What is to be deployed.

    Returns:
        Name → address of the contracts, and of the institutions' mandates.
    """
    addresses = {
        name: contract_address(creator, nonce) for nonce, name in enumerate(CONTRACTS)
    }
    mandates = {
        institution.name: contract_address(creator, nonce)
        for nonce, institution in enumerate(plan.institutions, len(CONTRACTS))
    }
    return addresses, mandates


def create_contracts(
    client: ChainClient, sender: Sender, plan: DeploymentPlan
) -> Deployment:
    """Create the contracts that are not there yet.

    Args:
        client: The chain.
        sender: The deployer; its key has sent nothing but this deployment.
        plan: What is to be deployed.

    Returns:
        Where the contracts are.

    Raises:
        ConflictError: The deployer's key was used for something else.
    """
    addresses, mandates = planned_addresses(sender.address, plan)
    wanted = [*addresses.values(), *mandates.values()]
    done = client.transaction_count(sender.address, "pending")
    codes = list(_creation_codes(sender.address, plan, addresses))
    sent = [
        (call, sender.transmit(call))
        for call in (UnsignedCall(None, code, GAS_LIMIT) for code in codes[done:])
    ]
    for call, tx_hash in sent:
        sender.settle(call, tx_hash)
    if missing := [address for address in wanted if not client.code(address)]:
        message = (
            f"expected a contract of the deployment at {missing[0]}, found no code: "
            f"the key of {sender.address} has sent other transactions; "
            "deploy with a fresh key"
        )
        raise ConflictError(message, address=missing[0])
    manager = addresses["AccessManager"]
    born = client.logs(0, client.block_number(), [manager])[0]
    genesis = int(born["blockNumber"], 16)
    return Deployment(client.chain_id(), addresses, genesis, mandates)


def _creation_codes(
    deployer: str, plan: DeploymentPlan, addresses: dict[str, str]
) -> Iterator[bytes]:
    """Give the creation codes in the order of the nonces."""
    yield artifact("AccessManager").bytecode + _words(deployer)
    for name in NEEDS:
        yield creation_code(artifact(name), addresses | {PREDECESSOR: NOBODY})
    for institution in plan.institutions:
        arguments = _words(addresses["Accounts"], institution.account)
        yield artifact("Mandate").bytecode + arguments


def creation_code(compiled: Artifact, addresses: Mapping[str, str]) -> bytes:
    """Give what a transaction carries to create a contract.

    Args:
        compiled: The contract; its name tells what its constructor takes.
        addresses: Name → address of the contracts, and ``PREDECESSOR``.

    Returns:
        Creation code and arguments.
    """
    needs = NEEDS[compiled.name]
    return compiled.bytecode + _words(*(addresses[need] for need in needs))


def _words(*addresses: str) -> bytes:
    return b"".join(address_bytes(a).rjust(WORD_BYTES, b"\x00") for a in addresses)
