from typing import Any

import pytest

from contracts import errors, typed_data
from contracts.bindings.accounts import AUTHORISE
from contracts.enumerations import AccountStatus, Kind, Rights
from contracts.hashing import checksum_address, keccak256
from contracts.structs import (
    Call,
    CallBatch,
    ChangeRepresentative,
    Representative,
    Signatures,
)

PEOPLE = tuple(
    Representative(checksum_address(bytes([number]) * 20), rights)
    for number, rights in ((0x51, Rights.INITIATE), (0x52, Rights.APPROVE))
)
STRANGER = checksum_address(b"\x59" * 20)


class TestOpen:
    def test_opens_an_account_for_the_regulator(self, park: Any):
        account = park.account("Newcomer")
        call = park.ledger.accounts.open(account, "Newcomer", Kind.ENTERPRISE, PEOPLE)
        receipt = park.govern("Regulator", call)
        assert park.ledger.accounts.account_of(account).kind == Kind.ENTERPRISE
        opened = [
            e for e in park.events(receipt) if type(e).__name__ == "AccountOpened"
        ]
        assert [event.name for event in opened] == ["Newcomer"]

    def test_refuses_an_account_of_another_name(self, park: Any):
        call = park.ledger.accounts.open(
            park.account("One"), "Two", Kind.ENTERPRISE, PEOPLE
        )
        with pytest.raises(errors.AccountsNameMismatchError, match="derive the id"):
            park.govern("Regulator", call)

    def test_refuses_an_account_that_is_open(self, park: Any):
        call = park.ledger.accounts.open(
            park.account("Steel"), "Steel", Kind.ENTERPRISE, PEOPLE
        )
        with pytest.raises(errors.AccountsAlreadyOpenedError, match="open already"):
            park.govern("Regulator", call)

    def test_refuses_one_representative(self, park: Any):
        call = park.ledger.accounts.open(
            park.account("Lonely"), "Lonely", Kind.ENTERPRISE, PEOPLE[:1]
        )
        with pytest.raises(
            errors.AccountsTooFewRepresentativesError, match="would keep 1 rep"
        ):
            park.govern("Regulator", call)

    def test_refuses_another_institution(self, park: Any):
        call = park.ledger.accounts.open(
            park.account("Sly"), "Sly", Kind.ENTERPRISE, PEOPLE
        )
        with pytest.raises(errors.AccessManagedUnauthorizedError, match="no right"):
            park.govern("Bank", call)


class TestSetStatus:
    def test_stops_an_account_and_lets_it_go_on(self, park: Any):
        accounts, glass = park.ledger.accounts, park.account("Glass")
        reason = b"\x01" * 32
        park.govern(
            "Regulator", accounts.set_status(glass, AccountStatus.FROZEN, reason)
        )
        assert accounts.account_of(glass).status == AccountStatus.FROZEN
        order = park.order("Glass", ChangeRepresentative, STRANGER, Rights.APPROVE)
        with pytest.raises(errors.AccountsStatusMismatchError, match="is frozen"):
            park.send(accounts.change_representative(*order))
        park.govern("Regulator", accounts.set_status(glass, AccountStatus.OPEN, reason))
        assert accounts.account_of(glass).status == AccountStatus.OPEN

    def test_refuses_an_account_that_was_never_opened(self, park: Any):
        call = park.ledger.accounts.set_status(STRANGER, AccountStatus.OPEN, bytes(32))
        with pytest.raises(errors.AccountsUnknownError, match="never opened"):
            park.govern("Regulator", call)


