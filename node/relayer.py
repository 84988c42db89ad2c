"""Transport keys, the relayer's first: they carry instructions and own nothing.

Its file is readable by its owner alone and never shown; a lost one is replaced by any
other.
"""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from coincurve import PrivateKey

from node.config import Settings
from node.errors import InvalidConfigError

__all__ = ["relayer_key", "transport_key"]


def relayer_key(settings: Settings) -> PrivateKey:
    """Read the relayer's transport key; make one where none is set.

    Args:
        settings: The node's settings.

    Returns:
        The key, secp256k1.

    Raises:
        InvalidConfigError: If its file is exposed or unusable.
    """
    if settings.relayer_key is not None:
        return _read_key(settings.relayer_key)
    return transport_key(settings.data_dir / "relayer.key")


def transport_key(path: Path) -> PrivateKey:
    """Read a transport key; make one where there is no file.

    Args:
        path: File of 64 hexadecimal digits, mode 600.

    Returns:
        The key, secp256k1.

    Raises:
        InvalidConfigError: If its file is exposed or unusable.
    """
    if not path.exists():
        try:
            _write_new_key(path)
        except OSError as exc:
            raise InvalidConfigError(
                f"Transport key {path} cannot be made ({exc.strerror}); correct the "
                "folder's rights, or free some space."
            ) from exc
    return _read_key(path)


def _read_key(path: Path) -> PrivateKey:
    try:
        if path.stat().st_mode & 0o077:
            raise InvalidConfigError(
                f"Transport key {path} can be read by others; run: chmod 600 {path}"
            )
        return PrivateKey(bytes.fromhex(path.read_text("ascii").strip()))
    except (OSError, ValueError) as exc:
        raise InvalidConfigError(
            f"Transport key {path} cannot be used; expected a file of 64 hexadecimal "
            "digits, or take it away to have one made where none is set."
        ) from exc


def _write_new_key(path: Path) -> None:
    """Write a key whole or not at all; of two writers at a time the first one's stays.

    A run that is killed in the middle must not leave a file that no start accepts.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        temporary.unlink()
