import pytest

from oracle.errors import InvalidPackageError
from oracle.evidence.threads import check_in_threads


def refuse_from_50(number: int) -> int:
    if number >= 50:
        raise InvalidPackageError(f"item {number}", "below 50", str(number))
    return number


class TestCheckInThreads:
    @pytest.mark.parametrize("threads", [1, 2, 7, None])
    def test_results_keep_the_order(self, threads: int | None):
        doubled = check_in_threads(lambda number: 2 * number, range(100), threads)
        assert doubled == list(range(0, 200, 2))

    @pytest.mark.parametrize("threads", [1, 2, 7, None])
    def test_the_first_failure_in_order_is_raised(self, threads: int | None):
        with pytest.raises(InvalidPackageError, match="item 50"):
            check_in_threads(refuse_from_50, range(100), threads)

    def test_nothing_to_check_gives_nothing(self):
        assert check_in_threads(refuse_from_50, [], 2) == []