class TestRepresentatives:
    def test_are_appointed_and_removed_by_the_regulator(self, park: Any):
        accounts, glass = park.ledger.accounts, park.account("Glass")
        key = checksum_address(b"\x61" * 20)
        for rights in (Rights.BOTH, Rights.NONE):
            call = accounts.set_representative(glass, key, rights)
            park.govern_later("Regulator", call)
            assert accounts.rights_of(glass, key) == rights

    def test_are_not_appointed_by_the_regulator_unannounced(self, park: Any):
        key = checksum_address(b"\x63" * 20)
        call = park.ledger.accounts.set_representative(
            park.account("Glass"), key, Rights.BOTH
        )
        with pytest.raises(errors.AccessManagerNotScheduledError, match="not schedul"):
            park.govern("Regulator", call)

    def test_are_changed_by_the_account_itself(self, park: Any):
        accounts, key = park.ledger.accounts, checksum_address(b"\x62" * 20)
        order = park.order("Glass", ChangeRepresentative, key, Rights.APPROVE)
        park.send(accounts.change_representative(*order))
        assert accounts.rights_of(park.account("Glass"), key) == Rights.APPROVE

    def test_of_a_verifier_represent_nobody_else(self, park: Any, plan: Any):
        auditor = next(o for o in plan.organisations if o.name == "Auditor")
        call = park.ledger.accounts.set_representative(
            park.account("Glass"), auditor.representatives[0].key, Rights.BOTH
        )
        with pytest.raises(errors.AccountsRepresentsAnotherError, match="nobody else"):
            park.govern_later("Regulator", call)


class TestAuthorisation:
    def change(self, park: Any, **changed: Any) -> ChangeRepresentative:
        values = {
            "account": park.account("Chemicals"),
            "key": STRANGER,
            "rights": Rights.APPROVE,
            "nonce": park.nonce("Chemicals"),
            "deadline": park.deadline(),
        }
        return ChangeRepresentative(**{**values, **changed})

    def send(self, park: Any, instruction: Any, signatures: Signatures) -> None:
        call = park.ledger.accounts.change_representative(instruction, signatures)
        park.send(call)

    def test_refuses_a_used_nonce(self, park: Any):
        instruction = self.change(park, nonce=99)
        signatures = park.sign("Chemicals", instruction)
        with pytest.raises(errors.AccountsNonceMismatchError, match="got 99") as caught:
            self.send(park, instruction, signatures)
        assert caught.value.needed == park.nonce("Chemicals")

    def test_refuses_a_passed_deadline(self, park: Any):
        instruction = self.change(park, deadline=park.now() - 1)
        signatures = park.sign("Chemicals", instruction)
        with pytest.raises(errors.AccountsDeadlinePassedError, match="valid until"):
            self.send(park, instruction, signatures)

    def test_refuses_one_person_twice(self, park: Any):
        instruction = self.change(park)
        first = park.sign("Chemicals", instruction).initiator
        with pytest.raises(errors.AccountsSignersEqualError, match="signed twice"):
            self.send(park, instruction, Signatures(first, first))

    def test_refuses_people_in_exchanged_roles(self, park: Any):
        instruction = self.change(park)
        good = park.sign("Chemicals", instruction)
        with pytest.raises(errors.AccountsRightMissingError, match="has rights"):
            self.send(park, instruction, Signatures(good.approver, good.initiator))

    def test_refuses_a_changed_instruction(self, park: Any):
        signatures = park.sign("Chemicals", self.change(park))
        changed = self.change(park, rights=Rights.BOTH)
        with pytest.raises(errors.AccountsRightMissingError, match="exactly this"):
            self.send(park, changed, signatures)

    def test_refuses_a_malformed_signature(self, park: Any):
        instruction = self.change(park)
        good = park.sign("Chemicals", instruction)
        broken = Signatures(b"\xff" * 64, good.approver)
        with pytest.raises(errors.AccountsSignatureInvalidError, match="malformed"):
            self.send(park, instruction, broken)

    def test_refuses_a_stranger_as_authoriser(self, park: Any):
        call = park.ledger.accounts.set_authoriser(STRANGER, True)
        with pytest.raises(errors.AccessManagedUnauthorizedError, match="no right"):
            park.govern("Bank", call)
        park.govern_later("Regulator", call)
        assert park.ledger.accounts.is_authoriser(STRANGER)


