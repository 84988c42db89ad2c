"""Analytic uncertainty of a sum of metered amounts.

U = sqrt(Σ (E_i·u_i)²) / |Σ ±E_i|, for meters that are independent of each other. The
accuracy class of a meter is taken as its expanded uncertainty (k = 2). Uncertainty of
factors and shared errors are not covered, and the figure says so.

References:
    IPCC 2006 Guidelines, volume 1, chapter 3, equation 3.2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from typing import Final

PLACES: Final = 4
"""Decimal places of the square root. [%]"""


@dataclass(frozen=True, slots=True)
class MeteredAmount:
    """One metered contribution to a total."""

    source: str
    amount: Fraction
    """Signed contribution, any one unit for all."""
    accuracy_pct: Fraction | None
    """Expanded uncertainty of the meter, None if unknown. [%]"""


def metering_uncertainty_pct(amounts: Sequence[MeteredAmount]) -> Fraction | None:
    """Combine the accuracy of independent meters.

    Args:
        amounts: The contributions.

    Returns:
        Expanded uncertainty of the total, to 4 decimal places, rounded down [%]; None
        where a class is unknown or the total is zero.
    """
    total = sum((item.amount for item in amounts), Fraction(0))
    squares = Fraction(0)
    for item in amounts:
        if item.accuracy_pct is None:
            return None
        squares += (item.amount * item.accuracy_pct) ** 2
    if not total:
        return None
    ratio = squares / total**2 * 10 ** (2 * PLACES)
    return Fraction(isqrt(ratio.numerator // ratio.denominator), 10**PLACES)
