"""The papers of an organisation's folder: README, service units, the node's settings.

Written anew whenever the folder is completed, except settings that a person may have
changed.
"""

import os
import sys
from importlib.resources import files
from pathlib import Path
from string import Template

from node.network.binary import ENVIRONMENT, VERSION, cached_program
from node.network.home import tolerated
from node.network.offer import NetworkFile, Offer

__all__ = ["write_documents"]

NODE_SETTINGS = "node.toml"
_TEMPLATES = "node.network.templates"


def write_documents(folder: Path, own: Offer, network: NetworkFile) -> None:
    """Write README, service units and, where there are none, the node's settings.

    Args:
        folder: The organisation's folder.
        own: Its offer.
        network: The network.
    """
    facts = {
        "name": own.name,
        "host": own.host,
        "node_id": own.node_id,
        "http_port": own.http_port,
        "staking_port": own.staking_port,
        "chain_id": network.chain_id,
        "network_id": network.network_id,
        "validators": len(network.offers),
        "tolerated": tolerated(len(network.offers)),
        "digest": network.digest,
        "version": VERSION,
        "environment": ENVIRONMENT,
        "folder": folder.resolve(),
        "program": os.environ.get(ENVIRONMENT) or cached_program(),
        "command": Path(sys.executable).with_name("carbon-node"),
    }
    for source, target in (
        ("README.md", "README.md"),
        ("carbon-validator.service", "carbon-validator.service"),
        ("carbon-node.service", "carbon-node.service"),
    ):
        (folder / target).write_text(_filled(source, facts), "utf-8")
    settings = folder / NODE_SETTINGS
    if not settings.exists():
        settings.write_text(_filled("node.toml", facts), "utf-8")


def _filled(source: str, facts: dict[str, object]) -> str:
    text = files(_TEMPLATES).joinpath(source).read_text("utf-8")
    return Template(text).substitute(facts)
