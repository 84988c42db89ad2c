"""Where an upgrade is, and its next step. The same call begins it and goes on with it.

    deploy ──► announce ──► wait ──► activate ──► carry ──► repeat ──► done
     we         signed       delay    signed        we        signed

Every step looks at the chain first and does only what is missing. What two people have
to sign is written as an instruction file; a file that still says the right thing is
left as it is, with its signatures. Nothing is done that governance has not decided: to
deploy a contract that the directory does not name has no effect on the ledger.
"""

import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from contracts.bindings.access_manager import ADMIN_ROLE
from contracts.bindings.mandate import Mandate
from contracts.bindings.rulebook import rule_name
from contracts.calls import GAS_LIMIT, UnsignedCall
from contracts.chain import ChainClient
from contracts.ledger import Ledger
from contracts.sender import Sender
from contracts.succession import (
    Change,
    appointments,
    differences,
    to_carry,
    to_repeat,
)
from node.errors import (
    ConflictLedgerError,
    InvalidConfigError,
    UnavailableEngineError,
)
from node.services.checks import chain_time
from node.upgrade.record import Creation, UpgradeRecord, check_code
from wallet.errors import InvalidInstructionError
from wallet.instruction_file import from_json, to_json
from wallet.instructions import Instruction, build

__all__ = ["Step", "Upgrade", "wait_settled"]

logger = logging.getLogger(__name__)

_CALLS_AN_INSTRUCTION = 16
"""So that no instruction needs more gas than a block holds."""
_SHOWN = 3
_SETTLE_S = 60.0
"""How long a transaction that a killed run left behind may take to be mined. [s]"""
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Step:
    """Where an upgrade is."""

    state: str
    """``announce``, ``wait``, ``activate``, ``repeat`` or ``done``."""
    text: str
    """What it is and what to do, one sentence."""
    file: Path | None = None
    """Instruction that two people have to sign."""


