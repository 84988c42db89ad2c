"""How a new edition of a contract takes over from the one in office.

Three contracts can be renewed while the ledger goes on, since nothing that must not
change depends on their addresses (``docs/adr/0008``):

    CarbonCodes   hands its certificates over: retire, then adopt, in bounded steps
    Market        is wired anew; the regulator sets its prices and halts again
    Rulebook      the regulator sets its whole history again; the market comes with it

Everything here only proposes calls: what the administrator has to announce and make,
what the regulator has to repeat, what anybody may carry, and what must be equal in the
end. Each list holds only what is still missing on the chain, so asking again is going
on. The old contract cannot act from the moment the new one is in office.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from contracts.bindings.access_manager import REGULATOR_ROLE
from contracts.bindings.carbon_codes import MAX_ADOPTED, CarbonCodes
from contracts.bindings.contract import Contract
from contracts.bindings.market import Market
from contracts.bindings.rulebook import Rule, Rulebook, rule_name
from contracts.calls import UnsignedCall
from contracts.creation import NEEDS
from contracts.deployment import GOVERNED
from contracts.directory import CONTRACTS
from contracts.errors import InvalidInputError
from contracts.event_types import (
    CodeAdopted,
    CodeIssued,
    Halted,
    ReferencePriceSet,
    RuleSet,
    WorkingDaysSet,
)
from contracts.events import decode
from contracts.ledger import Ledger

__all__ = [
    "RENEWABLE",
    "Change",
    "appointments",
    "differences",
    "renewed_with",
    "to_carry",
    "to_repeat",
]


@dataclass(frozen=True, slots=True)
class Change:
    """One contract makes room for its next edition."""

    name: str
    old: str
    """Address of the one in office before."""
    new: str
    """Address of the next one."""
    code_digest: bytes
    """keccak256 of the next one's code, 32 bytes."""


@dataclass(frozen=True, slots=True)
class _Way:
    """How one contract is renewed."""

    wiring: Callable[[Ledger, Change], Iterator[UnsignedCall]]
    """What the administrator calls beside directory and roles."""
    repeating: Callable[[Ledger, Change], Iterator[UnsignedCall]]
    """What the regulator must set again, as far as it is missing."""
    carrying: Callable[[Ledger, Change], Iterator[UnsignedCall]]
    """What anybody may carry, as far as it is missing."""
    comparing: Callable[[Ledger, Change], Iterator[str]]
    """What is not equal though it must be, in words."""


def renewed_with(name: str) -> tuple[str, ...]:
    """Name the contracts that get a new edition when one does.

    Args:
        name: The contract.

    Returns:
        It, and those whose constructor takes it, in the order of their creation.

    Raises:
        InvalidInputError: One of them stays for the life of the ledger.
    """
    renewed = {name}
    for other in CONTRACTS:
        if renewed & {*NEEDS.get(other, ())}:
            renewed.add(other)
    if fixed := [one for one in CONTRACTS if one in renewed - {*RENEWABLE}]:
        message = (
            f"{name} cannot be renewed, since {fixed[0]} stays for the life of the "
            "ledger: move the ledger instead, with carbon-node export and import"
        )
        raise InvalidInputError(message, name=name)
    if name not in CONTRACTS:
        message = f"expected one of {', '.join(RENEWABLE)}, got {name!r}"
        raise InvalidInputError(message, name=name)
    return tuple(one for one in CONTRACTS if one in renewed)


def appointments(ledger: Ledger, change: Change) -> list[UnsignedCall]:
    """Give the administrator's calls that bring a contract into office.

    Args:
        ledger: The contracts as they are before.
        change: What is renewed.

    Returns:
        Calls that belong into one batch, so that there is no time between.
    """
    manager = ledger.access_manager
    functions = GOVERNED[REGULATOR_ROLE][change.name]
    selectors = [function.selector for function in functions]
    label = rule_name(change.name)
    return [
        ledger.directory.set(label, change.new, change.code_digest),
        manager.set_target_function_role(change.new, selectors, REGULATOR_ROLE),
        *RENEWABLE[change.name].wiring(ledger, change),
        manager.set_target_closed(change.old, True),
    ]


def to_repeat(ledger: Ledger, change: Change) -> list[UnsignedCall]:
    """Give the regulator's calls that are still missing at the new contract."""
    return [*RENEWABLE[change.name].repeating(ledger, change)]


def to_carry(ledger: Ledger, change: Change) -> list[UnsignedCall]:
    """Give the calls still missing that anybody may carry, each of bounded gas."""
    return [*RENEWABLE[change.name].carrying(ledger, change)]


def differences(ledger: Ledger, change: Change) -> list[str]:
    """Hold the new contract against the old one.

    Args:
        ledger: The contracts.
        change: What was renewed.

    Returns:
        What differs, in words; empty when nothing does.
    """
    return [*RENEWABLE[change.name].comparing(ledger, change)]


def _nothing(_ledger: Ledger, _change: Change) -> Iterator[UnsignedCall]:
    yield from ()


def _said(ledger: Ledger, contract: Contract, *kinds: type) -> Iterator[object]:
    """Read what a contract said, oldest first."""
    first, last = ledger.deployment.genesis_block, ledger.client.block_number()
    for log in ledger.client.logs(first, last, [contract.address]):
        event = decode(log)
        if isinstance(event, kinds):
            yield event


# --- certificates -------------------------------------------------------------------


def _codes(ledger: Ledger, change: Change) -> tuple[CarbonCodes, CarbonCodes]:
    client = ledger.client
    return CarbonCodes(client, change.old), CarbonCodes(client, change.new)


