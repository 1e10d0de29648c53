import pytest

from maestro.bench.measurement import Bar, Measurement, number


def of(bar=None, figures=(1.0, 3.0, 2.0), others=(2.0, 2.0, 4.0)):
    return Measurement.of("work", "ms", figures, "other", others, bar)


def test_medians_and_ratios_are_taken_over_rounds():
    one = of()
    assert (one.figure, one.beside_figure, one.rounds) == (2.0, 2.0, 3)
    assert (one.ratio, one.lowest_ratio, one.highest_ratio) == (0.5, 0.5, 1.5)
    with pytest.raises(ValueError, match="shorter"):
        of(others=(1.0,))


@pytest.mark.parametrize(
    ("bar", "passed", "text"),
    [
        (None, None, ""),
        (Bar(2), True, "at least 2 ms"),
        (Bar(2.5), False, "at least 2.5 ms"),
        (Bar(2, least=False), False, "under 2 ms"),
        (Bar(2.5, least=False), True, "under 2.5 ms"),
        (Bar(5, of="ratio"), False, "at least 5 times"),
        (Bar(0.5, of="ratio"), True, "at least 0.5 times"),
    ],
)
def test_a_bar_is_met_or_missed(bar, passed, text):
    assert of(bar).passed is passed
    assert of(bar).bar_text() == text
    assert of(bar).as_dict()["passed"] is passed


@pytest.mark.parametrize(("value", "text"), [(345678.9, "345,679"), (0.03012, "0.0301"), (16.42, "16.4"), (150, "150")])
def test_numbers_have_three_digits(value, text):
    assert number(value) == text
