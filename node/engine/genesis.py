"""Block 0: written once, kept in the journal, the same file at every start."""

import json
import time
from typing import Any

from node.engine.settings import EngineSettings

_FORKS_BY_BLOCK = (
    "homesteadBlock", "eip150Block", "eip155Block", "eip158Block", "byzantiumBlock",
    "constantinopleBlock", "petersburgBlock", "istanbulBlock", "berlinBlock",
    "londonBlock",
)  # fmt: skip
_FORKS_BY_TIME = ("shanghaiTime", "cancunTime")


def genesis_document(settings: EngineSettings) -> str:
    """Return the genesis file of a new chain: Cancun, base fee 0, given balances."""
    at = int(time.time()) if settings.genesis_time is None else settings.genesis_time
    config: dict[str, int] = {"chainId": settings.chain_id}
    config |= dict.fromkeys(_FORKS_BY_BLOCK + _FORKS_BY_TIME, 0)
    config["terminalTotalDifficulty"] = 0
    document = {
        "config": config,
        "nonce": "0x0",
        "timestamp": hex(at),
        "extraData": "0x",
        "gasLimit": hex(settings.block_gas_limit),
        "difficulty": "0x0",
        "mixHash": "0x" + 32 * "00",
        "coinbase": "0x" + 20 * "00",
        "baseFeePerGas": "0x0",
        "alloc": _alloc(settings),
    }
    return json.dumps(document, indent=1, sort_keys=True)


def _alloc(settings: EngineSettings) -> dict[str, Any]:
    alloc: dict[str, Any] = {
        address.lower(): {"balance": "0x0", **state}
        for address, state in settings.genesis_contracts.items()
    }
    for address, wei in settings.genesis_alloc.items():
        alloc.setdefault(address.lower(), {})["balance"] = hex(wei)
    return alloc
