"""The command `carbon-node demo`."""

import logging
import signal
import threading

from rich.console import Console

from node import run
from node.demo.index import node_settings
from node.demo.members import free_ports
from node.demo.run import Demo, DemoSettings, run_demo, show
from node.demo.words import say

STEP_S = 0.5
"""How long a signal may go unnoticed. [s]"""


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
    settings = node_settings(
        demo.settings.folder, demo.ledger, port or free_ports(1)[0]
    )
    with run.run_node(settings, demo.ledger.engine) as node:
        language = demo.settings.language
        chain = say(language, "chain")
        console.print(f"API: {node.url}/docs   {chain}: {demo.ledger.engine.rpc_url}")
        stop = threading.Event()
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, lambda *_: stop.set())
        console.print(say(language, "Stop with Ctrl-C."))
        while not stop.wait(STEP_S):
            pass
        console.print(say(language, "Stopping."))
