"""The registry: a pure fold of the chain's events, with a root that binds it."""

from fractions import Fraction

import pytest

from accounting.channels import Channel, ChannelTable
from contracts.enumerations import CarrierStatus
from contracts.events import CarrierRegistered, CarrierStatusSet, KeyRotated
from contracts.hashing import keccak256
from contracts.merkle import verify_proof
from oracle.reading.registry import (
    EMPTY_ROOT,
    NO_CUTOFF,
    UNKNOWN_KEY_ID,
    CarrierRegistry,
)
from oracle.reading.suites import Suite
from tests.simulators.device import DeviceSimulator

OWNER = "0x00000000000000000000000000000000000000E1"
PLACE = {
    "address": "0x00000000000000000000000000000000000000c4",
    "block_number": 1,
    "tx_hash": bytes(32),
    "log_index": 0,
}


def registered(device: DeviceSimulator, **changes: object) -> CarrierRegistered:
    table = ChannelTable(device.identifier, device.channels)
    fields = {
        "id_hash": device.identifier_hash,
        "owner": OWNER,
        "identifier": device.identifier,
        "suite": device.signer.suite,
        "public_key": device.signer.public_key,
        "channel_table": table.to_bytes(),
    }
    return CarrierRegistered(**(PLACE | fields | changes))


def rotated(device: DeviceSimulator, to: DeviceSimulator, seq: int) -> KeyRotated:
    return KeyRotated(
        **PLACE,
        id_hash=device.identifier_hash,
        epoch=1,
        from_seq=seq,
        suite=to.signer.suite,
        public_key=to.signer.public_key,
    )


def status(device: DeviceSimulator, to: CarrierStatus, cutoff: int) -> CarrierStatusSet:
    name = device.identifier_hash
    return CarrierStatusSet(**PLACE, id_hash=name, status=to, cutoff_seq=cutoff)


@pytest.fixture
def device() -> DeviceSimulator:
    return DeviceSimulator()


@pytest.fixture
def other() -> DeviceSimulator:
    return DeviceSimulator("other", Suite.EDDSA)


class TestApply:
    def test_a_registered_carrier_is_found_by_key_and_name(
        self, device: DeviceSimulator
    ):
        registry = CarrierRegistry().apply(registered(device))

        record = registry.by_kid(device.kid)
        assert record is registry.by_identifier(device.identifier)
        assert (record.owner_account, record.status) == (OWNER, CarrierStatus.ACTIVE)
        assert record.channel_table.channels == device.channels
        assert (record.epochs[0].from_seq, record.cutoff_seq) == (0, None)

    def test_a_rotated_key_adds_an_epoch(
        self, device: DeviceSimulator, other: DeviceSimulator
    ):
        events = (registered(device), rotated(device, other, 10))

        record = CarrierRegistry().apply_all(events).by_kid(other.kid)

        assert record.identifier == device.identifier
        assert record.epoch_at(9).kid == device.kid
        assert record.epoch_at(10).kid == other.kid

    def test_a_revocation_keeps_its_cut_off_and_an_activation_ends_it(
        self, device: DeviceSimulator
    ):
        revoked = CarrierRegistry().apply_all(
            (registered(device), status(device, CarrierStatus.REVOKED, 7))
        )
        active = revoked.apply(status(device, CarrierStatus.ACTIVE, NO_CUTOFF))

        record = revoked.by_kid(device.kid)
        assert (record.status, record.cutoff_seq) == (CarrierStatus.REVOKED, 7)
        assert active.by_kid(device.kid).cutoff_seq is None

    def test_an_event_leaves_the_registry_before_it_alone(
        self, device: DeviceSimulator
    ):
        before = CarrierRegistry()

        before.apply(registered(device))

        assert not before.carriers

    def test_an_event_of_another_subject_changes_nothing(self, device: DeviceSimulator):
        registry = CarrierRegistry().apply(registered(device))

        assert registry.apply(object()).root() == registry.root()

    def test_an_unreadable_channel_table_leaves_a_carrier_without_channels(
        self, device: DeviceSimulator
    ):
        event = registered(device, channel_table=b"no table")

        record = CarrierRegistry().apply(event).by_kid(device.kid)

        assert record.channel_table is None
        assert record.channel_table_hash == keccak256(b"no table")

    def test_a_key_of_an_unsupported_suite_is_found_by_no_key_id(
        self, device: DeviceSimulator
    ):
        event = registered(device, suite=Suite.SM2, public_key=bytes(64))

        registry = CarrierRegistry().apply(event)

        record = registry.by_identifier(device.identifier)
        assert record.epochs[0].kid == UNKNOWN_KEY_ID
        assert registry.by_kid(UNKNOWN_KEY_ID) is None


class TestRoot:
    @pytest.fixture
    def registry(
        self, device: DeviceSimulator, other: DeviceSimulator
    ) -> CarrierRegistry:
        return CarrierRegistry().apply_all((registered(device), registered(other)))

    def test_every_record_is_proven_under_it(self, registry: CarrierRegistry):
        for record in registry.carriers.values():
            path = registry.prove(record.identifier)
            assert verify_proof(registry.root(), record.leaf(), path)

    def test_it_does_not_depend_on_the_order_of_registration(
        self,
        registry: CarrierRegistry,
        device: DeviceSimulator,
        other: DeviceSimulator,
    ):
        events = (registered(other), registered(device))

        assert CarrierRegistry().apply_all(events).root() == registry.root()

    def test_status_cut_off_keys_and_channels_all_change_it(
        self,
        registry: CarrierRegistry,
        device: DeviceSimulator,
        other: DeviceSimulator,
    ):
        wider = Channel(9, "heat", "GJ", Fraction(1), None, None, "imported")
        table = ChannelTable(device.identifier, (*device.channels, wider))
        changed = [
            registry.apply(status(device, CarrierStatus.REVOKED, 7)),
            registry.apply(status(device, CarrierStatus.REVOKED, 8)),
            registry.apply(status(device, CarrierStatus.SUSPENDED, 8)),
            registry.apply(rotated(device, other, 10)),
            registry.apply(rotated(device, other, 11)),
            registry.apply(registered(device, channel_table=table.to_bytes())),
        ]

        assert len({one.root() for one in (registry, *changed)}) == 7

    def test_an_empty_registry_has_the_zero_root(self):
        assert CarrierRegistry().root() == EMPTY_ROOT

    def test_an_unknown_carrier_has_no_proof(self, registry: CarrierRegistry):
        with pytest.raises(KeyError, match=r"88\.100\.1/nobody"):
            registry.prove("88.100.1/nobody")
