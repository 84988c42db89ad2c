"""The callers file, read strictly."""

from typing import Any

import pytest

from node.errors import InvalidConfigError
from node.gate.callers import read_callers
from node.gate.limits import Rates

DIGEST = f'token_sha256 = "{64 * "a"}"'


class TestReadCallers:
    @pytest.mark.parametrize(
        ("lines", "words"),
        [
            (["x = 1", DIGEST], "unknown x"),
            ([], "exactly one of token_sha256"),
            ([DIGEST, 'certificate_name = "x"'], "exactly one of"),
            (['token_sha256 = "secret"'], "64 hexadecimal digits"),
            ([DIGEST, 'rights = ["all"]'], "rights are of read, send, deploy"),
            ([DIGEST, 'rights = "read"'], "rights is a list"),
            ([DIGEST, 'senders = ["0x1"]'], "senders are addresses"),
            ([DIGEST, "requests_per_s = 0"], "a number from 1"),
            ([DIGEST, "burst = 1.5"], "a number from 1"),
        ],
    )
    def test_refuses(self, callers: Any, lines: list[str], words: str):
        callers.add_table("one", *lines)
        with pytest.raises(InvalidConfigError, match=words):
            read_callers(callers.path)

    def test_refuses_one_name_twice(self, callers: Any):
        callers.add("one")
        callers.add("one")
        with pytest.raises(InvalidConfigError, match="one stands there twice"):
            read_callers(callers.path)

    def test_refuses_an_absent_file(self, callers: Any):
        callers.path.unlink()
        with pytest.raises(InvalidConfigError, match="carbon-node gate token"):
            read_callers(callers.path)

    def test_without_rights_there_is_none(self, callers: Any):
        token = callers.add("one")
        caller = read_callers(callers.path).by_token(token)
        assert caller is not None
        assert caller.rights == frozenset()

    def test_holds_no_token(self, callers: Any):
        token = callers.add("one")
        assert token not in callers.path.read_text()
        found = read_callers(callers.path)
        assert found.by_token(token[:-1]) is None
        assert found.by_token("") is None


class TestRates:
    def test_a_bucket_fills_with_the_rate_up_to_the_burst(self, callers: Any):
        token = callers.add("one", "requests_per_s = 2", "burst = 4")
        caller = read_callers(callers.path).by_token(token)
        assert caller is not None
        now = 100.0
        rates = Rates(lambda: now)
        assert rates.take(caller, 4) is None
        assert rates.take(caller, 1) == 1
        assert rates.take(caller, 4) == 2
        now += 0.5
        assert rates.take(caller, 1) is None
        now += 1000
        assert rates.take(caller, 4) is None
        assert rates.take(caller, 1) == 1