def _wire_codes(ledger: Ledger, change: Change) -> Iterator[UnsignedCall]:
    old, new = _codes(ledger, change)
    yield ledger.accounts.set_authoriser(new.address, True)
    yield ledger.accounts.set_authoriser(old.address, False)
    yield old.retire(new.address)


def _tokens(ledger: Ledger, contract: CarbonCodes) -> list[int]:
    """Give every certificate of a contract, issued or taken over there."""
    found = _said(ledger, contract, CodeIssued, CodeAdopted)
    return [event.token_id for event in found]  # type: ignore[attr-defined]  # both kinds have it


def _carry_codes(ledger: Ledger, change: Change) -> Iterator[UnsignedCall]:
    old, new = _codes(ledger, change)
    if new.is_complete():
        return
    here = {*_tokens(ledger, new)}
    missing = [token for token in _tokens(ledger, old) if token not in here]
    # A predecessor without certificates is complete with an empty step.
    for start in range(0, max(1, len(missing)), MAX_ADOPTED):
        yield new.adopt(missing[start : start + MAX_ADOPTED])


def _compare_codes(ledger: Ledger, change: Change) -> Iterator[str]:
    old, new = _codes(ledger, change)
    if not new.is_complete():
        yield f"{new.total()} of {old.total()} certificates are at the new contract"
    for token in _tokens(ledger, old):
        code = old.code_of(token)
        looks = (
            (code, new.code_of(token)),
            (old.owner_of(token), new.owner_of(token)),
            (old.live_code(code.statement), new.live_code(code.statement)),
        )
        for before, after in looks:
            if before != after:
                yield f"certificate {token:#066x}: {before} before, {after} after"


# --- market -------------------------------------------------------------------------


def _markets(ledger: Ledger, change: Change) -> tuple[Market, Market]:
    client = ledger.client
    return Market(client, change.old), Market(client, change.new)


def _wire_market(ledger: Ledger, change: Change) -> Iterator[UnsignedCall]:
    yield ledger.accounts.set_authoriser(change.new, True)
    yield ledger.accounts.set_authoriser(change.old, False)
    yield ledger.quota.set_market(change.new)
    yield ledger.cash.set_market(change.new)


def _vintages(ledger: Ledger, market: Market) -> list[int]:
    found = _said(ledger, market, ReferencePriceSet, Halted)
    return sorted({event.vintage for event in found})  # type: ignore[attr-defined]  # both kinds have it


def _repeat_market(ledger: Ledger, change: Change) -> Iterator[UnsignedCall]:
    old, new = _markets(ledger, change)
    for vintage in _vintages(ledger, old):
        price = old.reference_price(vintage) if vintage else 0
        if price and new.reference_price(vintage) != price:
            yield new.set_reference_price(vintage, price)
    # Halts come last: a halt of all vintages reaches those that have a price.
    for vintage in _vintages(ledger, old):
        if new.is_halted(vintage) != old.is_halted(vintage):
            yield new.halt(vintage, old.is_halted(vintage))


def _compare_market(ledger: Ledger, change: Change) -> Iterator[str]:
    old, new = _markets(ledger, change)
    for vintage in _vintages(ledger, old):
        before = (old.reference_price(vintage), old.is_halted(vintage))
        after = (new.reference_price(vintage), new.is_halted(vintage))
        if before != after:
            yield f"market, vintage {vintage}: {before} before, {after} after"


# --- rulebook -----------------------------------------------------------------------


def _books(ledger: Ledger, change: Change) -> tuple[Rulebook, Rulebook]:
    client = ledger.client
    return Rulebook(client, change.old), Rulebook(client, change.new)


def _rules(ledger: Ledger, book: Rulebook) -> list[Rule]:
    """Give every value that was ever set, in the order of setting."""
    return [
        Rule(
            event.name.rstrip(b"\0").decode("ascii"),
            event.from_,
            event.value,
            event.article,
            event.article_digest,
        )
        for event in _said(ledger, book, RuleSet)
        if isinstance(event, RuleSet)
    ]


def _years(ledger: Ledger, book: Rulebook) -> Mapping[int, tuple[int, int]]:
    """Give the working days of each year as they were set last."""
    return {
        event.year: event.bitmap
        for event in _said(ledger, book, WorkingDaysSet)
        if isinstance(event, WorkingDaysSet)
    }


def _repeat_rulebook(ledger: Ledger, change: Change) -> Iterator[UnsignedCall]:
    old, new = _books(ledger, change)
    done = _rules(ledger, new)
    yield from (new.set(rule) for rule in _rules(ledger, old) if rule not in done)
    set_already = _years(ledger, new)
    for year, bitmap in _years(ledger, old).items():
        if set_already.get(year) != bitmap:
            yield new.set_working_days(year, bitmap)


def _compare_rulebook(ledger: Ledger, change: Change) -> Iterator[str]:
    old, new = _books(ledger, change)
    before, after = _rules(ledger, old), _rules(ledger, new)
    for rule in before:
        if rule not in after:
            yield f"rule {rule.name} from {rule.start}: not in the new rulebook"
        elif old.value_at(rule.name, rule.start) != new.value_at(rule.name, rule.start):
            yield f"rule {rule.name} from {rule.start}: another value"
    if dict(_years(ledger, old)) != dict(_years(ledger, new)):
        yield "the working days of some years differ"


RENEWABLE: dict[str, _Way] = {
    "CarbonCodes": _Way(_wire_codes, _nothing, _carry_codes, _compare_codes),
    "Market": _Way(_wire_market, _repeat_market, _nothing, _compare_market),
    "Rulebook": _Way(_nothing, _repeat_rulebook, _nothing, _compare_rulebook),
}
"""Contract → the way it is renewed; all others stay for the life of the ledger."""
