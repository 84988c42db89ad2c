"""Settings of the wallet, built once by the command line."""

from dataclasses import dataclass
from pathlib import Path

from wallet.catalogue import Language

__all__ = ["Settings"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Where keys are, which node is asked, how it speaks."""

    keys: Path
    """Folder of the encrypted key files."""
    node_url: str
    """Address of the node's API."""
    timeout_s: float = 60.0
    """Longest wait for an answer of the node. [s]"""
    language: Language = "en"
    """Language of what is shown before a signature."""
