"""A request whose body comes in two halves, so that it is under way when it must be."""

import socket
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


class HalfRequest:
    """A POST whose second half waits until it is sent; closed with its context."""

    def __init__(self, url: str, body: bytes, media_type: str) -> None:
        parts = urlsplit(url)
        half = len(body) // 2
        self._rest = body[half:]
        self._socket = socket.create_connection(
            (parts.hostname or "", parts.port or 80), timeout=60
        )
        head = (
            f"POST {parts.path} HTTP/1.1\r\nhost: {parts.netloc}\r\n"
            f"content-type: {media_type}\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        self._socket.sendall(head.encode() + body[:half])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    def finish(self) -> tuple[int, bytes]:
        """Send the rest; gives status and body of the answer."""
        self._socket.sendall(self._rest)
        head, _, body = self.answer().partition(b"\r\n\r\n")
        return int(head.split()[1]), body

    def answer(self) -> bytes:
        """What comes until the server closes; nothing where it hangs up."""
        received = b""
        try:
            while part := self._socket.recv(65_536):
                received += part
        except ConnectionResetError:
            pass
        return received
