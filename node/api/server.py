"""Serve the application on a socket of our own, in a thread, until told to stop."""

import asyncio
import socket
import threading
import time

import uvicorn
from fastapi import FastAPI

from node.errors import UnavailableStorageError
from oracle.connection import GuardedProtocol

__all__ = ["ApiServer"]

_START_S = 15.0
_STOP_S = 10


class ApiServer:
    """One running API.

    Args:
        app: The application.
        host: Address to listen on.
        port: Port; 0 takes a free one.

    Raises:
        UnavailableStorageError: If the port is taken.
    """

    def __init__(self, app: FastAPI, host: str, port: int) -> None:
        self._socket = _listen(host, port)
        self.port = int(self._socket.getsockname()[1])
        config = uvicorn.Config(
            app,
            http=GuardedProtocol,
            log_level="warning",
            log_config=None,  # one place configures logs: whoever starts the process
            lifespan="off",
            timeout_graceful_shutdown=_STOP_S,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, name="api")

    def start(self) -> None:
        """Begin to answer; return when it does."""
        self._thread.start()
        give_up = time.monotonic() + _START_S
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > give_up:
                raise UnavailableStorageError(
                    "The API did not come up; its log says why."
                )
            time.sleep(0.01)

    def stop(self) -> None:
        """Finish what is being answered and close."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join()
        self._socket.close()

    def hasten(self) -> None:
        """Wait no longer for what is being answered."""
        self._server.force_exit = True

    def _serve(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()
    except OSError as exc:
        listener.close()
        raise UnavailableStorageError(
            f"The API cannot listen on {host}:{port} ({exc.strerror}); stop the "
            "program that has the port, or set another port (0 takes a free one)."
        ) from exc
    return listener
