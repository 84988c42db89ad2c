from typing import Any

import pytest

from accounting.channels import Sample
from accounting.errors import InvalidDocumentError
from accounting.restatement import explain_restatement
from accounting.statement import ETS_DIRECT

POWER = ("88.1.1/power", 1)


class TestExplainRestatement:
    def test_equal_documents_have_no_changes(self, works: Any):
        document = works.statement().document

        assert explain_restatement(document, document) == []

    def test_a_late_reading_is_named_with_its_effect(self, works: Any):
        last = works.samples[POWER][-1]
        works.samples[POWER] = works.samples[POWER][:-1]
        old = works.statement().document
        works.samples[POWER].append(Sample(last.seq, last.ts, last.value - 500))
        new = works.statement().document

        changes = {change.what: change for change in explain_restatement(old, new)}

        assert changes["result.grams"].difference == "-248700"
        assert changes["sources.88.1.1/power#1.measured"].difference == "500"
        assert changes["sources.88.1.1/power#1.substituted"].difference == "-1000"
        assert changes["digests.input_root"].difference is None

    def test_another_factor_is_named_with_both_values(self, works: Any):
        old = works.statement().document
        works.year = 2022
        new = works.statement().document

        changes = {change.what: change for change in explain_restatement(old, new)}

        change = changes[
            "factors.sac/gbt32150-energy/2025: EF_grid of average/浙江.value"
        ]
        assert (change.old, change.new, change.difference) == (
            "0.4974",
            "0.5153",
            "0.0179",
        )
        assert changes["factor_year"].new == "2022"

    def test_the_result_comes_first(self, works: Any):
        old = works.statement().document
        works.year = 2022

        changes = explain_restatement(old, works.statement().document)

        assert changes[0].what == "result.grams"

    def test_what_appears_and_what_goes_are_named(self, works: Any):
        old = works.statement().document
        works.year = 2022
        notice = "notices: factors of 2022 applied to 2023-01-01 to 2023-01-01"
        new = works.statement().document

        there = {c.what: c for c in explain_restatement(old, new)}[notice]
        back = {c.what: c for c in explain_restatement(new, old)}[notice]

        assert (there.old, there.new) == (None, "present")
        assert (back.old, back.new) == ("present", None)

    def test_statements_of_other_purposes_do_not_compare(self, works: Any):
        old = works.statement().document
        works.purpose = ETS_DIRECT

        with pytest.raises(InvalidDocumentError, match="purpose"):
            explain_restatement(old, works.statement().document)
