"""Errors of the contracts package; what the chain refuses comes out as one of these.

    ContractsError                      everything below; facts are attributes
    ├── InvalidInputError               refuse: it can never be accepted as it is
    │   ├── InvalidSignatureError, RefusedRequestError, RevertedError
    │   └── reverts: wrong kind, wrong state, outside a limit
    ├── StaleError                      ignore or rebuild: it was overtaken
    │   ├── StaleNonceError
    │   └── reverts: used nonce, passed deadline, old head
    ├── UnavailableError                retry: the chain does not answer
    │   └── reverts: outside the session, halted
    └── ConflictError                   stop: a person has to look
        └── reverts: two truths, missing authority

Every custom error of the contracts has one class here: its Solidity name and ``Error``.
"""

from contracts.reverts.accounts import *  # noqa: F403  # the whole catalogue
from contracts.reverts.anchor import *  # noqa: F403  # the whole catalogue
from contracts.reverts.carriers import *  # noqa: F403  # the whole catalogue
from contracts.reverts.governance import *  # noqa: F403  # the whole catalogue
from contracts.reverts.openzeppelin import *  # noqa: F403  # the whole catalogue
from contracts.reverts.settlement import *  # noqa: F403  # the whole catalogue
from contracts.reverts.statements import *  # noqa: F403  # the whole catalogue
from contracts.reverts.tree import *  # noqa: F403  # the whole catalogue
