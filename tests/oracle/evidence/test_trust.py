import json
from dataclasses import replace
from typing import Any

import pytest

from oracle.errors import InvalidTrustError
from oracle.evidence.trust import Trust, encode_trust, parse_trust


@pytest.fixture
def content(trust: Trust) -> Any:
    return json.loads(encode_trust(trust))


def parse(content: Any) -> Trust:
    return parse_trust(json.dumps(content).encode())


class TestParseTrust:
    def test_gives_back_what_was_written(self, trust: Trust):
        assert parse_trust(encode_trust(trust)) == trust

    def test_refuses_what_is_no_json(self):
        with pytest.raises(InvalidTrustError, match="no JSON"):
            parse_trust(b"{")

    def test_refuses_another_form(self, content: Any):
        content["form"] = "ccl/trust/v2"
        with pytest.raises(InvalidTrustError, match="ccl/trust/v2"):
            parse(content)

    def test_refuses_an_unknown_field(self, content: Any):
        content["keys"] = []
        with pytest.raises(InvalidTrustError, match="expected the fields"):
            parse(content)

    def test_refuses_a_list_in_place_of_the_file(self):
        with pytest.raises(InvalidTrustError, match="given list"):
            parse([])

    def test_refuses_a_chain_id_that_is_text(self, content: Any):
        content["chain_id"] = "20260"
        with pytest.raises(InvalidTrustError, match="chain_id"):
            parse(content)

    def test_refuses_a_short_address(self, content: Any):
        content["contracts"]["Carriers"] = "0x01"
        with pytest.raises(InvalidTrustError, match="contract Carriers"):
            parse(content)

    def test_notices_a_changed_key_by_the_digest(self, content: Any):
        content["configurations"][0]["members"][0]["key"] = "0x" + "11" * 20
        with pytest.raises(InvalidTrustError, match="expected digest"):
            parse(content)

    def test_refuses_an_unknown_role(self, content: Any):
        content["configurations"][0]["members"][0]["role"] = "KING"
        with pytest.raises(InvalidTrustError, match="KING"):
            parse(content)

    def test_refuses_a_configuration_without_members(self, content: Any):
        content["configurations"][0]["members"] = []
        with pytest.raises(InvalidTrustError, match="names no members"):
            parse(content)

    def test_refuses_a_file_without_configurations(self, content: Any):
        content["configurations"] = []
        with pytest.raises(InvalidTrustError, match="at least one configuration"):
            parse(content)

    def test_refuses_a_version_that_comes_twice(self, content: Any):
        content["configurations"] *= 2
        with pytest.raises(InvalidTrustError, match="version twice"):
            parse(content)

    def test_refuses_a_field_that_comes_twice(self, trust: Trust):
        chain_id = b'"chain_id": 20260'
        data = encode_trust(trust).replace(chain_id, b'"chain_id": 1, ' + chain_id)
        with pytest.raises(InvalidTrustError, match="a field comes twice"):
            parse_trust(data)

    def test_refuses_one_key_for_two_members(self, trust: Trust):
        known = trust.configurations[1]
        twin = replace(known.members[1], key=known.members[0].key)
        members = (known.members[0], twin, *known.members[2:])
        doubled = Trust(trust.chain, {1: replace(known, members=members)})
        with pytest.raises(InvalidTrustError, match="a member's key twice"):
            parse_trust(encode_trust(doubled))

    def test_refuses_nesting_without_end(self):
        with pytest.raises(InvalidTrustError, match="no JSON"):
            parse_trust(b"[" * 100_000)

    @pytest.mark.parametrize("field", ["version", "threshold"])
    def test_refuses_a_number_beyond_its_width(self, content: Any, field: str):
        content["configurations"][0][field] = 1 << 32
        with pytest.raises(InvalidTrustError, match=f"{field} of .* positive number"):
            parse(content)

    def test_refuses_a_role_that_is_no_text(self, content: Any):
        content["configurations"][0]["members"][0]["role"] = []
        with pytest.raises(InvalidTrustError, match=r"role .* unknown"):
            parse(content)
