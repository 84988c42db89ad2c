"""Compile the contracts and write their artifacts.

Every source is handed to the pinned compiler by its repository path, so that the
artifacts depend on the sources alone: not on the machine, not on the folder. The
metadata hash is left out of the bytecode for the same reason.

Usage: ``python scripts/build_contracts.py`` writes ``contracts/artifacts``.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import solcx

ROOT = Path(__file__).resolve().parent.parent
"""The repository."""

ARTIFACTS = ROOT / "contracts" / "artifacts"
"""Where the artifacts are written."""

LEDGER = (
    "Accounts",
    "CarbonCodes",
    "Carriers",
    "Cash",
    "Directory",
    "EmissionLedger",
    "Mandate",
    "Market",
    "Quota",
    "ReadingAnchor",
    "Rulebook",
)
"""Contracts of the ledger, each in ``contracts/src/<name>.sol``."""

EDITIONS = ("CarbonCodes", "Market", "Rulebook")
"""Later editions that tests upgrade to, ``contracts/test/editions/<name>.sol``."""

BENCH = ("Naive", "PlainToken")
"""Baselines of the bench, each in ``contracts/test/<name>.sol``."""

GOVERNANCE = "@openzeppelin/contracts/access/manager/AccessManager.sol"
"""The contract that holds roles and delays."""

SETTINGS: dict[str, Any] = {
    "optimizer": {"enabled": True, "runs": 10_000},
    "viaIR": True,
    "evmVersion": "cancun",
    "metadata": {"bytecodeHash": "none", "appendCBOR": False},
    "outputSelection": {
        "*": {
            "": ["ast"],
            "*": [
                "abi",
                "evm.bytecode.object",
                "evm.deployedBytecode.object",
                "evm.deployedBytecode.immutableReferences",
            ],
        }
    },
}
"""Compiler settings; ``foundry.toml`` repeats them."""

IMPORT = re.compile(r'^import\s+(?:\{[^}]*\}\s+from\s+)?"([^"]+)"', re.MULTILINE)


class InvalidSourceError(Exception):
    """The compiler refused the sources."""


def artifact_paths() -> dict[str, str]:
    """Name every artifact and the source it is built from.

    Returns:
        Path of the artifact below ``contracts/artifacts`` to source name.
    """
    paths = {f"{name}.json": f"contracts/src/{name}.sol" for name in LEDGER}
    paths["AccessManager.json"] = GOVERNANCE
    paths |= {
        f"editions/{name}.json": f"contracts/test/editions/{name}.sol"
        for name in EDITIONS
    }
    paths |= {f"bench/{name}.json": f"contracts/test/{name}.sol" for name in BENCH}
    return paths


def collect_sources(entries: list[str]) -> dict[str, dict[str, str]]:
    """Read sources and everything they import.

    Args:
        entries: Source names to start from.

    Returns:
        Source name to content, as the compiler's standard input wants it.
    """
    sources: dict[str, dict[str, str]] = {}
    pending = list(entries)
    while pending:
        name = pending.pop()
        if name in sources:
            continue
        folder = ROOT / "node_modules" if name.startswith("@") else ROOT
        content = (folder / name).read_text(encoding="utf-8")
        sources[name] = {"content": content}
        pending += [_resolve(name, given) for given in IMPORT.findall(content)]
    return dict(sorted(sources.items()))


def _resolve(importer: str, given: str) -> str:
    """Turn an import path into a source name."""
    if not given.startswith("."):
        return given
    parts = importer.split("/")[:-1]
    for part in given.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def compile_artifacts() -> dict[str, str]:
    """Compile everything.

    Returns:
        Path of the artifact below ``contracts/artifacts`` to its JSON text.

    Raises:
        InvalidSourceError: The compiler refused the sources.
    """
    paths = artifact_paths()
    try:
        output = solcx.compile_standard(
            {
                "language": "Solidity",
                "sources": collect_sources(list(paths.values())),
                "settings": SETTINGS,
            },
            solc_binary=ROOT / "scripts" / "solc",
        )
    except solcx.exceptions.SolcError as exc:
        raise InvalidSourceError(str(exc)) from exc
    names = _immutable_names(output["sources"])
    return {
        path: _render(Path(path).stem, output["contracts"][source], names)
        for path, source in paths.items()
    }


def _immutable_names(node: Any) -> dict[str, str]:
    """Find the declarations of immutable variables in a syntax tree: id to name."""
    if isinstance(node, list):
        node = dict(enumerate(node))
    if not isinstance(node, dict):
        return {}
    found = {}
    if node.get("mutability") == "immutable":
        found[str(node["id"])] = str(node["name"])
    for part in node.values():
        found |= _immutable_names(part)
    return found


def _immutables(code: dict[str, Any], names: dict[str, str]) -> dict[str, list[int]]:
    """Name the places of immutable values in the code, where they are zeros."""
    places = code["immutableReferences"]
    return {
        name: sorted(place["start"] for place in places[number])
        for number, name in sorted(names.items(), key=lambda item: item[1])
        if number in places
    }


def _render(name: str, contracts: dict[str, Any], names: dict[str, str]) -> str:
    """Write one artifact as stable JSON."""
    contract = contracts[name]
    code = contract["evm"]["deployedBytecode"]
    artifact = {
        "contractName": name,
        "abi": contract["abi"],
        "bytecode": "0x" + contract["evm"]["bytecode"]["object"],
        "deployedBytecode": "0x" + code["object"],
        "immutables": _immutables(code, names),
    }
    return json.dumps(artifact, indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    """Compile and write the artifacts."""
    try:
        artifacts = compile_artifacts()
    except InvalidSourceError as exc:
        print(exc, file=sys.stderr)
        return 1
    for path, text in artifacts.items():
        target = ARTIFACTS / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    print(f"{len(artifacts)} artifacts written to contracts/artifacts")
    return 0


if __name__ == "__main__":
    sys.exit(main())
