"""Plans as people write them, and what is said of those that cannot be read."""

from collections.abc import Callable
from pathlib import Path

import pytest

from node import founding
from node.errors import InvalidConfigError
from node.organisation import plan as onboarding

FOUNDING = '[[organisations]]\nname = "a"\nkind = {}\ninitiators = {}\napprovers = []\n'
ONBOARDING = 'name = "a"\nkind = {}\ninitiators = {}\napprovers = []\nrights = []\n'
PLANS = [(founding.load_plan, FOUNDING), (onboarding.load_plan, ONBOARDING)]


@pytest.mark.parametrize(("load", "form"), PLANS, ids=["founding", "onboarding"])
class TestPlan:
    @pytest.mark.parametrize(
        ("kind", "initiators", "said"),
        [
            ('"no such"', "[]", "'NO SUCH' is missing or names nothing"),
            ("7", "[]", "has another form"),
            ('"enterprise"', "3", "has another form"),
            ('"enterprise', "[]", "cannot be read"),
        ],
    )
    def test_that_cannot_be_read_says_where(
        self,
        tmp_path: Path,
        load: Callable[[Path], object],
        form: str,
        kind: str,
        initiators: str,
        said: str,
    ):
        path = tmp_path / "plan.toml"
        path.write_text(form.format(kind, initiators))
        with pytest.raises(InvalidConfigError, match=said) as caught:
            load(path)
        assert str(path) in str(caught.value)

    def test_that_is_not_there_says_so(
        self, tmp_path: Path, load: Callable[[Path], object], form: str
    ):
        del form
        with pytest.raises(InvalidConfigError, match="cannot be read"):
            load(tmp_path / "absent.toml")
