"""Questions in people's own words: whom they go to inside of `drawing`, what that turns down, and which stations they name."""

import pytest

from maestro.ensembles.vlms_are_blind.procedures.subway_routes import stations_in
from maestro.skills.dispatch import Retrieval
from tests.ensembles.vlms_are_blind.plotted.wordings import WORDINGS
from tests.ensembles.vlms_are_blind.test_registry import registry

SKILL = {
    "lines": "line-crossings",
    "contact": "circle-contact",
    "rings": "ring-count",
    "pentagons": "pentagon-count",
    "squares": "square-count",
}
ELSEWHERE = "other-question"


@pytest.mark.parametrize("kind", WORDINGS)
def test_every_wording_finds_its_skill_or_is_turned_down(kind):
    dispatch = Retrieval(registry().children("drawing"))
    asked_of = [asked.format(one="B", other="D") for asked in WORDINGS[kind]]
    astray = {asked: chosen for asked in asked_of if (chosen := dispatch.choose(asked).id) != SKILL.get(kind, ELSEWHERE)}
    assert not astray


@pytest.mark.parametrize(
    ("question", "stations"),
    [
        ("Starting at B, how many one-colored paths end at C?", ("B", "C")),
        ("Starting at A, how many end at B?", ("A", "B")),
        ("A rider wants from A towards D. How many lines are there?", ("A", "D")),
        ("Which lines join stations C and A?", ("C", "A")),
        ("How many A-C routes are there?", ("A", "C")),
        ("How many single-colored paths go from station Foo to station Bar?", ("Foo", "Bar")),
    ],
)
def test_stations_are_read_from_other_words(question, stations):
    assert stations_in(question) == stations


@pytest.mark.parametrize("question", ["How many lines are there?", "A map: how many lines go to C?", "Where do I change for B?"])
def test_fewer_than_two_stations_are_no_route(question):
    with pytest.raises(ValueError, match="two stations"):
        stations_in(question)
