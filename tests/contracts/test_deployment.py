import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from coincurve import PrivateKey

from contracts.bindings.access_manager import (
    ADMIN_ROLE,
    IDENTITY_ROLE,
    REGULATOR_ROLE,
)
from contracts.bindings.rulebook import rule_name
from contracts.calls import UnsignedCall
from contracts.chain import ChainClient
from contracts.creation import planned_addresses
from contracts.deployment import GOVERNED, Organisation, deploy
from contracts.directory import CONTRACTS, Deployment, artifact
from contracts.enumerations import AccountStatus, Kind
from contracts.errors import (
    AccessManagedUnauthorizedError,
    AccessManagerNotReadyError,
    AccessManagerNotScheduledError,
    ConflictError,
    InvalidInputError,
    UnavailableError,
)
from contracts.hashing import keccak256
from contracts.ledger import Ledger
from contracts.plan import DeploymentPlan
from contracts.sender import Sender
from contracts.typed_data import stream_id
from tests.servers.chain import funded_sender

SOURCES = Path(__file__).parents[2] / "contracts" / "src"
FOR_THE_ADMINISTRATOR = {
    ("Accounts", "setAuthoriser"),
    ("Accounts", "setRepresentative"),
    ("CarbonCodes", "retire"),
    ("Directory", "set"),
    ("Quota", "setMarket"),
    ("Cash", "setMarket"),
}


class TestDeploy:
    def test_names_every_contract_in_the_directory(self, park: Any):
        for name in CONTRACTS:
            entry = park.ledger.directory.get(rule_name(name))
            assert entry.where == park.deployment.addresses[name]
            assert entry.version == 1

    def test_knows_its_first_block(self, park: Any, client: ChainClient):
        every = [*park.deployment.addresses.values()]
        first = client.logs(0, client.block_number(), every)[0]
        assert park.deployment.genesis_block == int(first["blockNumber"], 16)

    def test_opens_every_organisation(self, park: Any, plan: DeploymentPlan):
        for organisation in plan.organisations:
            account = park.ledger.accounts.account_of(organisation.account)
            assert account.kind == organisation.kind
            assert account.status == AccountStatus.OPEN
            for person in organisation.representatives:
                rights = park.ledger.accounts.rights_of(
                    organisation.account, person.key
                )
                assert rights == person.rights

    def test_configures_members_and_stream(self, park: Any, plan: DeploymentPlan):
        configuration = park.ledger.anchor.configuration()
        assert configuration.members == plan.members
        assert configuration.threshold == plan.threshold
        assert park.ledger.anchor.max_silence_s_of(stream_id("park")) == 3600

    def test_sets_the_rules_with_their_articles(self, park: Any, plan: DeploymentPlan):
        for rule in plan.rules:
            assert park.ledger.rulebook.value_at(rule.name, rule.start) == rule.value
        rules = park.ledger.rulebook.block_rules(park.now())
        assert (rules.min_tonnes, rules.band_bps) == (100_000, 3_000)
        assert rules.working_day

    def test_hands_all_roles_to_the_institutions(self, park: Any):
        manager, mandates = park.ledger.access_manager, park.deployment.mandates
        assert manager.has_role(ADMIN_ROLE, mandates["Regulator"])
        assert manager.has_role(REGULATOR_ROLE, mandates["Regulator"])
        assert manager.has_role(IDENTITY_ROLE, mandates["Identity Platform"])
        for role in (ADMIN_ROLE, REGULATOR_ROLE, IDENTITY_ROLE):
            assert not manager.has_role(role, park.sender.address)

    def test_leaves_the_deployer_without_any_right(self, park: Any):
        with pytest.raises(AccessManagedUnauthorizedError, match="no right"):
            park.send(park.ledger.market.halt(0, True))

    def test_finds_what_is_there_on_a_second_run(
        self, park: Any, client: ChainClient, plan: DeploymentPlan
    ):
        height = client.block_number()
        again = deploy(client, Sender(client, park.sender._key), plan)
        assert again == park.deployment
        assert client.block_number() == height

    def test_refuses_to_add_to_a_ledger_that_is_handed_over(
        self, park: Any, client: ChainClient, plan: DeploymentPlan
    ):
        more = Organisation(
            "Late", Kind.ENTERPRISE, plan.organisations[0].representatives
        )
        longer = replace(plan, organisations=(*plan.organisations, more))
        with pytest.raises(ConflictError, match=r"handed over.*1 parts"):
            deploy(client, park.sender, longer)

    def test_refuses_a_key_that_was_used_before(
        self, park: Any, client: ChainClient, plan: DeploymentPlan
    ):
        sender = funded_sender(client, PrivateKey(b"\x32" * 32))
        spent = park.ledger.access_manager.renounce_role(7, sender.address)
        sender.send(spent)
        with pytest.raises(ConflictError, match="fresh key"):
            deploy(client, sender, plan)


