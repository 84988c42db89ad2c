import pytest

from contracts.bindings import AccessManager, Directory, Market
from contracts.bindings.rulebook import rule_name
from contracts.calls import UnsignedCall
from contracts.hashing import checksum_address
from wallet.calls import describe_call

MANAGER, DIRECTORY, NEW = (checksum_address(bytes([n]) * 20) for n in (1, 2, 3))
NAMES = {MANAGER: "AccessManager", DIRECTORY: "Directory"}


@pytest.fixture
def naming() -> UnsignedCall:
    """A call that points a name to a contract."""
    directory = Directory(None, DIRECTORY)  # type: ignore[arg-type]  # no chain is asked
    return directory.set(rule_name("CarbonCodes"), NEW, b"\xab" * 32)


def said(call: UnsignedCall) -> str:
    return describe_call(str(call.to), call.data, NAMES)


class TestDescribeCall:
    def test_names_function_and_values(self, naming: UnsignedCall):
        digest = "0x" + "ab" * 32
        wanted = f"Directory.set('CarbonCodes', {NEW.lower()}, {digest})"
        assert said(naming) == wanted

    def test_shows_an_address_beside_its_name(self, naming: UnsignedCall):
        names = {**NAMES, NEW: "somebody's word"}
        words = describe_call(str(naming.to), naming.data, names)
        assert f"somebody's word ({NEW.lower()})" in words

    def test_shows_what_is_announced(self, naming: UnsignedCall):
        manager = AccessManager(None, MANAGER)  # type: ignore[arg-type]  # no chain is asked
        assert said(manager.schedule(naming)) == (
            f"AccessManager.schedule: {said(naming)}"
        )
        assert said(manager.cancel(NEW, naming)) == (
            f"AccessManager.cancel: {said(naming)}"
        )

    def test_goes_one_level_deep(self, naming: UnsignedCall):
        manager = AccessManager(None, MANAGER)  # type: ignore[arg-type]  # no chain is asked
        twice = manager.schedule(manager.schedule(naming))
        assert said(twice).startswith("AccessManager.schedule: AccessManager.schedule(")

    def test_says_when_a_function_is_unknown(self):
        call = UnsignedCall(NEW, b"\x01\x02\x03\x04")
        assert said(call) == f"{NEW}: unknown function 0x01020304"

    def test_says_when_an_announced_function_is_unknown(self):
        manager = AccessManager(None, MANAGER)  # type: ignore[arg-type]  # no chain is asked
        call = manager.schedule(UnsignedCall(NEW, b"\x01\x02\x03\x04"))
        assert said(call) == (
            f"AccessManager.schedule: {NEW}: unknown function 0x01020304"
        )

    def test_says_when_values_are_malformed(self):
        market = Market(None, NEW)  # type: ignore[arg-type]  # no chain is asked
        call = UnsignedCall(NEW, market.halt(2024, True).data[:20])
        assert "malformed call of halt" in said(call)
