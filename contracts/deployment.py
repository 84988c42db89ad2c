"""Deploys a ledger: contracts, roles, organisations, members, rules, hand-over.

The order, each step only where the chain does not show it yet, so that a broken run is
taken up by running it again with the same plan:

 1. contracts and the institutions' mandates (``creation``)
 2. roles: which role may call which governed function; the deployer acts as regulator
 3. wiring: who may take instructions, who settles, names in the directory
 4. organisations, rules, working days, members of the oracle, streams
 5. hand-over: the regulator's mandate becomes administrator, the deployer gives up all

After the hand-over the deployer can do nothing more; what a changed plan adds is then
the regulator's to do. As administrator (directory, who takes instructions, who settles,
roles, another account's representatives) it has to announce every call and to wait the
plan's delay; what its own role and the identity platform's may call, they call at once.
"""

from collections.abc import Iterator
from datetime import datetime

from contracts.bindings import (
    accounts,
    carbon_codes,
    carriers,
    emission_ledger,
    market,
    reading_anchor,
    rulebook,
)
from contracts.bindings.access_manager import (
    ADMIN_ROLE,
    IDENTITY_ROLE,
    REGULATOR_ROLE,
)
from contracts.calls import Function, UnsignedCall
from contracts.chain import ChainClient
from contracts.creation import create_contracts
from contracts.directory import Deployment
from contracts.enumerations import Kind
from contracts.errors import (
    ConflictError,
    DirectoryNameUnknownError,
    RulebookNoCalendarError,
    RulebookNoValueError,
)
from contracts.hashing import keccak256
from contracts.ledger import Ledger
from contracts.plan import DeploymentPlan, Organisation, Stream
from contracts.rules import LOCAL, working_days
from contracts.sender import Sender
from contracts.typed_data import stream_id

__all__ = ["DeploymentPlan", "Organisation", "Stream", "deploy"]

GOVERNED: dict[int, dict[str, tuple[Function, ...]]] = {
    REGULATOR_ROLE: {
        "Accounts": (accounts.OPEN, accounts.SET_STATUS),
        "Rulebook": (rulebook.SET, rulebook.SET_WORKING_DAYS),
        "ReadingAnchor": (reading_anchor.CONFIGURE, reading_anchor.OPEN_STREAM),
        "EmissionLedger": (emission_ledger.REGISTER_BOUNDARY,),
        "CarbonCodes": (carbon_codes.REVOKE,),
        "Market": (market.SET_REFERENCE_PRICE, market.HALT),
    },
    IDENTITY_ROLE: {
        "Carriers": (
            carriers.REGISTER,
            carriers.ROTATE_BY_AUTHORITY,
            carriers.SET_STATUS,
        ),
    },
}
"""Role → contract → functions it may call; all others need the administrator."""

_TAKERS = ("EmissionLedger", "CarbonCodes", "Quota", "Cash")
"""Contracts that take instructions; the market is wired apart, mandates too."""

_CALLS_A_TRANSACTION = 8
"""So that no transaction of the deployment needs more than a block holds."""


def deploy(client: ChainClient, sender: Sender, plan: DeploymentPlan) -> Deployment:
    """Deploy a ledger, or take up a deployment that broke off.

    Args:
        client: The chain.
        sender: The deployer; its key has sent nothing but this deployment.
        plan: What the ledger starts with.

    Returns:
        Where the contracts are.

    Raises:
        InvalidInputError: The plan cannot be carried out.
        ConflictError: The key was used for something else, the chain contradicts the
            plan, or the deployment is handed over and the plan asks for more.
    """
    plan.check()
    deployment = create_contracts(client, sender, plan)
    ledger = Ledger(client, deployment)
    manager = ledger.access_manager
    is_ours = manager.has_role(ADMIN_ROLE, sender.address)
    if is_ours and not manager.has_role(REGULATOR_ROLE, sender.address):
        sender.send(manager.grant_role(REGULATOR_ROLE, sender.address))
    for missing in (_roles, _wiring, _names, _organisations, _rules, _oracle):
        calls = list(missing(ledger, plan))
        if calls and not is_ours:
            raise _handed_over(len(calls))
        _run(sender, ledger, calls)
    if is_ours:
        sender.send(_hand_over(ledger, plan, sender.address))
    return deployment


def _run(sender: Sender, ledger: Ledger, calls: list[UnsignedCall]) -> None:
    for start in range(0, len(calls), _CALLS_A_TRANSACTION):
        some = calls[start : start + _CALLS_A_TRANSACTION]
        sender.send(ledger.access_manager.multicall(some))


def _handed_over(missing: int) -> ConflictError:
    message = (
        f"the ledger is handed over to the regulator, yet {missing} parts of the plan "
        "are missing: let the regulator add them through its mandate"
    )
    return ConflictError(message, missing=missing)


