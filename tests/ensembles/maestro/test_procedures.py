"""The five skills end to end with scripted experts: who is asked, in which order, what is shown and what comes of failures."""

import pytest

from maestro.ensembles.maestro.procedures.chart import chart_kind
from tests.ensembles.maestro.stage import BOXES, CROP_CALL, DETECTION, DOWN, OCR, ZOOM, stage, system, user

MAIN = "GLM-4.6V-Flash"


async def test_geometry_is_four_calls_after_the_text_is_read():
    steps = iter(["points A B C", "givens agree", "x = 30", "<think>hm</think>checked\n30"])
    played = stage("maestro", {OCR: "AB = 5", MAIN: lambda _: next(steps)})
    task = played.task("What is x?")
    seen = await played.call(MAIN, "Geometric_Problem_Solver", task)
    assert played.order == [OCR, MAIN, MAIN, MAIN, MAIN]
    assert (seen.status, seen.value, seen.text) == ("ok", "30", "checked\n30")
    asked = played.requests(MAIN)
    assert all(request.images == task.images for request in asked)
    assert all("Text read in image 1:\nAB = 5" in user(request) for request in asked)
    assert [text in user(asked[3]) for text in ("points A B C", "givens agree", "x = 30")] == [True] * 3
    assert "points A B C" not in user(asked[0])
    assert len({system(request) for request in asked}) == 4
    assert [child.expert for child in seen.children] == [OCR, MAIN, MAIN, MAIN, MAIN]
    assert user(played.requests(OCR)[0]) == "Text Recognition:"


async def test_geometry_goes_on_without_a_picture():
    played = stage("maestro", {MAIN: "5"})
    assert (await played.call(MAIN, "Geometric_Problem_Solver", played.task("3, 4, ?", images=0))).value == "5"
    assert played.order == [MAIN] * 4


@pytest.mark.parametrize(
    ("reply", "kind"),
    [("It is a bar chart with a trend line", "line"), ("PIE.", "pie"), ("timeline of outlines", "bar"), ("", "bar"), ("bars", "bar")],
)
def test_the_kind_of_a_chart(reply, kind):
    assert chart_kind(reply) == kind


async def test_a_chart_is_two_calls_and_the_rules_of_its_kind():
    replies = iter(["pie", "Spain has most.\nSpain"])
    played = stage("maestro", {OCR: "Spain 40 %", "Chart-R1": lambda _: next(replies)})
    seen = await played.call("Chart-R1", "Chart_Problem_Solver", played.task("Who has most?"))
    assert (played.order, seen.value) == ([OCR, "Chart-R1", "Chart-R1"], "Spain")
    rules = system(played.requests("Chart-R1")[1])
    assert "For pies" in rules
    assert "For bars" not in rules
    assert "1. " in rules
    assert "5. " in rules


async def test_science_is_one_call_with_text_and_a_crop():
    played = stage("maestro", {OCR: "10 µm", ZOOM: CROP_CALL, "Intern-S1-mini": "It is a cell.\nB"})
    task = played.task("Which cell?", images=2)
    seen = await played.call("Intern-S1-mini", "Science_Problem_Solver", task)
    assert sorted(played.order[:-1]) == sorted([OCR, OCR, ZOOM])
    assert played.order[-1] == "Intern-S1-mini"
    shown = played.requests("Intern-S1-mini")[0]
    assert (len(shown.images), shown.images[0], shown.images[2]) == (3, task.images[0], task.images[1])
    crop = played.ensemble.images.pixels(shown.images[1])
    assert crop.size == (160, 160)  # 56 pixels square, enlarged to the least side
    assert "picture 2 is the part of image 1 from left 28, top 28, right 84, bottom 84" in user(shown)
    assert "## For zoom" not in system(shown)
    assert seen.value == "B"


async def test_counting_finds_boxes_looks_closer_lists_and_verifies():
    replies = iter(["1. cat\n2. cat", "Both hold.\n2"])
    played = stage("maestro", {DETECTION: BOXES, ZOOM: CROP_CALL, MAIN: lambda _: next(replies)})
    task = played.task("How many cats?")
    seen = await played.call(MAIN, "Counting_Problem_Solver", task, query="count the cats")
    assert played.order == [DETECTION, ZOOM, MAIN, MAIN]
    assert "count the cats" in user(played.requests(DETECTION)[0])
    original, boxed, crop = played.requests(MAIN)[0].images
    assert original == task.images[0]
    assert played.requests(ZOOM)[0].images == (original, boxed)
    assert played.ensemble.images.pixels(boxed).getpixel((10, 45)) == (0, 160, 0)
    assert crop not in {original, boxed}
    text = user(played.requests(MAIN)[1])
    assert "Objects detected in image 1, 2 in all" in text
    assert "1. cat at 10,20,60,70" in text
    assert "Step 'list' gave:\n1. cat\n2. cat" in text
    assert (seen.value, len(seen.children)) == ("2", 4)


