"""No price looks free, and no dollar drowns in digits."""

import math

import pytest

from maestro.money import dollars


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "$0"),
        (1234.5, "$1,234.50"),
        (1, "$1.00"),
        (0.999, "$1.00"),
        (0.25, "$0.25"),
        (0.031, "$0.031"),
        (0.0031, "$0.0031"),
        (0.0000123, "$0.000012"),
        (-0.004, "$-0.0040"),
        (math.inf, "$inf"),
    ],
)
def test_amount(amount, text):
    assert dollars(amount) == text
