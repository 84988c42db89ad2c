"""The words of health page and alarms, in English and Chinese, a file a language.

Both files in ``messages/`` carry the same keys and the same placeholders.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Literal

__all__ = ["LANGUAGES", "Language", "catalogue", "choose_language", "say"]

Language = Literal["en", "zh"]
"""Languages of page and alarms."""
LANGUAGES: tuple[Language, ...] = ("en", "zh")
"""Every language, the default first."""


@cache
def catalogue(language: Language) -> dict[str, str]:
    """Load every message of a language, by key."""
    folder = files("node.operations") / "messages"
    return dict(json.loads((folder / f"{language}.json").read_text("utf-8")))


def say(language: Language, key: str, /, **figures: str) -> str:
    """Word one message.

    Args:
        language: ``en`` or ``zh``.
        key: Key of the message.
        figures: Values of its placeholders; more than it uses do no harm.

    Returns:
        The message.
    """
    return catalogue(language)[key].format(**figures)


def choose_language(asked: str | None, accepted: str | None) -> Language:
    """Choose the language of a page.

    Args:
        asked: What the address asks for, None where it does not.
        accepted: The browser's ``Accept-Language``.

    Returns:
        The first language that is known; English otherwise.
    """
    wishes = [asked or "", *(accepted or "").split(",")]
    for wish in wishes:
        for language in LANGUAGES:
            if wish.strip().lower().startswith(language):
                return language
    return LANGUAGES[0]
