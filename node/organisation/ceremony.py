"""The ceremonies: what must be signed by whom, and how far it has come.

Onboarding                                    Removal

 1 account and oracle member                   1 permissions without it
   (regulator's mandate, two signatures)         (quorum of the organisations)
 2 permissions with it                         2 oracle member and account's status
   (quorum of the organisations)                 (regulator's mandate)
 3 gas for its senders, where it costs         3 its carriers (identity platform's)

Rules it keeps: every step is looked up on the chain and in the folder before anything
is written, so a run can break off anywhere and be repeated; a call is tried on the
chain's state before it is put before anybody; nothing is sent that is not fully signed;
a file with signatures is replaced only when what it asks for is done or out of date.
"""

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from contracts.bindings.access_manager import IDENTITY_ROLE, REGULATOR_ROLE
from contracts.calls import UnsignedCall
from contracts.enumerations import CarrierStatus, Kind
from contracts.errors import ContractsError, UnavailableError
from contracts.ledger import Ledger
from contracts.structs import CallBatch, Member
from contracts.typed_data import account_id
from node.errors import InvalidRequestError, UnavailableEngineError
from node.gate.ballots import PermissionFolder, file_names
from node.gate.drafting import propose
from node.gate.permissions import Organisation
from node.organisation.carrying import Carrying
from node.organisation.plan import OnboardingPlan, RemovalPlan
from node.services.checks import chain_time, check_rights
from node.services.relay import call_of
from wallet.desk import read_file, write_file
from wallet.instructions import Instruction

__all__ = ["Ceremony", "Step", "folder_name"]

logger = logging.getLogger(__name__)

VALID_S = 7 * 86_400
"""How long institutions have to sign. [s]"""

_CALLS_A_FILE = 32
"""Most calls that a mandate takes at once."""

