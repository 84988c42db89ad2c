"""Compiled contracts, and where a deployment put them."""

import json
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from contracts import typed_data
from contracts.errors import InvalidInputError

CONTRACTS = (
    "AccessManager",
    "Directory",
    "Accounts",
    "Rulebook",
    "Carriers",
    "ReadingAnchor",
    "EmissionLedger",
    "CarbonCodes",
    "Quota",
    "Cash",
    "Market",
)
"""The ledger's contracts in the order of their creation."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A compiled contract."""

    name: str
    abi: tuple[dict[str, Any], ...]
    bytecode: bytes
    """Creation code, without the constructor's arguments."""


@cache
def artifact(name: str) -> Artifact:
    """Load a compiled contract.

    Args:
        name: For instance ``Quota``.

    Returns:
        Interface and creation code.

    Raises:
        InvalidInputError: There is no such contract.
    """
    path = files("contracts").joinpath("artifacts", f"{name}.json")
    if not path.is_file():
        message = f"expected a contract of this ledger, got {name!r}"
        raise InvalidInputError(message, name=name)
    found = json.loads(path.read_text("utf-8"))
    code = bytes.fromhex(found["bytecode"].removeprefix("0x"))
    return Artifact(name, tuple(found["abi"]), code)


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where one ledger is."""

    chain_id: int
    addresses: dict[str, str]
    """Name of a contract → its address."""
    genesis_block: int
    """Block of the first contract; no event of the ledger is older."""
    mandates: dict[str, str] = field(default_factory=dict)
    """Name of an institution → its mandate."""

    def domain(self, contract: str) -> bytes:
        """Give the EIP-712 domain of a contract.

        Args:
            contract: Its name, or its address, as of a mandate.

        Returns:
            32 bytes.
        """
        address = self.addresses.get(contract, contract)
        return typed_data.domain(self.chain_id, address)

    def to_json(self) -> str:
        """Write the deployment as text."""
        return json.dumps(asdict(self), indent=2, sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Deployment":
        """Read a deployment.

        Args:
            text: What ``to_json`` wrote.

        Returns:
            The deployment.

        Raises:
            InvalidInputError: The text is no deployment.
        """
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError) as exc:
            message = (
                f"expected a deployment file, got something else ({exc}): use the "
                "file that the deployment wrote"
            )
            raise InvalidInputError(message) from exc
