"""What the demo says, in English and Chinese.

The English words stand where they are said, and are what programs read in
``summary.json``; ``messages/zh.json`` gives each its Chinese. A ``#`` there stands for
a number, in the order of the English ones. Names, addresses and digests are no words.
"""

import json
import re
from functools import cache
from importlib.resources import files

from wallet.catalogue import Language

__all__ = ["is_known", "say"]

_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def say(language: Language, text: str) -> str:
    """Give words of the demo in a language.

    Args:
        language: ``en`` or ``zh``.
        text: The English words.

    Returns:
        The words; those that have no Chinese stay as they are.
    """
    if language == "en" or not is_known(text):
        return text
    found = _chinese()[_NUMBER.sub("#", text)]
    for number in _NUMBER.findall(text):
        found = found.replace("#", number, 1)
    return found


def is_known(text: str) -> bool:
    """Tell whether words have their Chinese.

    Args:
        text: The English words.
    """
    return _NUMBER.sub("#", text) in _chinese()


@cache
def _chinese() -> dict[str, str]:
    path = files("node.demo") / "messages" / "zh.json"
    return dict(json.loads(path.read_text("utf-8")))
