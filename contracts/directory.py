"""Compiled contracts, and where a deployment put them.

A deployment file names the contracts that the ledger began with; ``contracts.editions``
follows the directory from there to those that are in office now.
"""

import json
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
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
    code: bytes = b""
    """Code as it lies on the chain, immutable values left at zero."""
    immutables: dict[str, list[int]] = field(default_factory=dict)
    """Name of an immutable → where its 32 bytes stand in the code."""


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
    return _artifact(name, path.read_text("utf-8"))


def load_artifact(path: Path) -> Artifact:
    """Read a compiled contract that does not come with this release.

    Args:
        path: File as ``scripts/build_contracts.py`` writes it.

    Returns:
        Interface and code.

    Raises:
        InvalidInputError: The file is no such artifact.
    """
    try:
        return _artifact("", path.read_text("utf-8"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
        message = (
            f"expected a compiled contract in {path}, got something else ({exc!r}): "
            "use a file that scripts/build_contracts.py wrote"
        )
        raise InvalidInputError(message, path=path) from exc


def _artifact(name: str, text: str) -> Artifact:
    found = json.loads(text)
    return Artifact(
        name or str(found["contractName"]),
        tuple(found["abi"]),
        bytes.fromhex(found["bytecode"].removeprefix("0x")),
        bytes.fromhex(found["deployedBytecode"].removeprefix("0x")),
        dict(found["immutables"]),
    )


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
    earlier: dict[str, list[str]] = field(default_factory=dict)
    """Name of a contract → those that held the subject before, oldest first."""

    @property
    def founding(self) -> dict[str, str]:
        """Name of a contract → where it was when the ledger began."""
        return self.addresses | {name: held[0] for name, held in self.earlier.items()}

    def every(self, name: str) -> tuple[str, ...]:
        """Give all addresses that hold or held a subject, oldest first.

        Args:
            name: For instance ``CarbonCodes``.
        """
        return (*self.earlier.get(name, ()), self.addresses[name])

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
