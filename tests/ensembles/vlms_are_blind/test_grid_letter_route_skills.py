"""The three skills through the registry, from the question's wording to the answer's form."""

import pytest

from maestro.ensembles.vlms_are_blind.procedures import circled_letter, grid_size, subway_routes
from maestro.ensembles.vlms_are_blind.procedures.subway_routes import stations_in
from maestro.skills.protocol import Caller, SkillRequest


def caller_of(reply, asked):
    async def ask(operation, **arguments):
        asked.append((operation, arguments))
        return reply

    return Caller("any", ask, pixels=lambda _: None, put=lambda _: "")


@pytest.mark.parametrize(
    ("question", "value"),
    [
        (
            "Count the number of rows and columns and answer with numbers in curly brackets. For example, rows={5} columns={6}",
            "rows={3} columns={4}",
        ),
        ("How many rows and columns are in the table? Answer with only the numbers in a pair (row, column), e.g., (5,6)", "(3,4)"),
        ("How many rows does the grid have?", "3"),
        ("How many columns are there? Answer with a number in curly brackets, e.g. {3}.", "{4}"),
        ("How many cells does the grid have?", "12"),
        ("How many columns are there?", "4"),
    ],
)
async def test_a_grid_is_answered_in_the_form_asked_for(question, value):
    reply = {"rows": 3, "columns": 4, "confidence": 0.9, "evidence": "lines"}
    result = await grid_size.run(SkillRequest(question, images=("a",)), caller_of(reply, []))
    assert (result.value, result.confidence, result.evidence) == (value, 0.9, "lines")


async def test_nothing_found_is_no_answer():
    reply = {"rows": 0, "columns": 0, "confidence": 0.0, "evidence": "no grid: blank"}
    result = await grid_size.run(SkillRequest("How many rows?", images=("a",)), caller_of(reply, []))
    assert (result.value, result.confidence) == (None, 0.0)


async def test_a_letter_keeps_its_case_and_brackets_are_asked_for():
    reply = {"letter": "q", "confidence": 0.8, "evidence": "glyph 3"}
    plain = await circled_letter.run(SkillRequest("Which letter is being circled?", images=("a",)), caller_of(reply, []))
    braced = await circled_letter.run(SkillRequest("Which? Answer in curly brackets.", images=("a",)), caller_of(reply, []))
    assert (plain.value, braced.value) == ("q", "{q}")


@pytest.mark.parametrize(
    ("question", "stations"),
    [
        ("How many single-colored paths go from A to C? Answer with a number in curly brackets, e.g., {3}", ("A", "C")),
        ("Count the one-colored routes that go from B to D. Answer with a number in curly brackets, e.g., {3}", ("B", "D")),
        ("How many lines run between station K and station M?", ("K", "M")),
        ("How many coloured lines connect A and B?", ("A", "B")),
    ],
)
async def test_the_stations_come_from_the_question(question, stations):
    asked = []
    reply = {"count": 2, "confidence": 0.9, "evidence": "6 routes"}
    result = await subway_routes.run(SkillRequest(question, images=("a",)), caller_of(reply, asked))
    assert asked[0][1]["stations"] == list(stations)
    assert result.value == ("{2}" if "{" in question else "2")


async def test_bad_requests_say_what_is_missing():
    with pytest.raises(ValueError, match="two stations"):
        stations_in("How many paths are there?")
    with pytest.raises(ValueError, match="no picture"):
        await grid_size.run(SkillRequest("How many rows?"), caller_of({}, []))
