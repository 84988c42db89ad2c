"""A sender that announces 100 GB and sends on, whatever it is answered."""

import socket
from urllib.parse import urlsplit

ANNOUNCED = 100_000_000_000
"""Length of the body. [bytes]"""
_PART = b" " * 100_000


def send_without_end(url: str, *headers: str) -> tuple[int, bytes]:
    """Send until the server cuts the line; nothing comes back before that.

    Args:
        url: Where to.
        headers: Lines of the head.

    Returns:
        How many bytes of the body the server let through, and what it answered.
    """
    parts = urlsplit(url)
    head = [f"POST {parts.path or '/'} HTTP/1.1", f"host: {parts.netloc}", *headers]
    head.append(f"content-length: {ANNOUNCED}")
    sent = 0
    with socket.create_connection((parts.hostname or "", parts.port or 80), 20) as line:
        line.sendall("\r\n".join([*head, "", ""]).encode())
        try:
            while sent < ANNOUNCED:
                line.sendall(_PART)
                sent += len(_PART)
        except ConnectionError:
            pass
        return sent, _received(line)


def _received(line: socket.socket) -> bytes:
    answer = b""
    try:
        while part := line.recv(65_536):
            answer += part
    except ConnectionError:
        pass
    return answer
