"""Strict reading of rule-set files.

YAML is read as text, lists and mappings only: no floats, dates or booleans are
guessed, a key stands once, aliases and tags are refused. `Fields` then hands out
each field once and complains about those that are missing or left over. What the
fields mean is the business of `accounting.rule_sets`.
"""

from datetime import date
from fractions import Fraction
from typing import Any, Final

import yaml

from accounting.errors import InvalidQuantityError, InvalidRuleSetError
from accounting.quantities import Unit, exact, parse_unit

MAX_BYTES: Final = 1 << 20
"""A rule set is a page or two, not a data set."""

MAX_DEPTH: Final = 8

_LOADER: Final = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_TAGS: Final = tuple(f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map"))
_NULLS: Final = ("null", "~", "")


def read_yaml(data: bytes, where: str) -> Any:
    """Read a file of texts, lists and mappings.

    Args:
        data: UTF-8 bytes.
        where: Name of the file, for messages.

    Returns:
        Nested dictionaries and lists of text; None for a plain `null`.

    Raises:
        InvalidRuleSetError: The bytes are no such file.
    """
    if len(data) > MAX_BYTES:
        raise InvalidRuleSetError(
            "file too long",
            where=where,
            expected=f"at most {MAX_BYTES} bytes",
            given=len(data),
        )
    try:
        text = data.decode("utf-8")
        _check_depth(text, where)
        node = yaml.compose(text, Loader=_LOADER)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as exc:
        reason = " ".join(str(exc).split())
        raise InvalidRuleSetError(f"no YAML: {reason}", where=where) from exc
    return _Reader(where).read(node, 0)


def _check_depth(text: str, where: str) -> None:
    """Refuse deep nesting before nodes are composed.

    The fast composer recurses on the machine's stack without a limit, so a deep file
    would end the process; events come one by one.
    """
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise InvalidRuleSetError(
                "structure",
                where=where,
                expected=f"at most {MAX_DEPTH} levels",
                given="more",
            )


class _Reader:
    """Turns composed nodes into plain values."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._seen: set[int] = set()

    def read(self, node: yaml.Node | None, depth: int) -> Any:
        is_plain = node is not None and node.tag in _TAGS
        if node is None or not is_plain or depth > MAX_DEPTH or id(node) in self._seen:
            raise InvalidRuleSetError(
                "structure",
                where=self._where,
                expected=f"at most {MAX_DEPTH} levels, no aliases, no tags",
                given=getattr(node, "tag", "nothing"),
            )
        self._seen.add(id(node))
        if isinstance(node, yaml.ScalarNode):
            is_null = not node.style and node.value in _NULLS
            return None if is_null else str(node.value)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, depth + 1) for item in node.value]
        return self._mapping(node, depth)

    def _mapping(self, node: yaml.Node, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self.read(key_node, depth + 1)
            if not isinstance(key, str) or key in result:
                raise InvalidRuleSetError(
                    "key",
                    where=self._where,
                    expected="text, each once",
                    given=f"{key!r} in line {key_node.start_mark.line + 1}",
                )
            result[key] = self.read(value_node, depth + 1)
        return result


class Fields:
    """Hands out the fields of one mapping, each checked."""

    def __init__(self, content: Any, where: str) -> None:
        if not isinstance(content, dict):
            raise InvalidRuleSetError(
                "content", where=where, expected="a mapping", given=repr(content)
            )
        self.where = where
        self._content = dict(content)

    def error(self, what: str, expected: object, given: object) -> InvalidRuleSetError:
        """Make the error of one field."""
        return InvalidRuleSetError(
            what, where=self.where, expected=expected, given=repr(given)
        )

    def text(self, name: str, choices: tuple[str, ...] = ()) -> str:
        """Take a text, one of the choices if there are any."""
        value = self._content.pop(name, None)
        if not isinstance(value, str) or (choices and value not in choices):
            raise self.error(name, choices or "a text", value)
        return value

    def optional_text(self, name: str) -> str | None:
        """Take a text that may be absent or null."""
        if self._content.get(name) is None:
            self._content.pop(name, None)
            return None
        return self.text(name)

    def number(self, name: str) -> Fraction | None:
        """Take an exact number that may be absent or null."""
        text = self.optional_text(name)
        return None if text is None else exact_in(text, f"{self.where}.{name}")

    def unit(self) -> Unit:
        """Take the unit."""
        text = self.text("unit")
        try:
            return parse_unit(text)
        except InvalidQuantityError as exc:
            raise InvalidRuleSetError(str(exc), where=self.where) from exc

    def day(self, name: str) -> date | None:
        """Take a date that may be null."""
        text = self.optional_text(name)
        return None if text is None else day_in(text, f"{self.where}.{name}")

    def texts(self, name: str) -> tuple[str, ...]:
        """Take a list of texts, empty if absent."""
        value = self._content.pop(name, [])
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise self.error(name, "a list of texts", value)
        return tuple(value)

    def items(self, name: str) -> list[Any]:
        """Take a list, empty if absent."""
        value = self._content.pop(name, [])
        if not isinstance(value, list):
            raise self.error(name, "a list", value)
        return value

    def mapping(self, name: str) -> dict[str, Any]:
        """Take a mapping, empty if absent."""
        value = self._content.pop(name, {})
        if not isinstance(value, dict):
            raise self.error(name, "a mapping", value)
        return value

    def texts_by_name(self, name: str) -> dict[str, str]:
        """Take a mapping of texts, empty if absent."""
        value = self.mapping(name)
        if not all(isinstance(text, str) for text in value.values()):
            raise self.error(name, "texts by name", value)
        return value

    def done(self) -> None:
        """Refuse fields that nobody asked for."""
        if self._content:
            raise self.error("unknown fields", "none", sorted(self._content))


def exact_in(text: object, where: str) -> Fraction:
    """Read an exact number of a rule set."""
    try:
        return exact(text if isinstance(text, str) else repr(text))
    except InvalidQuantityError as exc:
        raise InvalidRuleSetError(str(exc), where=where) from exc


def day_in(text: str, where: str) -> date:
    """Read a date of a rule set, YYYY-MM-DD."""
    try:
        return date.fromisoformat(text)
    except ValueError as exc:
        raise InvalidRuleSetError(
            "date", where=where, expected="YYYY-MM-DD", given=repr(text)
        ) from exc
