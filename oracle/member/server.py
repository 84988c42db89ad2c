"""An HTTP server in a thread, so that a member can live beside others in a process."""

import socket
import threading
import time

import uvicorn
from starlette.types import ASGIApp

from oracle.connection import GuardedProtocol, TlsFiles, server_context
from oracle.errors import InvalidSettingsError

START_TIMEOUT_S = 10.0
GRACE_S = 5
"""How long requests under way may still take at the end. [s]"""
STOP_TIMEOUT_S = 8.0


class HttpServer:
    """Serves one application on one port.

    Args:
        app: Application to serve.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        tls: Own identity, and the CA of clients that show one; None speaks plain HTTP.
    """

    def __init__(
        self, app: ASGIApp, host: str, port: int, tls: TlsFiles | None = None
    ) -> None:
        self._host = host
        self._port = port
        self._socket: socket.socket | None = None
        self._scheme = "https" if tls else "http"
        context = server_context(tls, is_mutual=False) if tls else None
        config = uvicorn.Config(
            app,
            http=GuardedProtocol,
            ssl_context_factory=(lambda _config, _make: context) if context else None,
            log_level="warning",
            log_config=None,  # one place configures logs: whoever starts the process
            access_log=False,
            lifespan="off",
            timeout_keep_alive=60,
            timeout_graceful_shutdown=GRACE_S,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, name="http", daemon=True)

    @property
    def url(self) -> str:
        """Address of the server."""
        return f"{self._scheme}://{self._host}:{self._port}"

    def start(self) -> None:
        """Listen, and return once requests are served.

        Raises:
            InvalidSettingsError: The port is taken or may not be used.
        """
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self._host, self._port))
        except OSError as exc:
            listener.close()
            message = (
                f"cannot listen on {self._host}:{self._port} ({exc.strerror}): "
                "choose another port or stop the program that has it"
            )
            raise InvalidSettingsError(message) from exc
        self._socket, self._port = listener, listener.getsockname()[1]
        self._thread.start()
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._server.started and time.monotonic() < deadline:
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop serving and free the port."""
        if self._socket is None:
            return
        self._server.should_exit = True
        self._thread.join(STOP_TIMEOUT_S)
        self._socket.close()

    def hasten(self) -> None:
        """Wait no longer for what is being answered."""
        self._server.force_exit = True

    def _serve(self) -> None:
        if self._socket is not None:
            self._server.run(sockets=[self._socket])
