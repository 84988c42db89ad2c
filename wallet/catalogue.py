"""The wallet's words, in English and Chinese, from one catalogue a language.

Both files in ``messages/`` carry the same keys and the same placeholders.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Literal

__all__ = ["LANGUAGES", "Language", "catalogue", "say", "word"]

Language = Literal["en", "zh"]
"""Languages the wallet speaks."""

LANGUAGES: tuple[Language, ...] = ("en", "zh")
"""Every language, the default first."""


@cache
def catalogue(language: Language) -> dict[str, str]:
    """Load every message of a language, by key."""
    text = (files("wallet") / "messages" / f"{language}.json").read_text("utf-8")
    return dict(json.loads(text))


def say(language: Language, key: str, /, **facts: str) -> str:
    """Word one message.

    Args:
        language: ``en`` or ``zh``.
        key: Key of the message.
        facts: Values of its placeholders; more than it uses do no harm.

    Returns:
        The message.
    """
    return catalogue(language)[key].format(**facts)


def word(language: Language, kind: str, text: str) -> str:
    """Give a node's word in a language; one that the wallet does not know stays.

    Args:
        language: ``en`` or ``zh``.
        kind: ``status`` or ``part``.
        text: The node's word.
    """
    return catalogue(language).get(f"{kind}.{text}", text)
