"""The counting, perception, location, diagram, pie and embodied skills: question in, answer out, over real experts and pictures."""

import math
from itertools import pairwise

import pytest

from tests.ensembles.playground import drawings
from tests.ensembles.playground.drawings import SHADES, caller, paper, request

pytest.importorskip("cv2")

from maestro.ensembles.playground.experts.fast_opencv import FastOpenCv
from maestro.ensembles.playground.experts.robust_opencv import RobustOpenCv
from maestro.ensembles.playground.procedures import (
    chart_pie,
    count_colour,
    count_rings,
    count_shapes,
    diagram_crossings,
    diagram_grid,
    diagram_routes,
    diagram_touch,
    embodied_heading,
    embodied_trajectory,
    locate_frame,
    locate_smallest,
    perceive_colour,
    perceive_relation,
)
from maestro.skills.protocol import Caller, SkillRequest

BOTH = pytest.mark.parametrize("expert", [FastOpenCv(), RobustOpenCv()], ids=["fast", "robust"])
ROBUST = RobustOpenCv()


def table():
    """Red circle left of a green square; purple triangle above the circle, blue star below it, a second red thing far right."""
    image, draw = paper()
    drawings.shape(draw, "circle", 80, 120, 22, "red")
    drawings.shape(draw, "square", 160, 122, 24, "green")
    drawings.shape(draw, "triangle", 82, 45, 24, "purple")
    drawings.shape(draw, "star", 78, 195, 26, "blue")
    drawings.shape(draw, "square", 270, 60, 20, "red")
    return image


@BOTH
@pytest.mark.parametrize(
    ("procedure", "question", "value"),
    [
        (count_shapes, "How many squares are in the picture?", "2"),
        (count_shapes, "Count the boxes.", "2"),
        (count_shapes, "How many round dots do you see?", "1"),
        (count_shapes, "How many shapes are there?", "5"),
        (count_shapes, "How many red squares are there?", "1"),
        (count_shapes, "How many squares are inside the red frame?", "2"),
        (count_colour, "How many red things are there?", "2"),
        (count_colour, "Tell me how many objects are blue.", "1"),
        (count_colour, "How many red circles?", "1"),
        (perceive_colour, "What colour is the star?", "blue"),
        (perceive_colour, "Which color does the triangle have?", "purple"),
        (perceive_relation, "What colour is the shape directly to the right of the red circle?", "green"),
        (perceive_relation, "Name the colour of the shape just above the red disc.", "purple"),
        (perceive_relation, "Right below the red circle there is a shape. Which colour is it?", "blue"),
        (perceive_relation, "Is the red circle left of the green square?", "yes"),
        (perceive_relation, "Is the green box to the left of the red circle?", "no"),
    ],
)
async def test_questions_about_a_table_of_shapes(expert, procedure, question, value):
    result = await procedure.run(request(question), caller(expert, table()))
    assert result.value == value
    assert 0.3 < result.confidence <= 1
    assert len(result.evidence) <= 40


async def test_what_is_not_there_is_none_rather_than_a_guess():
    result = await perceive_colour.run(request("What colour is the pentagon?"), caller(ROBUST, table()))
    assert result.value is None
    assert result.text.startswith("answer: none\nconfidence: 0.00")


@pytest.mark.parametrize("procedure", [perceive_colour, perceive_relation])
@pytest.mark.parametrize(
    ("question", "value"), [("What colour is the star?", "blue"), ("Which colour is just above the red circle?", "purple")]
)
async def test_one_perception_skill_picked_for_the_other_still_answers(procedure, question, value):
    assert (await procedure.run(request(question), caller(ROBUST, table()))).value == value


async def test_no_image_is_said_so():
    async def ask(*_, **__):
        raise AssertionError("nothing to look at")

    with pytest.raises(ValueError, match="picture"):
        await count_shapes.run(SkillRequest(question="How many circles?"), Caller(expert="x", ask=ask, pixels=None, put=None))


async def test_rings():
    image, draw = paper()
    for x in (70, 125, 180, 235):
        draw.ellipse((x - 34, 80, x + 34, 148), outline="black", width=3)
    assert (await count_rings.run(request("How many rings?"), caller(ROBUST, image))).value == "4"


@pytest.mark.parametrize(
    ("gap", "question", "value"),
    [
        (8, "Do the circles touch?", "no"),
        (-8, "Do the circles touch?", "yes"),
        (8, "Are the circles apart?", "yes"),
        (8, "Are the circles apart, touching or overlapping?", "apart"),
        (-14, "Are the circles apart, touching or overlapping?", "overlap"),
        (-8, "In how many pairs do the circles touch?", "1"),
    ],
)
async def test_touch_answers_in_the_form_that_was_asked(gap, question, value):
    image, draw = paper()
    for x in (160 - 40 - gap / 2, 160 + 40 + gap / 2):
        draw.ellipse((x - 40, 80, x + 40, 160), outline="black", width=2)
    assert (await diagram_touch.run(request(question), caller(ROBUST, image))).value == value


@BOTH
@pytest.mark.parametrize(
    ("question", "value"),
    [("How many rows?", "4"), ("How many columns?", "6"), ("How many cells are there?", "24"), ("How big is the grid?", "4x6")],
)
async def test_grid_parts(expert, question, value):
    image, draw = paper()
    for row in range(5):
        draw.line((40, 40 + 40 * row, 280, 40 + 40 * row), fill="black", width=2)
    for column in range(7):
        draw.line((40 + 40 * column, 40, 40 + 40 * column, 200), fill="black", width=2)
    assert (await diagram_grid.run(request(question), caller(expert, image))).value == value


