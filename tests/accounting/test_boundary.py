from dataclasses import replace
from typing import Any

import pytest

from accounting.boundary import Boundary, Source
from accounting.canonical import canonical_json, parse_canonical_json
from accounting.errors import InvalidBoundaryError, InvalidDocumentError

BOUNDARY = Boundary(
    name="works",
    account_name="steel",
    title_zh="钢厂",
    title_en="steel works",
    industry="steel",
    region="浙江",
    sources=(
        Source("88.1.1/b", 1, "fuel:natural_gas"),
        Source("88.1.1/a", 2, "electricity_out"),
        Source("88.1.1/a", 1, "electricity_in"),
    ),
)


class TestSource:
    @pytest.mark.parametrize("role", ["", "electricity", "fuel:", "fuel", "heat"])
    def test_unknown_roles_are_refused(self, role: str):
        with pytest.raises(InvalidBoundaryError, match="expected electricity_in"):
            Source("88.1.1/a", 1, role)

    def test_a_fuel_role_names_its_fuel(self):
        assert Source("88.1.1/a", 1, "fuel:lng").fuel == "lng"
        assert Source("88.1.1/a", 1, "heat_in").fuel is None


class TestBoundary:
    def test_bytes_give_back_the_boundary(self):
        assert Boundary.from_bytes(BOUNDARY.to_bytes()) == BOUNDARY

    def test_order_of_sources_does_not_matter(self):
        other = replace(BOUNDARY, sources=BOUNDARY.sources[::-1])

        assert other.digest == BOUNDARY.digest

    def test_a_register_counts_once(self):
        doubled = (*BOUNDARY.sources, Source("88.1.1/a", 1, "heat_in"))

        with pytest.raises(InvalidBoundaryError, match="every register once"):
            replace(BOUNDARY, sources=doubled)

    def test_a_boundary_has_a_source(self):
        with pytest.raises(InvalidBoundaryError, match="at least one"):
            replace(BOUNDARY, sources=())

    @pytest.mark.parametrize(
        "change",
        [
            {"more": 1},
            {"name": 1},
            {"sources": "a"},
            {"sources": [{"identifier": "a", "register": "1", "role": "heat_in"}]},
            {"sources": [{"identifier": "a", "register": 1}]},
            {"sources": [1]},
        ],
    )
    def test_wrong_content_is_refused(self, change: dict[str, Any]):
        content = {**parse_canonical_json(BOUNDARY.to_bytes(), "boundary"), **change}

        with pytest.raises(InvalidDocumentError, match="boundary"):
            Boundary.from_bytes(canonical_json(content))

    def test_sources_in_another_order_are_refused(self):
        content = parse_canonical_json(BOUNDARY.to_bytes(), "boundary")
        content["sources"].reverse()

        with pytest.raises(InvalidDocumentError, match="sources by carrier"):
            Boundary.from_bytes(canonical_json(content))
