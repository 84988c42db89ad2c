"""What the API needs of the watch: the rule of access, the watch, the registry."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Histogram

from node.operations.watch import Watch
from oracle.operations.access import OperatorAccess

__all__ = ["OperationsDesk"]


@dataclass(frozen=True, slots=True)
class OperationsDesk:
    """Watch, figures, and who may see them."""

    access: OperatorAccess
    watch: Watch
    registry: CollectorRegistry
    latency: Histogram
    """Time to the begin of the API's answers."""