async def test_crossings_of_the_named_lines_only():
    image, draw = paper()
    draw.line([(20, 200), (110, 40), (210, 200), (300, 40)], fill=SHADES["red"], width=3, joint="curve")
    draw.line([(20, 130), (300, 120)], fill=SHADES["blue"], width=3)
    draw.line([(20, 60), (300, 60)], fill=SHADES["green"], width=3)
    result = await diagram_crossings.run(request("How often do the red and the blue line cross?"), caller(ROBUST, image))
    assert result.value == "3"
    assert (await diagram_crossings.run(request("How often do the blue and green lines meet?"), caller(ROBUST, image))).value == "0"


async def test_routes_between_two_stations():
    image, draw = paper()
    draw.line([(60, 110), (260, 110)], fill=SHADES["purple"], width=3)
    draw.line([(60, 125), (260, 125)], fill=SHADES["brown"], width=3)
    draw.line([(60, 100), (150, 100), (150, 40)], fill="#808080", width=3)
    for (x, y), name in zip([(40, 115), (280, 115), (150, 30)], ["red", "blue", "green"], strict=True):
        draw.rectangle((x - 22, y - 22, x + 22, y + 22), fill=SHADES[name], outline="black")
    result = await diagram_routes.run(request("How many routes join the red and the blue station?"), caller(ROBUST, image))
    assert result.value == "2"
    assert (await diagram_routes.run(request("How many routes join the green and the blue station?"), caller(ROBUST, image))).value == "0"
    with pytest.raises(ValueError, match="two stations"):
        await diagram_routes.run(request("How many routes are there?"), caller(ROBUST, image))


@BOTH
@pytest.mark.parametrize(
    ("question", "value"),
    [("What percentage is red?", "30"), ("Which slice is the largest?", "blue"), ("Which slice is the smallest?", "green")],
)
async def test_pie(expert, question, value):
    image, draw = paper()
    for start, end, name in [(0, 108, "red"), (108, 270, "blue"), (270, 360, "green")]:
        draw.pieslice((70, 30, 250, 210), start, end, fill=SHADES[name])
    assert (await chart_pie.run(request(question), caller(expert, image))).value == value


@pytest.mark.parametrize(
    ("degrees", "compass", "side"), [(0, "east", "right"), (45, "southeast", "down-right"), (185, "west", "left"), (270, "north", "up")]
)
async def test_heading_in_the_words_of_the_question(degrees, compass, side):
    image, draw = paper()
    turn = math.radians(degrees)
    tip = (160 + 50 * math.cos(turn), 120 + 50 * math.sin(turn))
    neck = (160 + 15 * math.cos(turn), 120 + 15 * math.sin(turn))
    tail = (160 - 50 * math.cos(turn), 120 - 50 * math.sin(turn))
    draw.line((tail, neck), fill="black", width=12)
    across = (-22 * math.sin(turn), 22 * math.cos(turn))
    draw.polygon([tip, (neck[0] + across[0], neck[1] + across[1]), (neck[0] - across[0], neck[1] - across[1])], fill="black")
    assert (await embodied_heading.run(request("Which compass direction does the arrow point?"), caller(ROBUST, image))).value == compass
    assert (await embodied_heading.run(request("Which way is the robot facing?"), caller(ROBUST, image))).value == side


async def test_the_path_from_the_black_dot_dashed_or_not():
    for dashes in (False, True):
        image, draw = paper()
        points = [(40 + 4 * i, 180 - 2 * i) for i in range(51)]
        for index, (start, end) in enumerate(pairwise(points)):
            if not dashes or index % 4 < 2:
                draw.line((start, end), fill=SHADES["purple"], width=4)
        draw.ellipse((32, 172, 48, 188), fill="black")
        for (x, y), name in zip([(240, 80), (60, 60), (260, 200)], ["green", "red", "orange"], strict=True):
            draw.rectangle((x - 11, y - 11, x + 11, y + 11), fill=SHADES[name])
        result = await embodied_trajectory.run(request("What colour is the square at the end of the path?"), caller(ROBUST, image))
        assert result.value == "green"


@BOTH
async def test_locate_gives_a_region(expert):
    image, draw = paper()
    draw.rectangle((180, 140, 290, 190), outline=SHADES["red"], width=3)
    draw.text((200, 155), "QX-17", fill="black")
    draw.rectangle((20, 20, 120, 70), outline=SHADES["blue"], width=3)
    result = await locate_frame.run(request("What is written in the red box?"), caller(expert, image))
    assert result.gives == "region"
    assert result.text.startswith("region: ")
    left, top, right, bottom = (int(part) for part in result.value.split(","))
    assert (left, top, right, bottom) == pytest.approx((183, 143, 288, 188), abs=2)


@BOTH
async def test_the_smallest_thing(expert):
    image, draw = paper()
    drawings.shape(draw, "square", 80, 90, 50, "blue")
    draw.text((220, 180), "tiny", fill="black")
    result = await locate_smallest.run(request("What does the tiny text say?"), caller(expert, image))
    left, top, right, bottom = (int(part) for part in result.value.split(","))
    assert 205 <= left <= 221
    assert 170 <= top <= 184
    assert right >= 240
    assert bottom >= 190
    assert right - left < 70
