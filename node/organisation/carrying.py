"""What carries a ceremony's effects: the node's relayer, with its transport key.

Where gas costs something a newcomer's transport keys get an allowance out of the
relayer's own funds, once; where it is free, nothing is moved.
"""

from coincurve import PrivateKey
from eth_account import Account
from eth_utils.address import to_checksum_address

from contracts.calls import UnsignedCall
from contracts.chain import ChainClient
from contracts.gas import gas_price_wei
from contracts.sender import Sender

__all__ = ["ALLOWANCE_WEI", "Carrying"]

ALLOWANCE_WEI = 10**18
"""What a new sender gets: gas for hundreds of millions of calls. [wei]"""

_TRANSFER_GAS = 21_000
_WAIT_S = 60.0


class Carrying:
    """Sends with one transport key.

    Args:
        client: The chain.
        key: The transport key, secp256k1.
    """

    def __init__(self, client: ChainClient, key: PrivateKey) -> None:
        self._client = client
        self._key = key
        self._sender = Sender(client, key)
        self.address = self._sender.address

    def send(self, call: UnsignedCall) -> None:
        """Carry a call into a block and wait for it.

        Raises:
            ContractsError: The revert, or the chain does not answer.
        """
        self._sender.send(call)

    def lacks_gas(self, address: str) -> bool:
        """Tell whether an address could not pay for a transaction."""
        return gas_price_wei(self._client) > 0 and self._balance(address) == 0

    def can_give(self) -> bool:
        """Tell whether the relayer has an allowance to give."""
        fee = gas_price_wei(self._client) * _TRANSFER_GAS
        return self._balance(self.address) > ALLOWANCE_WEI + fee

    def give_gas(self, address: str) -> None:
        """Give an address its allowance and wait until it is there.

        Raises:
            ContractsError: The chain refuses, or does not answer.
        """
        client = self._client
        fields = {
            "chainId": client.chain_id(),
            "nonce": client.transaction_count(self.address, "pending"),
            "gasPrice": gas_price_wei(client),
            "gas": _TRANSFER_GAS,
            "to": to_checksum_address(address),
            "value": ALLOWANCE_WEI,
            "data": b"",
        }
        made = Account.from_key(self._key.secret).sign_transaction(fields)
        client.wait_receipt(client.send_raw(bytes(made.raw_transaction)), _WAIT_S)

    def _balance(self, address: str) -> int:
        return int(self._client.request("eth_getBalance", address, "latest"), 16)