# --- steps: the calls of the access manager that are still missing ------------------


def _roles(ledger: Ledger, _plan: DeploymentPlan) -> Iterator[UnsignedCall]:
    """Step 2: which role may call what."""
    manager = ledger.access_manager
    for role, contracts in GOVERNED.items():
        for name, functions in contracts.items():
            target = ledger.deployment.addresses[name]
            selectors = [function.selector for function in functions]
            found = {manager.target_function_role(target, s) for s in selectors}
            if found != {role}:
                yield manager.set_target_function_role(target, selectors, role)


def _wiring(ledger: Ledger, _plan: DeploymentPlan) -> Iterator[UnsignedCall]:
    """Step 3: who may take instructions, who settles."""
    manager, book = ledger.access_manager, ledger.accounts
    takers = [ledger.deployment.addresses[name] for name in _TAKERS]
    for taker in (*takers, *ledger.deployment.mandates.values()):
        if not book.is_authoriser(taker):
            yield manager.execute(book.set_authoriser(taker, True))
    trader = ledger.market.address
    if not book.is_authoriser(trader):
        # One call for all three: the ledger shows only whether the first was done.
        calls = (
            book.set_authoriser(trader, True),
            ledger.quota.set_market(trader),
            ledger.cash.set_market(trader),
        )
        yield manager.multicall([manager.execute(call) for call in calls])


def _names(ledger: Ledger, _plan: DeploymentPlan) -> Iterator[UnsignedCall]:
    """Step 3: names in the directory."""
    for name, address in ledger.deployment.addresses.items():
        label = rulebook.rule_name(name)
        try:
            ledger.directory.get(label)
        except DirectoryNameUnknownError:
            digest = keccak256(ledger.client.code(address))
            call = ledger.directory.set(label, address, digest)
            yield ledger.access_manager.execute(call)


def _organisations(ledger: Ledger, plan: DeploymentPlan) -> Iterator[UnsignedCall]:
    """Step 4: organisations with their representatives."""
    book = ledger.accounts
    for organisation in plan.organisations:
        account = organisation.account
        found = book.account_of(account).kind
        if found == Kind.NONE:
            call = book.open(
                account,
                organisation.name,
                organisation.kind,
                organisation.representatives,
            )
            yield ledger.access_manager.execute(call)
        elif found != organisation.kind:
            message = (
                f"the plan says that {organisation.name} is of kind "
                f"{organisation.kind.name}, the chain says {found.name}"
            )
            raise ConflictError(message, given=organisation.kind, needed=found)


def _rules(ledger: Ledger, plan: DeploymentPlan) -> Iterator[UnsignedCall]:
    """Step 4: rules and working days."""
    book, manager = ledger.rulebook, ledger.access_manager
    for rule in plan.rules:
        try:
            found = book.value_at(rule.name, rule.start)
        except RulebookNoValueError:
            yield manager.execute(book.set(rule))
            continue
        if found != rule.value:
            message = (
                f"the plan says that {rule.name} is {rule.value} at {rule.start}, "
                f"the chain says {found}"
            )
            raise ConflictError(message, given=rule.value, needed=found)
    for year in plan.years:
        new_year = int(datetime(year, 1, 1, tzinfo=LOCAL).timestamp())
        try:
            book.is_working_day(new_year)
        except RulebookNoCalendarError:
            yield manager.execute(book.set_working_days(year, working_days(year)))


def _oracle(ledger: Ledger, plan: DeploymentPlan) -> Iterator[UnsignedCall]:
    """Step 4: members and streams."""
    anchor, manager = ledger.anchor, ledger.access_manager
    if anchor.configuration().version == 0:
        yield manager.execute(anchor.configure(plan.members, plan.threshold))
    for stream in plan.streams:
        number = stream_id(stream.name)
        if anchor.max_silence_s_of(number) == 0:
            yield manager.execute(anchor.open_stream(number, stream.max_silence_s))


def _hand_over(ledger: Ledger, plan: DeploymentPlan, deployer: str) -> UnsignedCall:
    """Step 5: the institutions get their roles, the deployer keeps none."""
    manager, mandates = ledger.access_manager, ledger.deployment.mandates
    (regulator,) = plan.of_kind(Kind.REGULATOR)
    (identity,) = plan.of_kind(Kind.IDENTITY_PLATFORM)
    calls = [
        manager.grant_role(REGULATOR_ROLE, mandates[regulator.name]),
        manager.grant_role(IDENTITY_ROLE, mandates[identity.name]),
        manager.grant_role(
            ADMIN_ROLE, mandates[regulator.name], delay_s=plan.admin_delay_s
        ),
        manager.revoke_role(REGULATOR_ROLE, deployer),
        manager.renounce_role(ADMIN_ROLE, deployer),
    ]
    return manager.multicall(calls)
