"""Amounts of money as people read them."""

from __future__ import annotations

import math


def dollars(amount: float) -> str:
    """`$1.25`, `$0.0031`, `$0.000012`: cents from a dollar up, two significant digits below, so that no price looks free."""
    if amount == 0:
        return "$0"
    if abs(amount) >= 1 or not math.isfinite(amount):
        return f"${amount:,.2f}"
    places = 1 - math.floor(math.log10(abs(amount)))
    return f"${amount:.{max(2, places)}f}"
