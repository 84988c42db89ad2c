"""What all bindings share: one contract at one address, seen at one block."""

from typing import Any

from contracts.calls import Function, UnsignedCall
from contracts.chain import BlockId, ChainClient
from contracts.errors import ConflictError


class Contract:
    """A contract of the ledger.

    Args:
        client: The chain.
        address: Where the contract is.
        block: The state that reads see.
    """

    def __init__(
        self, client: ChainClient, address: str, block: BlockId = "latest"
    ) -> None:
        self.client = client
        self.address = address
        self.block = block

    def _read(self, function: Function, *arguments: Any) -> Any:
        data = self.client.call(self.address, function.encode(*arguments), self.block)
        if not data:
            name = type(self).__name__
            message = (
                f"expected the contract {name} at {self.address}, found no code: "
                "check the deployment file and the chain"
            )
            raise ConflictError(message, address=self.address)
        return function.decode(data)

    def _write(self, function: Function, *arguments: Any) -> UnsignedCall:
        return UnsignedCall(self.address, function.encode(*arguments))