State = Literal["done", "open"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a ceremony."""

    what: str
    """What it does, in words."""
    state: State
    waits_for: str = ""
    """Whose signatures are missing."""
    file: Path | None = None
    """What they sign."""


class Ceremony:
    """Moves ceremonies of one ledger on.

    Args:
        ledger: The chain's contracts.
        folder: Where the files to sign are.
        permissions: The permissions' versions, None where no gate asks for them.
        carrying: Carries what is fully signed into blocks.
    """

    def __init__(
        self,
        ledger: Ledger,
        folder: Path,
        permissions: PermissionFolder | None,
        carrying: Carrying,
    ) -> None:
        self._ledger = ledger
        self._folder = folder
        self._permissions = permissions
        self._carrying = carrying

    def onboard(self, plan: OnboardingPlan) -> list[Step]:
        """Take an organisation in, as far as it is signed.

        Args:
            plan: What it is to have.

        Returns:
            Every step, and whom it waits for.

        Raises:
            InvalidRequestError: If the contracts would refuse a step.
            NodeError: If a file or the chain cannot be used.
        """
        opening, joining = self._opening(plan), self._joining(plan)
        what = f"open the account of {plan.name}"
        if plan.member_key and joining and not opening:
            what = f"make {plan.member_key} the oracle's member of {plan.name}"
        elif plan.member_key:
            what += f" and make {plan.member_key} a member of the oracle"
        calls = [*opening, *joining]
        opened = self._mandate_step(REGULATOR_ROLE, "regulator", what, calls)
        permitted = self._permission_step(plan.name, plan.permitted)
        if opened.state == "open":
            return [opened, permitted]
        return [opened, permitted, *self._gas_steps(plan)]

    def remove(self, plan: RemovalPlan) -> list[Step]:
        """Let an organisation go, as far as it is signed.

        Args:
            plan: What it is to lose.

        Returns:
            Every step, and whom it waits for.

        Raises:
            InvalidRequestError: If the contracts would refuse a step, or it holds a
                role that others would have to take over first.
            NodeError: If a file or the chain cannot be used.
        """
        self._require_removable(plan)
        steps = [self._permission_step(plan.name, None)]
        calls = [*self._leaving(plan), *self._closing(plan)]
        what = f"take {plan.name} out of the oracle, set its account {_word(plan)}"
        steps.append(self._mandate_step(REGULATOR_ROLE, "regulator", what, calls))
        return [*steps, *self._carrier_steps(plan)]

    # --- calls that the chain still lacks --------------------------------------------

    def _opening(self, plan: OnboardingPlan) -> list[UnsignedCall]:
        book = self._ledger.accounts
        found = book.account_of(plan.account).kind
        if found is Kind.NONE:
            people = plan.representatives
            return [book.open(plan.account, plan.name, plan.kind, people)]
        if found is not plan.kind:
            raise InvalidRequestError(
                f"Account {plan.name} is of kind {found.name.lower()}, the plan says "
                f"{plan.kind.name.lower()}; a kind cannot change, correct the plan."
            )
        return []

    def _joining(self, plan: OnboardingPlan) -> list[UnsignedCall]:
        if plan.member_key is None:
            return []
        members = self._ledger.anchor.configuration().members
        if any(one.key.lower() == plan.member_key.lower() for one in members):
            return []
        added = Member(plan.member_key, plan.account, plan.kind)
        # A new key takes the place of the organisation's old one, which may be lost:
        # beside it, it would raise the quorum by a member that never signs.
        places = [one.organisation for one in members]
        if plan.account in places:
            at = places.index(plan.account)
            together = (*members[:at], added, *members[at + 1 :])
        else:
            together = (*members, added)
        return [self._configure(together, plan.threshold)]

    def _leaving(self, plan: RemovalPlan) -> list[UnsignedCall]:
        members = self._ledger.anchor.configuration().members
        left = tuple(one for one in members if one.organisation != plan.account)
        if left == members:
            return []
        return [self._configure(left, plan.threshold)]

    def _configure(
        self, members: Sequence[Member], threshold: int | None
    ) -> UnsignedCall:
        least = 2 * len(members) // 3 + 1
        return self._ledger.anchor.configure(tuple(members), threshold or least)

    def _closing(self, plan: RemovalPlan) -> list[UnsignedCall]:
        book = self._ledger.accounts
        if book.account_of(plan.account).status is plan.status:
            return []
        return [book.set_status(plan.account, plan.status, plan.reason)]

    def _require_removable(self, plan: RemovalPlan) -> None:
        if self._ledger.accounts.account_of(plan.account).kind is Kind.NONE:
            raise InvalidRequestError(
                f"The ledger has no account of {plan.name!r}; give its registered name."
            )
        for role, title in ((REGULATOR_ROLE, "regulator"), (IDENTITY_ROLE, "identity")):
            if self._holder(role, title)[0] == plan.name:
                raise InvalidRequestError(
                    f"{plan.name} holds the role of {title}; its administrator gives "
                    "the role to another mandate first, see docs/permissioning.md."
                )

    # --- steps ------------------------------------------------------------------------

    def _mandate_step(
        self, role: int, title: str, what: str, calls: Sequence[UnsignedCall]
    ) -> Step:
        path = self._folder / f"{title}.json"
        if not calls:
            return Step(what, "done")
        institution, mandate = self._holder(role, title)
        self._try(calls, mandate)
        instruction = self._prepared(path, institution, mandate, calls)
        if instruction.missing:
            parts = " and ".join(part for _, part in instruction.missing)
            return Step(what, "open", f"{institution} ({parts})", path)
        check_rights(instruction, self._ledger)
        self._carry(instruction)
        return Step(what, "done", file=path)

    def _gas_steps(self, plan: OnboardingPlan) -> list[Step]:
        """Give its senders what their transactions cost, once its account is open."""
        carrying, permitted = self._carrying, plan.permitted
        senders = sorted(permitted.senders | permitted.deployers)
        addresses = [f"0x{sender.hex()}" for sender in senders]
        needy = [one for one in addresses if carrying.lacks_gas(one)]
        if not needy:
            return []
        what = f"gas for {', '.join(needy)}"
        for address in needy:
            if not carrying.can_give():
                funds = f"funds of the relayer {carrying.address}, which pays it"
                return [Step(what, "open", funds)]
            with _translated("The chain did not carry gas over"):
                carrying.give_gas(address)
        return [Step(what, "done")]

    def _carrier_steps(self, plan: RemovalPlan) -> list[Step]:
        """Revoke its carriers at the cut-offs that were given, 32 in a file."""
        what = f"revoke the carriers of {plan.name}"
        if missing := sorted(set(plan.carriers.values()) - set(plan.cutoffs)):
            waits_for = f"--cutoff IDENTIFIER=SEQ for {', '.join(missing)}"
            return [Step(what, "open", waits_for)]
        book = self._ledger.carriers
        calls = [
            book.set_status(id_hash, CarrierStatus.REVOKED, plan.cutoffs[identifier])
            for id_hash, identifier in sorted(plan.carriers.items())
        ]
        some = calls[:_CALLS_A_FILE]
        step = self._mandate_step(IDENTITY_ROLE, "identity", what, some)
        if step.state == "done" and len(calls) > len(some):
            return [step, Step(what, "open", "run the command again for the rest")]
        return [step]

    def _permission_step(self, name: str, wanted: Organisation | None) -> Step:
        """Propose permissions in which an organisation stands as wanted, or not."""
        what = f"permissions {'with' if wanted else 'without'} {name}"
        folder = self._permissions
        if folder is None:
            return Step(f"{what}: this node's gate has none", "done")
        present = folder.in_force()
        now = [one for one in present.organisations if one.name == name]
        if now == ([wanted] if wanted else []):
            return Step(f"{what}: version {present.version}", "done")
        others = [one for one in present.organisations if one.name != name]
        proposed = propose(folder, [*others, *([wanted] if wanted else [])])
        ballot = folder.ballot(present)
        if ballot is None or ballot.is_carried:
            return Step(f"{what}: version {proposed.version}", "done")
        more = ballot.quorum - len(ballot.agreed)
        waits_for = f"{more} more of {', '.join(ballot.open)} (two signatures each)"
        path = folder.folder / file_names(proposed.version)[0]
        return Step(f"{what}: version {proposed.version}", "open", waits_for, path)

    # --- instructions -----------------------------------------------------------------

    def _holder(self, role: int, title: str) -> tuple[str, str]:
        """Find the institution that holds a role, and its mandate."""
        manager = self._ledger.access_manager
        for name, mandate in self._ledger.deployment.mandates.items():
            if manager.has_role(role, mandate):
                return name, mandate
        raise InvalidRequestError(
            f"No mandate of the deployment file holds the role of {title}; take the "
            "newest deployment file."
        )

    def _try(self, calls: Sequence[UnsignedCall], mandate: str) -> None:
        """Run each call on the newest state, so that nobody signs in vain."""
        for call in calls:
            with _translated("The contracts would refuse this step"):
                self._ledger.client.call(str(call.to), call.data, sender=mandate)

    def _prepared(
        self, path: Path, institution: str, mandate: str, calls: Sequence[UnsignedCall]
    ) -> Instruction:
        """Take up the file that is there, or write a new one."""
        account = account_id(institution)
        now = chain_time(self._ledger)
        batch = CallBatch(
            tuple(str(call.to) for call in calls),
            tuple(call.data for call in calls),
            self._ledger.accounts.account_of(account).nonce,
            now + VALID_S,
        )
        wanted = Instruction(
            "CallBatch",
            mandate,
            self._ledger.deployment.chain_id,
            (account,),
            batch,
        )
        if path.exists():
            found = read_file(path)
            if _is_same(found, wanted) and found.deadline >= now:
                return found
            logger.warning("instruction out of date, prepared anew file=%s", path)
        self._folder.mkdir(parents=True, exist_ok=True)
        write_file(path, wanted)
        return wanted

    def _carry(self, instruction: Instruction) -> None:
        with _translated("The contracts refused the signed instruction"):
            self._carrying.send(call_of(instruction))


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """Say errors of the chain as the node does."""
    try:
        yield
    except UnavailableError as exc:
        raise UnavailableEngineError(str(exc)) from exc
    except ContractsError as exc:
        raise InvalidRequestError(
            f"{what} ({exc}); correct the plan, or run the command again."
        ) from exc


def folder_name(name: str) -> str:
    """Give the folder of an organisation's ceremony a plain name."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "organisation"


def _is_same(found: Instruction, wanted: Instruction) -> bool:
    """Tell whether a file asks for the same calls under the same number."""
    same = ("kind", "contract", "chain_id", "parties")
    return all(getattr(found, name) == getattr(wanted, name) for name in same) and (
        (found.message.targets, found.message.data, found.message.nonce)
        == (wanted.message.targets, wanted.message.data, wanted.message.nonce)
    )


def _word(plan: RemovalPlan) -> str:
    return plan.status.name.lower()
