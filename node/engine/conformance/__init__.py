"""Checks that any Ethereum engine must pass before the ledger runs on it."""

from node.engine.conformance.probe import Probe
from node.engine.conformance.suite import CHECKS, Result, run_check, run_conformance

__all__ = ["CHECKS", "Probe", "Result", "run_check", "run_conformance"]
