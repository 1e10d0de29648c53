"""Geometry of words, matching of names, numbers as written."""

from __future__ import annotations

import pytest

from maestro.ensembles.playground.procedures.mentions import best_mention, mentions
from maestro.ensembles.playground.procedures.numerals import numbers_in, numeral, plain
from maestro.ensembles.playground.procedures.words import page_of
from tests.ensembles.playground.sheet import Sheet


def page(sheet: Sheet):
    return page_of({"words": sheet.words, "width": sheet.image.width, "height": sheet.image.height, "slope": 0.0})


@pytest.mark.parametrize("degrees", [-6, -3, 0, 3, 6])
def test_rows_are_found_at_any_small_tilt(degrees: float) -> None:
    sheet = Sheet(480, 300)
    for row in range(4):
        for column in range(4):
            sheet.write(30 + 110 * column, 50 + 50 * row, f"c{row}{column}")
    sheet.tilt(degrees)
    assert [line.text for line in page(sheet).lines] == [" ".join(f"c{row}{column}" for column in range(4)) for row in range(4)]


def test_scattered_words_have_no_tilt() -> None:
    sheet = Sheet(480, 300)
    for x, y in ((20, 30), (250, 61), (90, 122), (330, 170), (60, 240), (300, 270)):
        sheet.write(x, y, "label")
    assert page(sheet).slope == 0.0


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("$1,234.50", "1234.50"),
        ("12%", "12"),
        ("2O", "20"),
        ("l7", "17"),
        ("3.5.", "3.5"),
        ("100-", "100"),
        ("-4", "-4"),
        ("2,50", "2.50"),
        ("Oslo", None),
        ("B", None),
        ("12:30", None),
        ("", None),
        ("KX-47", None),
    ],
)
def test_numeral(text: str, digits: str | None) -> None:
    assert numeral(text) == digits


def test_numbers_as_a_person_writes_them() -> None:
    assert [plain(value) for value in (3.0, 2.50, -0.001, 1234.0)] == ["3", "2.5", "0", "1234"]
    assert numbers_in("from 1,200 to -3.5") == [1200.0, -3.5]


@pytest.mark.parametrize(
    ("question", "names", "named"),
    [
        ("How high is the Dark Red bar?", ["Red", "Dark Red", "Blue"], ["Dark Red"]),
        ("How much more is Oats than Kiwi?", ["Kiwi", "0ats", "Tea"], ["0ats", "Kiwi"]),
        ("What is the price of apples?", ["Apple", "Pear"], ["Apple"]),
        ('What does "the" stand for?', ["the", "for"], ["the"]),
        ("How many are there?", ["Are", "There"], []),
    ],
)
def test_mentions(question: str, names: list[str], named: list[str]) -> None:
    found = sorted(mentions(question, names), key=lambda mention: mention.position)
    assert [names[mention.index] for mention in found] == named


def test_no_mention_is_none() -> None:
    assert best_mention("How tall is the zebra?", ["Tea", "Milk"]) is None
