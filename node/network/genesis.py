"""The first block of an Avalanche network: who validates, and who holds what.

Every validator reads the same file; a differing byte makes another network. Stakes
are equal, so that no organisation weighs more than another, and end one after the
other, so that a renewal never takes more than one validator out.

References:
    avalanchego 1.13.5, ``genesis/unparsed_config.go`` and ``genesis/genesis.go``.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from node.network.keys import ValidatorIdentity

__all__ = [
    "DAY_S",
    "STAKE",
    "ContractState",
    "GenesisSettings",
    "GenesisStaker",
    "moved_contracts",
    "network_genesis",
]

DAY_S = 86_400
"""Seconds of a day."""
STAKE = 1_000_000_000_000
"""What a validator stakes, no more and no less. [nAVAX]"""
LONGEST_STAKE_S = 365 * DAY_S
"""Longest time of a stake. [s]"""

ContractState = Mapping[str, Any]
"""An account of an Ethereum genesis: ``balance``, ``nonce``, ``code``, ``storage``."""

_NOBODY = "0x" + 20 * "00"
_GAS_LIMIT = 100_000_000
_FORKS = (
    "homesteadBlock", "daoForkBlock", "eip150Block", "eip155Block", "eip158Block",
    "byzantiumBlock", "constantinopleBlock", "petersburgBlock", "istanbulBlock",
    "muirGlacierBlock",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class GenesisStaker:
    """A validator from the first block on."""

    identity: ValidatorIdentity
    stake_address: str
    """Bech32 address, without chain, that owns the stake."""
    reserve_address: str
    """Bech32 address, without chain, that pays fees and sponsors newcomers."""


@dataclass(frozen=True, slots=True)
class GenesisSettings:
    """What a network starts with."""

    network_id: int
    """Id of the network, above 1,000,000 to be nobody else's."""
    chain_id: int
    """EIP-155 id of its EVM chain."""
    start_time: int
    """When stakes begin; not in the future. [unix s]"""
    stakers: tuple[GenesisStaker, ...]
    balances: Mapping[str, int] = field(default_factory=dict)
    """Address on the EVM chain → what it can pay gas with. [wei]"""
    contracts: Mapping[str, ContractState] = field(default_factory=dict)
    """Address on the EVM chain → its state, for a ledger that was moved here."""
    reserve: int = 0
    """What each organisation holds besides its stake. [nAVAX]"""
    stake_duration_s: int = LONGEST_STAKE_S
    """Time until the stake of the first validator ends. [s]"""
    stake_offset_s: int = 14 * DAY_S
    """By how much each next validator's stake ends earlier. [s]"""


def network_genesis(settings: GenesisSettings) -> str:
    """Write the genesis file of a network.

    Args:
        settings: What it starts with.

    Returns:
        JSON, the same for the same settings.
    """
    document = {
        "networkID": settings.network_id,
        "allocations": [
            *(_allocation(one.stake_address, STAKE) for one in settings.stakers),
            *(
                _allocation(one.reserve_address, settings.reserve)
                for one in settings.stakers
            ),
        ],
        "startTime": settings.start_time,
        "initialStakeDuration": settings.stake_duration_s,
        "initialStakeDurationOffset": settings.stake_offset_s,
        "initialStakedFunds": [f"X-{one.stake_address}" for one in settings.stakers],
        "initialStakers": [_staker(one) for one in settings.stakers],
        "cChainGenesis": json.dumps(_evm_genesis(settings), sort_keys=True),
        "message": "park carbon ledger",
    }
    return json.dumps(document, indent=1)


def moved_contracts(genesis: str) -> dict[str, ContractState]:
    """Give the state of a moved ledger that a network begins with.

    Args:
        genesis: The network's genesis file.

    Returns:
        Address on the EVM chain → ``nonce``, ``code``, ``storage``.

    Raises:
        ValueError: If it is no genesis file.
        KeyError: If it has no EVM chain.
    """
    alloc = json.loads(json.loads(genesis)["cChainGenesis"])["alloc"]
    names = ("nonce", "code", "storage")
    return {
        address: {name: state[name] for name in names if name in state}
        for address, state in alloc.items()
        if "nonce" in state
    }


def _allocation(address: str, amount: int) -> dict[str, Any]:
    return {
        "ethAddr": _NOBODY,
        "avaxAddr": f"X-{address}",
        "initialAmount": 0,
        "unlockSchedule": [{"amount": amount, "locktime": 0}] if amount else [],
    }


def _staker(staker: GenesisStaker) -> dict[str, Any]:
    return {
        "nodeID": staker.identity.node_id,
        "rewardAddress": f"X-{staker.stake_address}",
        "delegationFee": 1_000_000,
        "signer": {
            "publicKey": staker.identity.bls_public_key,
            "proofOfPossession": staker.identity.proof_of_possession,
        },
    }


def _evm_genesis(settings: GenesisSettings) -> dict[str, Any]:
    config: dict[str, Any] = {"chainId": settings.chain_id, "daoForkSupport": True}
    config |= dict.fromkeys(_FORKS, 0)
    alloc: dict[str, Any] = {
        _bare(address): dict(state) for address, state in settings.contracts.items()
    }
    for address, wei in settings.balances.items():
        alloc.setdefault(_bare(address), {})["balance"] = hex(wei)
    for state in alloc.values():
        state.setdefault("balance", "0x0")
    return {
        "config": config,
        "nonce": "0x0",
        "timestamp": hex(settings.start_time),
        "extraData": "0x00",
        "gasLimit": hex(_GAS_LIMIT),
        "difficulty": "0x0",
        "mixHash": "0x" + 32 * "00",
        "coinbase": _NOBODY,
        "alloc": alloc,
        "number": "0x0",
        "gasUsed": "0x0",
        "parentHash": "0x" + 32 * "00",
    }


def _bare(address: str) -> str:
    return address.removeprefix("0x").lower()