class TestBrokenDeploy:
    @pytest.mark.parametrize("transactions", [0, 1, 7, 16, 18, 22, 26])
    def test_is_taken_up_by_a_second_run(
        self, client: ChainClient, plan: DeploymentPlan, transactions: int
    ):
        key = funded_sender(client, PrivateKey(bytes([0x41 + transactions]) * 32))._key
        with pytest.raises(UnavailableError, match="broken on purpose"):
            deploy(client, BrokenSender(client, key, transactions), plan)
        deployment = deploy(client, Sender(client, key), plan)
        ledger = Ledger(client, deployment)
        regulator = deployment.mandates["Regulator"]
        assert ledger.access_manager.has_role(ADMIN_ROLE, regulator)
        assert ledger.anchor.configuration().members == plan.members


class BrokenSender(Sender):
    """Loses the chain after some transactions."""

    def __init__(self, client: ChainClient, key: PrivateKey, transactions: int) -> None:
        super().__init__(client, key)
        self.left = transactions

    def transmit(self, call: Any) -> bytes:
        if self.left == 0:
            raise UnavailableError("broken on purpose")
        self.left -= 1
        return super().transmit(call)


@pytest.fixture
def naming(park: Any, request: pytest.FixtureRequest) -> UnsignedCall:
    """A call that needs the administrator, another one in every test."""
    label = rule_name(request.node.name[-31:])
    cash = park.ledger.cash.address
    digest = keccak256(park.client.code(cash))
    call: UnsignedCall = park.ledger.directory.set(label, cash, digest)
    return call


