"""What gas costs on a chain, whichever engine makes its blocks.

On the embedded chain and on Besu gas is free. avalanchego's base fee falls to 1 wei and
never to 0; and it makes a block before 2 s have passed only if the tips in it pay a
million gas at the base fee (Apricot Phase 4), which one plain transaction of 21,000
gas does at fifty times the base fee.
"""

from contracts.chain import ChainClient

__all__ = ["gas_price_wei"]

_HEADROOM = 100
"""Base fees double within a minute where blocks are full."""


def gas_price_wei(client: ChainClient) -> int:
    """Give a price of gas that is taken now and in the next minute.

    Args:
        client: The chain.

    Returns:
        A multiple of the newest block's base fee; 0 where gas is free. [wei]

    Raises:
        UnavailableError: The chain does not answer.
    """
    block = client.request("eth_getBlockByNumber", "latest", False)
    return _HEADROOM * int(block.get("baseFeePerGas") or "0x0", 16)
