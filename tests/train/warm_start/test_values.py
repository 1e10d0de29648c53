"""Random values: shapes, and programs that are programs."""

from __future__ import annotations

import ast
import random

from maestro.train.warm_start import values
from maestro.train.warm_start.programs import program, spoil


def test_nearly_all_programs_parse_and_hardly_any_comes_twice() -> None:
    rng = random.Random(1)
    made = [program(rng, lambda draw: "word") for _ in range(600)]
    right = 0
    for text in made:
        try:
            ast.parse(text)
            right += 1
        except SyntaxError:
            pass
    assert 0.8 < right / len(made) < 0.98  # some are spoilt on purpose
    assert len(set(made)) > 560
    assert all(text.strip() == text and text for text in made)


def test_spoiling_changes_a_little_and_leaves_something() -> None:
    rng = random.Random(2)
    for text in ("x", "print(3)", "a = 5\nprint(a)"):
        for _ in range(50):
            spoilt = spoil(text, rng)
            assert spoilt
            assert abs(len(spoilt) - len(text)) <= 4


def test_values_fit_the_kind_and_the_answers_the_family() -> None:
    rng = random.Random(3)
    for _ in range(100):
        left, top, right, bottom = map(int, values.draw("region", "", rng).split(","))
        assert left < right
        assert top < bottom
    assert sum(values.draw("answer", "417", rng).isdigit() for _ in range(200)) > 140
    assert sum(values.shape_of(values.draw("answer", "red", rng)) == "colour" for _ in range(200)) > 140