class TestAdminDelay:
    def test_is_two_days_where_the_plan_says_nothing(self, plan: DeploymentPlan):
        bare = DeploymentPlan(
            plan.organisations, plan.members, plan.threshold, plan.streams
        )
        assert bare.admin_delay_s == 172_800

    def test_binds_the_administrator_alone(self, park: Any, plan: DeploymentPlan):
        manager, regulator = (
            park.ledger.access_manager,
            park.deployment.mandates["Regulator"],
        )
        found = manager.membership(ADMIN_ROLE, regulator)
        assert found.execution_delay_s == plan.admin_delay_s
        assert manager.membership(REGULATOR_ROLE, regulator).execution_delay_s == 0

    def test_refuses_what_was_not_announced(self, park: Any, naming: UnsignedCall):
        with pytest.raises(AccessManagerNotScheduledError, match="not scheduled"):
            park.govern("Regulator", naming)

    def test_refuses_what_is_not_due_yet(self, park: Any, naming: UnsignedCall):
        park.govern("Regulator", park.ledger.access_manager.schedule(naming))
        with pytest.raises(AccessManagerNotReadyError):
            park.govern("Regulator", naming)

    def test_lets_an_announced_call_through_once(self, park: Any, naming: UnsignedCall):
        regulator = park.deployment.mandates["Regulator"]
        manager = park.ledger.access_manager
        park.govern("Regulator", manager.schedule(naming))
        assert manager.due_at(regulator, naming) > park.now()
        park.wait_until(manager.due_at(regulator, naming))
        park.govern("Regulator", naming)
        assert manager.due_at(regulator, naming) == 0
        with pytest.raises(AccessManagerNotScheduledError, match="not scheduled"):
            park.govern("Regulator", naming)

    def test_holds_for_roles_too(self, park: Any):
        regulator = park.deployment.mandates["Regulator"]
        manager = park.ledger.access_manager
        sooner = manager.grant_role(ADMIN_ROLE, regulator, delay_s=0)
        with pytest.raises(AccessManagerNotScheduledError, match="not scheduled"):
            park.govern("Regulator", sooner)

    def test_forgets_a_call_that_is_taken_back(self, park: Any, naming: UnsignedCall):
        regulator = park.deployment.mandates["Regulator"]
        manager = park.ledger.access_manager
        park.govern("Regulator", manager.schedule(naming))
        park.govern("Regulator", manager.cancel(regulator, naming))
        assert manager.due_at(regulator, naming) == 0

    def test_keeps_operations_immediate(self, park: Any):
        park.govern("Regulator", park.ledger.market.halt(2098, True))
        assert park.ledger.market.is_halted(2098)

    def test_fits_the_access_manager(self, plan: DeploymentPlan):
        with pytest.raises(InvalidInputError, match=r"delay of 0 to .* got -1"):
            replace(plan, admin_delay_s=-1).check()


class TestPlan:
    def test_needs_a_regulator(self, plan: DeploymentPlan):
        without = tuple(o for o in plan.organisations if o.kind != Kind.REGULATOR)
        with pytest.raises(InvalidInputError, match="exactly one regulator, got 0"):
            replace(plan, organisations=without).check()

    def test_refuses_a_repeated_name(self, plan: DeploymentPlan):
        twice = (*plan.organisations, plan.organisations[-1])
        with pytest.raises(InvalidInputError, match="repeated: \\['Glass'\\]"):
            replace(plan, organisations=twice).check()

    def test_refuses_a_member_of_nobody(self, plan: DeploymentPlan):
        stranger = replace(plan.members[0], organisation="0x" + "11" * 20)
        with pytest.raises(InvalidInputError, match="member 0 is of account"):
            replace(plan, members=(stranger, *plan.members[1:])).check()


class TestAddresses:
    def test_are_those_of_the_deployment(self, park: Any, plan: DeploymentPlan):
        addresses, mandates = planned_addresses(park.sender.address, plan)
        assert addresses == park.deployment.addresses
        assert mandates == park.deployment.mandates


class TestGovernedFunctions:
    def test_every_restricted_function_has_a_role(self):
        found = set()
        for path in SOURCES.glob("*.sol"):
            text = path.read_text("utf-8")
            for header in re.findall(r"function (\w+)\([^{]*?\brestricted\b", text):
                found.add((path.stem, header))
        governed = {
            (contract, function.signature.split("(")[0])
            for contracts in GOVERNED.values()
            for contract, functions in contracts.items()
            for function in functions
        }
        assert found == governed | FOR_THE_ADMINISTRATOR


class TestDeploymentFile:
    def test_reads_what_it_wrote(self, park: Any):
        text = park.deployment.to_json()
        assert Deployment.from_json(text) == park.deployment

    def test_refuses_another_file(self):
        with pytest.raises(InvalidInputError, match="expected a deployment file"):
            Deployment.from_json('{"name": "x"}')

    def test_refuses_an_unknown_contract(self):
        with pytest.raises(InvalidInputError, match="got 'Nothing'"):
            artifact("Nothing")

    def test_refuses_a_mandate_of_an_enterprise(self, park: Any):
        with pytest.raises(InvalidInputError, match="got 'Steel'"):
            park.ledger.mandate("Steel")
