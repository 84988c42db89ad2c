"""The chain behind the node: embedded and durable, or external by its address."""

from node.engine.embedded import EmbeddedEngine
from node.engine.ports import ChainEngine, Clock, EngineHealth
from node.engine.settings import EngineSettings

__all__ = ["ChainEngine", "Clock", "EmbeddedEngine", "EngineHealth", "EngineSettings"]