@dataclass(frozen=True, slots=True)
class Upgrade:
    """One upgrade on one chain."""

    ledger: Ledger
    record: UpgradeRecord
    creations: Sequence[Creation]
    folder: Path
    sender: Sender | None
    """The deployer; None for who only checks and signs."""
    valid_s: int
    """How long an instruction may be carried. [s]"""
    show_progress: Callable[[int, int], None] = lambda _done, _all: None
    """Called with the number of carried calls, done and in all."""

    def advance(self) -> Step:
        """Do what can be done now, and say what has to be done next.

        Returns:
            Where the upgrade is.

        Raises:
            ConflictLedgerError: The chain holds other contracts than the upgrade's,
                or in the end something differs that must be equal.
            InvalidConfigError: The deployer's key is needed and not here.
            UnavailableEngineError: What an earlier run sent is in no block yet.
            ContractsError: The chain refuses or does not answer.
        """
        wait_settled(self.ledger.client, self.record.deployer)
        self._deploy()
        for made in self.creations:
            check_code(self.ledger.client, self.record, made)
        if not self._is_in_office():
            return self._appoint()
        self._carry()
        missing = self._each(to_repeat)
        if missing:
            some = missing[:_CALLS_AN_INSTRUCTION]
            text = f"{len(missing)} settings are to be repeated, {len(some)} at a time"
            return self._to_sign("repeat", text, some)
        return self._finish()

    def _each(self, ask: Callable[[Ledger, Change], list[_T]]) -> list[_T]:
        """Ask for every contract that is renewed, in the order of creation."""
        return [one for made in self.creations for one in ask(self.ledger, made.change)]

    def _deploy(self) -> None:
        """Create the contracts that are not there, one a nonce of the deployer."""
        client = self.ledger.client
        for nonce, made in enumerate(self.creations):
            if client.code(made.change.new):
                continue
            sender = self._required_sender()
            count = client.transaction_count(sender.address, "pending")
            if count != nonce:
                raise ConflictLedgerError(
                    f"The deployer {sender.address} has sent {count} transactions, "
                    f"expected {nonce}: its key was used for something else; begin "
                    "again in an empty folder."
                )
            sender.send(UnsignedCall(None, made.data, GAS_LIMIT))
            logger.info("deployed contract=%s at=%s", made.change.name, made.change.new)

    def _is_in_office(self) -> bool:
        """Tell whether all are in office; one batch appoints them, so all or none."""
        inside = []
        for made in self.creations:
            change = made.change
            held = self.ledger.directory.get(rule_name(change.name)).where
            if held not in {change.old, change.new}:
                raise ConflictLedgerError(
                    f"The directory names {held} as {change.name}, neither the one "
                    f"before ({change.old}) nor the one of this upgrade "
                    f"({change.new}); another upgrade came first: begin again."
                )
            inside.append(held == change.new)
        return all(inside)

    def _appoint(self) -> Step:
        """Have the calls of the administrator announced, waited for and made."""
        manager, mandate = self.ledger.access_manager, self._administrator()
        calls = self._each(appointments)
        if manager.membership(ADMIN_ROLE, mandate.address).execution_delay_s:
            due = [manager.due_at(mandate.address, call) for call in calls]
            fresh = [call for call, at in zip(calls, due, strict=True) if at == 0]
            if fresh:
                announced = [manager.schedule(call) for call in fresh]
                text = f"{len(fresh)} calls are to be announced"
                return self._to_sign("announce", text, announced)
            left_s = max(due) - chain_time(self.ledger)
            if left_s > 0:
                text = f"Announced; {left_s} s are left of the delay, come back then."
                return Step("wait", text)
        text = f"{len(calls)} calls bring the new edition into office, all or none"
        return self._to_sign("activate", text, calls)

    def _carry(self) -> None:
        calls = self._each(to_carry)
        for done, call in enumerate(calls, 1):
            self._required_sender().send(call)
            self.show_progress(done, len(calls))

    def _finish(self) -> Step:
        found = self._each(differences)
        if found:
            raise ConflictLedgerError(
                f"{len(found)} things differ after the upgrade: "
                f"{'; '.join(found[:_SHOWN])}; stop, and find out why."
            )
        names = ", ".join(made.change.name for made in self.creations)
        text = (
            f"{names}: in office, everything as it was before; restart nodes and "
            "members so that they use it."
        )
        return Step("done", text)

    def _to_sign(self, state: str, text: str, calls: Sequence[UnsignedCall]) -> Step:
        """Write what two representatives of the administrator have to sign."""
        path = self.folder / f"{state}.json"
        fresh = self._instruction(calls)
        kept = _read(path)
        is_good = (
            kept is not None
            and (kept.contract, kept.nonces) == (fresh.contract, fresh.nonces)
            and (kept.message.targets, kept.message.data)
            == (fresh.message.targets, fresh.message.data)
            and kept.deadline > chain_time(self.ledger)
        )
        if not is_good:
            draft = path.with_suffix(".new")
            draft.write_text(json.dumps(to_json(fresh), indent=1) + "\n", "utf-8")
            draft.replace(path)
        digest = (kept if kept and is_good else fresh).digest.hex()
        return Step(
            state,
            f"{text}: let two representatives sign {path} (digest 0x{digest}), submit "
            "it, and run this again.",
            path,
        )

    def _instruction(self, calls: Sequence[UnsignedCall]) -> Instruction:
        mandate = self._administrator()
        account = mandate.account()
        texts = {
            "targets": ",".join(str(call.to) for call in calls),
            "data": ",".join(f"0x{call.data.hex()}" for call in calls),
            "nonce": str(self.ledger.accounts.account_of(account).nonce),
            "deadline": str(chain_time(self.ledger) + self.valid_s),
        }
        return build("CallBatch", mandate.address, self.record.chain_id, texts, account)

    def _administrator(self) -> Mandate:
        """Find the mandate that holds the administrator's role."""
        for address in self.ledger.deployment.mandates.values():
            if self.ledger.access_manager.has_role(ADMIN_ROLE, address):
                return Mandate(self.ledger.client, address)
        raise ConflictLedgerError(
            "No mandate of the deployment file holds the administrator's role; get the "
            "present deployment file."
        )

    def _required_sender(self) -> Sender:
        if self.sender is None:
            raise InvalidConfigError(
                f"This step needs the key of the deployer {self.record.deployer}; it "
                "is with who began the upgrade: let them run it."
            )
        return self.sender


def wait_settled(
    client: ChainClient, deployer: str, within_s: float = _SETTLE_S
) -> None:
    """Wait until every transaction of the deployer is in a block.

    A run that was killed may have sent one; only behind it does the chain say what is
    missing.

    Args:
        client: The chain.
        deployer: Its address.
        within_s: How long to wait. [s]

    Raises:
        UnavailableEngineError: One is in no block by then.
    """
    give_up = time.monotonic() + within_s
    while True:
        sent = client.transaction_count(deployer, "pending")
        mined = client.transaction_count(deployer)
        if sent <= mined:
            return
        if time.monotonic() > give_up:
            raise UnavailableEngineError(
                f"The deployer {deployer} has sent {sent} transactions, {mined} are in "
                "a block: see that the chain makes blocks, then run this again."
            )
        time.sleep(0.2)


def _read(path: Path) -> Instruction | None:
    """Read an instruction file, None where there is no usable one."""
    try:
        return from_json(path.read_text("utf-8"))
    except (OSError, ValueError, InvalidInstructionError):
        return None
