"""The command `carbon-node demo`."""

import logging
import threading
from pathlib import Path

from rich.console import Console

from node import run
from node.config import Settings
from node.demo.people import MEMBERS
from node.demo.run import Demo, DemoSettings, run_demo, show


def demo_command(settings: DemoSettings, *, serve: bool, port: int) -> None:
    """Run the demo, print its summary, and keep it running if asked.

    Args:
        settings: How the demo runs.
        serve: Whether chain, members and API stay up until interrupted.
        port: Port of the API; 0 takes a free one.
    """
    console = Console()
    logging.getLogger().setLevel(logging.WARNING)
    with run_demo(settings, console) as demo:
        show(demo, console)
        if serve:
            _serve(demo, port, console)


def _serve(demo: Demo, port: int, console: Console) -> None:
    with run.run_node(_node_settings(demo, port), demo.ledger.engine) as node:
        console.print(f"API: {node.url}/docs   chain: {demo.ledger.engine.rpc_url}")
        console.print("Stop with Ctrl-C.")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            console.print("Stopping.")


def _node_settings(demo: Demo, port: int) -> Settings:
    folder: Path = demo.settings.folder
    return Settings(
        data_dir=folder / "node",
        deployment=folder / "deployment.json",
        chain_id=demo.ledger.deployment.chain_id,
        public_url=f"http://127.0.0.1:{port}",
        port=port,
        rpc_url=demo.ledger.engine.rpc_url,
        clock_mode="virtual",
        inbox_database=folder / "members" / MEMBERS[0] / "member.db",
        proof_folder=folder / "proofs",
    )