async def test_perception_shows_all_pictures_and_says_nothing_of_a_zoom_that_was_not_wanted():
    played = stage("maestro", {ZOOM: "<think>clear</think><answer>red", MAIN: "red"})
    task = played.task("What colour?", images=2)
    seen = await played.call(MAIN, "Perception_Problem_Solver", task)
    assert played.order == [ZOOM, MAIN]
    assert played.requests(ZOOM)[0].sampling == {"temperature": 0.0, "max_tokens": 4096, "stop": ["</tool_call>", "</answer>"]}
    assert '"name":"image_zoom_in_tool"' in system(played.requests(ZOOM)[0])
    request = played.requests(MAIN)[0]
    assert (request.images, user(request)) == (task.images, "What colour?")
    assert seen.text == "red"


@pytest.mark.parametrize("skill", ["Science_Problem_Solver", "Counting_Problem_Solver", "Perception_Problem_Solver"])
async def test_what_needs_a_picture_says_so_at_once(skill):
    played = stage("maestro", {})
    seen = await played.call(MAIN, skill, played.task("?", images=0))
    assert (seen.status, played.order) == ("policy_error", [])
    assert f"{skill} works on a picture" in seen.text


@pytest.mark.parametrize(
    ("broken", "skill", "lost", "told"),
    [
        (OCR, "Geometric_Problem_Solver", "the text in image 1", "The text in image 1 could not be had (connection refused)"),
        (OCR, "Chart_Problem_Solver", "the text in image 1", "The text in image 1 could not be had"),
        (ZOOM, "Perception_Problem_Solver", "a closer look at image 1", "A closer look at image 1 could not be had"),
        (DETECTION, "Counting_Problem_Solver", "the detected objects of image 1", "The detected objects of image 1 could not be had"),
    ],
)
async def test_a_helper_that_fails_costs_its_evidence_and_everybody_is_told(broken, skill, lost, told):
    played = stage("maestro", {OCR: "x", ZOOM: "<answer>", DETECTION: "[]", MAIN: "7"} | {broken: DOWN})
    task = played.task("?")
    seen = await played.call(MAIN, skill, task)
    assert (seen.status, seen.value) == ("ok", "7")
    assert seen.text == f"7\nnote: answered without {lost}"
    request = played.requests(MAIN)[-1]
    assert told in user(request)
    assert request.images == task.images
    assert broken not in [child.expert for child in seen.children]


@pytest.mark.parametrize(
    "reply",
    [
        "<tool_call>{'name': 'image_zoom_in_tool', 'arguments': {'bbox_2d': [1, 2, 30, 40]}}",
        '<tool_call>{"name": "other_tool", "arguments": {"bbox_2d": [1, 2, 30, 40]}}',
        "<tool_call>__import__('os').system('true')",
        '<tool_call>{"name": "image_zoom_in_tool", "arguments": {"bbox_2d": [9000, 9000, 9100, 9100]}}',
        '<tool_call>{"name": "image_zoom_in_tool", "arguments": {"bbox_2d": [1, 2, "3", 4]}}',
        "<tool_call>",
    ],
)
async def test_a_zoom_that_cannot_be_used_is_lost_and_never_evaluated(reply):
    played = stage("maestro", {ZOOM: reply, MAIN: "7"})
    seen = await played.call(MAIN, "Perception_Problem_Solver", played.task("?"))
    assert seen.text == "7\nnote: answered without a closer look at image 1"
    assert "the answer cannot be used" in user(played.requests(MAIN)[0])
    assert [child.expert for child in seen.children] == [ZOOM, MAIN]  # it was asked and paid


async def test_boxes_are_scaled_from_the_frame_that_the_helper_saw():
    played = stage("maestro", {ZOOM: CROP_CALL.replace("28, 28, 84, 84", "84, 56, 0, 0"), MAIN: "7"})
    task = played.task("?", size=(1000, 500))
    await played.call(MAIN, "Perception_Problem_Solver", task)
    frame = played.ensemble.images.pixels(played.requests(ZOOM)[0].images[0])
    assert frame.size == (1008, 504)
    assert "left 0, top 0, right 84, bottom 56" in user(played.requests(MAIN)[0])
    crop = played.ensemble.images.pixels(played.requests(MAIN)[0].images[1])
    assert crop.size == (160, 107)


async def test_the_expert_itself_failing_is_no_answer():
    played = stage("maestro", {MAIN: DOWN})
    seen = await played.call(MAIN, "Perception_Problem_Solver", played.task("?"))
    assert seen.status == "expert_error"


async def test_an_expert_that_only_thinks_gave_no_answer():
    played = stage("maestro", {MAIN: "<think>for ever"})
    seen = await played.call(MAIN, "Perception_Problem_Solver", played.task("?"))
    assert (seen.value, seen.text) == (None, "(the expert gave no answer)")
