"""Runs the checks against an engine and says what came out.

The acceptance test for a new engine: ``run_conformance(url, key)`` on a chain that
may be written to. A check passes, fails, or reports a property that either way is
acceptable (a price of 0, the P-256 precompile, tags for final blocks).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from node.engine.conformance import blocks, execution, sending
from node.engine.conformance.probe import Probe
from node.errors import NodeError

Check = Callable[[Probe], str | None]
"""Raises if the engine fails; returns text if it only reports."""

CHECKS: dict[str, Check] = {
    check.__name__: check
    for check in (*blocks.CHECKS, *sending.CHECKS, *execution.CHECKS)
}
"""All checks by name, in the order in which they run."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came out of one check."""

    name: str
    """Name of the check, a sentence with underscores."""

    status: Literal["passed", "failed", "reported"]
    detail: str
    """Why it failed, or what it reports; else empty."""


def run_check(name: str, probe: Probe) -> Result:
    """Run one check by its name."""
    try:
        report = CHECKS[name](probe)
    except NodeError as exc:
        return Result(name, "failed", str(exc))
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as exc:
        return Result(name, "failed", f"an answer has an unexpected form: {exc!r}")
    return Result(name, "reported" if report else "passed", report or "")


def run_conformance(url: str, funded_key: bytes | None = None) -> list[Result]:
    """Run all checks against an engine.

    Args:
        url: HTTP address of its JSON-RPC service.
        funded_key: Private key (32 bytes) of an account that can pay gas; None is
            enough where gas is free.

    Returns:
        One result a check, in order.
    """
    probe = Probe(url, funded_key)
    try:
        return [run_check(name, probe) for name in CHECKS]
    finally:
        probe.close()