class TestMandate:
    def test_executes_one_call(self, park: Any):
        mandate = park.ledger.mandate("Regulator")
        target = park.ledger.market.halt(2099, True)
        call = Call(
            str(target.to), target.data, park.nonce("Regulator"), park.deadline()
        )
        digest = typed_data.digest(call, park.deployment.domain(mandate.address))
        signatures = park.sign_digest("Regulator", digest)
        receipt = park.send(mandate.execute(call, signatures))
        assert park.ledger.market.is_halted(2099)
        names = {type(event).__name__ for event in park.events(receipt)}
        assert {"InstructionAuthorised", "MandateExecuted", "Halted"} <= names
        assert mandate.account() == park.account("Regulator")

    @pytest.mark.parametrize(
        ("data", "error"),
        [
            (b"\x01", errors.MandateSelectorMissingError),
            (AUTHORISE.selector, errors.MandateCallRefusedError),
        ],
    )
    def test_refuses_what_it_never_does(
        self, park: Any, data: bytes, error: type[Exception]
    ):
        mandate = park.ledger.mandate("Regulator")
        where = park.ledger.accounts.address
        call = Call(where, data, park.nonce("Regulator"), park.deadline())
        digest = typed_data.digest(call, park.deployment.domain(mandate.address))
        signatures = park.sign_digest("Regulator", digest)
        with pytest.raises(error, match=r"at least 4 bytes|may not call"):
            park.send(mandate.execute(call, signatures))

    def test_refuses_an_empty_batch(self, park: Any):
        mandate = park.ledger.mandate("Regulator")
        batch = CallBatch((), (), park.nonce("Regulator"), park.deadline())
        digest = typed_data.digest(batch, park.deployment.domain(mandate.address))
        signatures = park.sign_digest("Regulator", digest)
        with pytest.raises(errors.MandateBatchInvalidError, match="got 0 targets"):
            park.send(mandate.execute_batch(batch, signatures))


class TestDirectoryAndRulebook:
    def test_directory_follows_the_administrator(self, park: Any):
        directory = park.ledger.directory
        name = b"Spare".ljust(32, b"\x00")
        cash = park.ledger.cash.address
        call = directory.set(name, cash, keccak256(park.client.code(cash)))
        park.govern_later("Regulator", call)
        assert directory.get(name).where == park.ledger.cash.address
        with pytest.raises(errors.DirectoryNotAContractError, match="without code"):
            park.govern_later("Regulator", directory.set(name, STRANGER, bytes(32)))
        other = directory.set(name, cash, b"\x01" * 32)
        with pytest.raises(errors.DirectoryCodeMismatchError, match="decide again"):
            park.govern_later("Regulator", other)
        with pytest.raises(errors.DirectoryVersionUnknownError, match="1 to 1, got 2"):
            directory.edition(name, 2)

    def test_directory_knows_no_other_name(self, park: Any):
        with pytest.raises(errors.DirectoryNameUnknownError, match="no entry Nothing"):
            park.ledger.directory.get(b"Nothing".ljust(32, b"\x00"))

    def test_rules_change_from_a_date_on(self, park: Any, plan: Any):
        book, first = park.ledger.rulebook, plan.rules[-1]
        later = type(first)(first.name, 2_000_000_000, 128, "Article 1", bytes(32))
        park.govern("Regulator", book.set(later))
        assert book.value_at(first.name, 2_000_000_000) == 128
        assert book.value_at(first.name, 1_999_999_999) == first.value
        with pytest.raises(errors.RulebookNotAfterError, match="at 2000000001"):
            park.govern("Regulator", book.set(later))

    def test_rules_of_the_trade_are_kept_at_hand_by_anyone(self, park: Any):
        assert park.send(park.ledger.rulebook.cache_block_rules()).succeeded

    def test_days_are_known_for_the_years_set(self, park: Any):
        book = park.ledger.rulebook
        assert book.is_working_day(1_647_306_000)
        assert not book.is_working_day(1_647_306_000 + 4 * 86_400)
        with pytest.raises(errors.RulebookNoCalendarError, match="year of 2000000000"):
            book.is_working_day(2_000_000_000)
        with pytest.raises(errors.RulebookYearInvalidError, match="got 2500"):
            park.govern("Regulator", book.set_working_days(2500, (1, 0)))
        park.govern("Regulator", book.set_working_days(2032, (1, 0)))
        assert book.is_working_day(1_956_528_000)
