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
_NODE_PORT = 8620
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
        "node_port": _node_port(own, network),
        "folder": _for_a_unit(folder.resolve()),
        "program": _for_a_unit(os.environ.get(ENVIRONMENT) or cached_program()),
        "command": _for_a_unit(Path(sys.executable).with_name("carbon-node")),
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


def _node_port(own: Offer, network: NetworkFile) -> int:
    """Give each node of one machine a port of its own."""
    here = [one.name for one in network.offers if one.host == own.host]
    return _NODE_PORT + (here.index(own.name) if own.name in here else len(here))


def _for_a_unit(path: Path | str) -> str:
    """Write a path as service units take it, where a percent sign begins a name."""
    return str(path).replace("%", "%%")


def _filled(source: str, facts: dict[str, object]) -> str:
    text = files(_TEMPLATES).joinpath(source).read_text("utf-8")
    return Template(text).substitute(facts)
