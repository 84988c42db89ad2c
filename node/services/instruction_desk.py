"""Instructions that wait for a second person, and their way to the chain.

    created ──► pending ──► sending ──► sent ──► executed      (as the chain says)
                   ▲           └──► refused ─┐
                   └─────────── try again ───┘

Rules: nothing is kept that fails ``checks``; a row says *sending* on disk before the
transaction leaves, and the chain's instruction number makes a second sending harmless;
whether it was executed is read from the chain's own record.
"""

from typing import Any

from sqlalchemy import Connection, select, update

from contracts.errors import ContractsError, UnavailableError
from contracts.ledger import Ledger
from contracts.sender import Sender
from node.errors import (
    ConflictInstructionError,
    InvalidAccessError,
    InvalidReferenceError,
    StaleInstructionError,
)
from node.services.caller import Caller
from node.services.checks import chain_time, check_instruction
from node.services.pending import (
    Waiting,
    keep,
    keep_signatures,
    make_room,
    waiting_of,
)
from node.services.relay import call_of
from node.store.database import Database
from node.store.desk import PendingInstruction, PendingParty
from node.store.facts import AuthorisedInstruction
from node.store.read import rows
from wallet.instruction_file import from_json
from wallet.instructions import Instruction

__all__ = ["InstructionDesk"]


class InstructionDesk:
    """Keeps instructions until they are done.

    Args:
        database: Where they are kept.
        ledger: The chain's contracts.
        sender: Carries them; holds a transport key only.
    """

    def __init__(self, database: Database, ledger: Ledger, sender: Sender) -> None:
        self._database = database
        self._ledger = ledger
        self._sender = sender

    def bring(self, caller: Caller, document: object) -> Waiting:
        """Take in an instruction, or more signatures for a known one.

        Args:
            caller: Represents one of its parties.
            document: The instruction's file.

        Returns:
            The instruction as it now waits.

        Raises:
            NodeError: If a check fails; nothing is kept then.
            WalletError: If the file is malformed or its signatures contradict.
        """
        instruction = from_json(document)
        self._require_party(caller, instruction)
        if not instruction.signatures:
            raise ConflictInstructionError(
                "The instruction is signed by nobody, expected one representative at "
                "least; sign it first with: carbon-wallet instruction sign FILE"
            )
        check_instruction(instruction, self._ledger)
        now = chain_time(self._ledger)
        with self._database.begin() as connection:
            known = self._known(connection, instruction.digest)
            if known is None:
                make_room(connection, str(caller.address), now)
                keep(connection, instruction, str(caller.address), now)
            keep_signatures(connection, known, instruction)
        return self.find(caller, instruction.digest)

    def find(self, caller: Caller, digest: bytes) -> Waiting:
        """Look up an instruction.

        Args:
            caller: Represents one of its parties, or sees all.
            digest: What is signed, 32 bytes.

        Returns:
            The instruction.

        Raises:
            InvalidReferenceError: If it is not here, or not for the caller.
        """
        with self._database.reading() as connection:
            found = self._list(connection, PendingInstruction.digest == digest)
        if not found or not _may_see(caller, found[0].instruction):
            raise InvalidReferenceError(
                f"There is no instruction 0x{digest.hex()} for you at this node."
            )
        return found[0]

    def inbox(self, caller: Caller) -> list[Waiting]:
        """List what waits for the caller's accounts, the newest first."""
        scope = [part.account for part in caller.represents]
        mine = select(PendingParty.digest).where(PendingParty.account.in_(scope))
        with self._database.reading() as connection:
            found = self._list(connection, PendingInstruction.digest.in_(mine))
        return [one for one in found if one.status in {"pending", "refused"}]

    def submit(self, caller: Caller, digest: bytes) -> Waiting:
        """Carry a fully signed instruction to the chain.

        Args:
            caller: Represents one of its parties.
            digest: What was signed, 32 bytes.

        Returns:
            The instruction, sent.

        Raises:
            ConflictInstructionError: If signatures are missing or it was executed.
            StaleInstructionError: If its time or number has passed.
            ContractsError: If the chain refuses it, by the contract's own reason.
        """
        waiting = self.find(caller, digest)
        instruction = waiting.instruction
        self._require_party(caller, instruction)
        _check_ready(waiting)
        self._check_unsent(waiting)
        self._mark(digest, "sending")
        try:
            receipt = self._sender.send(call_of(instruction))
        except UnavailableError:
            raise
        except ContractsError as exc:
            self._mark(digest, "refused", reason=str(exc))
            raise
        self._mark(digest, "sent", tx_hash=receipt.tx_hash)
        return self.find(caller, digest)

    def _check_unsent(self, waiting: Waiting) -> None:
        """Check against the chain; what was on its way before may have arrived."""
        try:
            check_instruction(waiting.instruction, self._ledger)
        except StaleInstructionError as exc:
            if waiting.status != "sending":
                raise
            raise ConflictInstructionError(
                "The instruction was on its way to the chain when this node stopped; "
                "look again when the index has caught up, before building another: it "
                "says executed if it arrived."
            ) from exc

    def _mark(self, digest: bytes, status: str, **columns: Any) -> None:
        row = {"reason": None, **columns, "status": status}
        with self._database.begin() as connection:
            connection.execute(
                update(PendingInstruction)
                .where(PendingInstruction.digest == digest)
                .values(row)
            )

    def _known(self, connection: Connection, digest: bytes) -> Instruction | None:
        found = self._list(connection, PendingInstruction.digest == digest)
        return found[0].instruction if found else None

    def _list(self, connection: Connection, which: Any) -> list[Waiting]:
        executed = select(AuthorisedInstruction.digest)
        query = (
            select(
                PendingInstruction.__table__,
                PendingInstruction.digest.in_(executed).label("is_executed"),
            )
            .where(which)
            .order_by(PendingInstruction.created_at.desc(), PendingInstruction.digest)
        )
        found = rows(connection, query)
        now = chain_time(self._ledger) if found else 0
        return [waiting_of(connection, row, now) for row in found]

    def _require_party(self, caller: Caller, instruction: Instruction) -> None:
        mine = {part.account for part in caller.represents}
        if mine.isdisjoint(instruction.parties):
            raise InvalidAccessError(
                f"Key {caller.address} represents none of the parties "
                f"{', '.join(instruction.parties)}; log in as one of their "
                "representatives."
            )


def _may_see(caller: Caller, instruction: Instruction) -> bool:
    return caller.scope is None or not caller.scope.isdisjoint(instruction.parties)


def _check_ready(waiting: Waiting) -> None:
    if waiting.status in {"executed", "sent"}:
        raise ConflictInstructionError(
            "The instruction was carried to the chain already; nothing is left to do."
        )
    missing = waiting.instruction.missing
    if missing:
        parts = ", ".join(f"{account} to {role}" for account, role in missing)
        have = len(waiting.instruction.signatures)
        raise ConflictInstructionError(
            f"The instruction has {have} of {have + len(missing)} signatures; still "
            f"to sign: {parts}."
        )
