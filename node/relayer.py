"""The relayer's key: it carries instructions and owns nothing.

Its file is readable by its owner alone and never shown; a lost one is replaced by any
other.
"""

import os
import secrets
from pathlib import Path

from coincurve import PrivateKey

from node.config import Settings
from node.errors import InvalidConfigError

__all__ = ["relayer_key"]


def relayer_key(settings: Settings) -> PrivateKey:
    """Read the relayer's transport key; make one where none is set.

    Args:
        settings: The node's settings.

    Returns:
        The key, secp256k1.

    Raises:
        InvalidConfigError: If its file is exposed or unusable.
    """
    path = settings.relayer_key or settings.data_dir / "relayer.key"
    if settings.relayer_key is None and not path.exists():
        _write_new_key(path)
    try:
        if path.stat().st_mode & 0o077:
            raise InvalidConfigError(
                f"Relayer key {path} can be read by others; run: chmod 600 {path}"
            )
        return PrivateKey(bytes.fromhex(path.read_text("ascii").strip()))
    except (OSError, ValueError) as exc:
        raise InvalidConfigError(
            f"Relayer key {path} cannot be used; expected a file of 64 hexadecimal "
            "digits, or leave setting relayer_key out to have one made."
        ) from exc


def _write_new_key(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32))
