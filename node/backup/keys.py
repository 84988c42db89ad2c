"""Keys of backups: X25519 in the age format (age-encryption.org/v1).

Whoever makes a backup needs the *recipient* only, which is public; the *identity* that
opens it stays with the people who restore. Neither is ever logged.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from pyrage import IdentityError, RecipientError, x25519

from node.errors import InvalidConfigError

__all__ = ["create_identity", "load_identities", "parse_recipients"]


def create_identity(path: Path) -> str:
    """Make a new identity file.

    Args:
        path: File to write, mode 600; must not exist.

    Returns:
        The recipient that belongs to it, ``age1…``.

    Raises:
        InvalidConfigError: If there is a file already, or it cannot be written.
    """
    identity = x25519.Identity.generate()
    recipient = str(identity.to_public())
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"# public key: {recipient}\n{identity}\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as exc:
        raise InvalidConfigError(
            f"Identity file {path} cannot be made ({exc.strerror}); name a file that "
            "does not exist, in a folder that may be written to."
        ) from exc
    return recipient


def load_identities(path: Path) -> list[x25519.Identity]:
    """Read the identities that open a backup.

    Args:
        path: File as ``carbon-node backup key`` or ``age-keygen`` writes it, mode 600.

    Returns:
        One identity a line.

    Raises:
        InvalidConfigError: If the file is exposed, unreadable or holds no identity.
    """
    try:
        if path.stat().st_mode & 0o077:
            raise InvalidConfigError(
                f"Identity file {path} can be read by others; run: chmod 600 {path}"
            )
        lines = path.read_text("ascii").splitlines()
        words = [line.strip() for line in lines if line.strip()[:1] not in ("", "#")]
        identities = [x25519.Identity.from_str(word) for word in words]
    except (OSError, ValueError, IdentityError) as exc:
        raise InvalidConfigError(
            f"Identity file {path} cannot be used ({type(exc).__name__}); give the "
            "file that carbon-node backup key made."
        ) from exc
    if not identities:
        raise InvalidConfigError(
            f"Identity file {path} holds no line AGE-SECRET-KEY-1…; give the file "
            "that carbon-node backup key made."
        )
    return identities


def parse_recipients(words: Sequence[str]) -> list[x25519.Recipient]:
    """Read the public keys that a backup is encrypted to.

    Args:
        words: ``age1…``, at least one.

    Returns:
        The recipients.

    Raises:
        InvalidConfigError: If there is none, or one is no such key.
    """
    if not words:
        raise InvalidConfigError(
            "A backup is always encrypted and no recipient is given; make a key with "
            "carbon-node backup key FILE and name its age1… with --recipient."
        )
    recipients = []
    for word in words:
        try:
            recipients.append(x25519.Recipient.from_str(word))
        except (ValueError, RecipientError) as exc:
            raise InvalidConfigError(
                f"Recipient {word!r} is no age public key ({exc}); give the age1… that "
                "carbon-node backup key printed."
            ) from exc
    return recipients
