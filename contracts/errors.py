"""Errors of the contracts package; what the chain refuses comes out as one of these.

ContractsError                      everything below; facts are attributes
├── InvalidInputError               refuse: it can never be accepted as it is
│   └── InvalidSignatureError
├── StaleError                      ignore or rebuild: it was overtaken
├── UnavailableError                retry: the chain does not answer
└── ConflictError                   stop: a person has to look
"""

from typing import Any


class ContractsError(Exception):
    """Base of the package.

    Args:
        message: One sentence: what, where, expected, given, what to do.
        facts: The sentence's facts; each is also an attribute.
    """

    def __init__(self, message: str, /, **facts: Any) -> None:
        super().__init__(message)
        self.facts = facts

    def __getattr__(self, name: str) -> Any:
        """Give a fact as an attribute."""
        facts = self.__dict__.get("facts", {})
        if name in facts:
            return facts[name]
        raise AttributeError(name)


class InvalidInputError(ContractsError):
    """What was given can never be accepted as it is."""


class InvalidSignatureError(InvalidInputError):
    """A signature is malformed or belongs to nobody."""


class StaleError(ContractsError):
    """What was given was overtaken; read the state and build it anew."""


class UnavailableError(ContractsError):
    """The chain does not answer; the same request may succeed later."""


class ConflictError(ContractsError):
    """Two truths exclude each other; a person has to look."""
