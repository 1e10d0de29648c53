from collections import Counter
from itertools import islice

import pytest

from maestro.tasks.source import interleave


def test_every_prefix_follows_the_weights() -> None:
    weights = {"a": 3, "b": 1, "c": 2}
    drawn: Counter[str] = Counter()
    for count, (family, index) in enumerate(islice(interleave(weights), 120), start=1):
        assert index == drawn[family]
        drawn[family] += 1
        for name, weight in weights.items():
            assert abs(drawn[name] - count * weight / 6) < 1.5
    assert drawn == {"a": 60, "b": 20, "c": 40}


@pytest.mark.parametrize("weights", [{}, {"a": 0}, {"a": 1, "b": -1}])
def test_weights_that_cannot_be_followed_are_refused(weights: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="positive"):
        next(interleave(weights))
