"""One class a contract: typed reads, and unsigned calls for every write."""

from contracts.bindings.access_manager import AccessManager
from contracts.bindings.accounts import Accounts
from contracts.bindings.carbon_codes import CarbonCodes
from contracts.bindings.carriers import Carriers
from contracts.bindings.cash import Cash
from contracts.bindings.contract import Contract
from contracts.bindings.directory import Directory
from contracts.bindings.emission_ledger import EmissionLedger
from contracts.bindings.mandate import Mandate
from contracts.bindings.market import Market
from contracts.bindings.quota import Quota
from contracts.bindings.reading_anchor import ReadingAnchor
from contracts.bindings.rulebook import Rulebook

__all__ = [
    "AccessManager",
    "Accounts",
    "CarbonCodes",
    "Carriers",
    "Cash",
    "Contract",
    "Directory",
    "EmissionLedger",
    "Mandate",
    "Market",
    "Quota",
    "ReadingAnchor",
    "Rulebook",
]
