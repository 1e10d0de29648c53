"""Grids, circled letters and subway maps: variants drawn from fixed seeds, other pictures, and the real training half."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from maestro.ensembles.vlms_are_blind.experts.circled_letter import CircledLetter
from maestro.ensembles.vlms_are_blind.experts.ruled_grid import RuledGrid
from maestro.ensembles.vlms_are_blind.experts.subway_routes import SubwayRoutes
from tests.ensembles.vlms_are_blind.drawing import FONTS
from tests.ensembles.vlms_are_blind.drawn_grids import draw_grid
from tests.ensembles.vlms_are_blind.drawn_subways import draw_subway
from tests.ensembles.vlms_are_blind.drawn_words import draw_word
from tests.ensembles.vlms_are_blind.recorded import train_half

needs_fonts = pytest.mark.skipif(
    "DejaVuSans" not in FONTS, reason="the drawn variants need the DejaVu, Liberation, Free and Comic Neue fonts"
)


@pytest.fixture(scope="module")
def experts():
    pytest.importorskip("rapidocr")
    return {"grid": RuledGrid(), "letter": CircledLetter(), "routes": SubwayRoutes()}


def grid_of(experts, pixels):
    reply = experts["grid"].do_grid([pixels])
    return (reply["rows"], reply["columns"]), reply


def right(draw, answer, seeds):
    variants = [draw(seed) for seed in seeds]
    return [answer(variant) == variant.answer for variant in variants]


@needs_fonts
def test_drawn_grids_are_counted(experts):
    assert sum(right(draw_grid, lambda v: grid_of(experts, v.pixels)[0], range(5000, 5008))) >= 7


@needs_fonts
def test_drawn_circled_letters_are_read(experts):
    assert sum(right(draw_word, lambda v: experts["letter"].do_circled([v.pixels])["letter"], range(5000, 5006))) >= 5


@needs_fonts
def test_drawn_subway_routes_are_counted(experts):
    found = right(draw_subway, lambda v: experts["routes"].do_routes([v.pixels], v.asked["stations"])["count"], range(5000, 5005))
    assert sum(found) >= 4


@pytest.mark.slow
@needs_fonts
@pytest.mark.parametrize("kind", ["grid", "letter", "routes"])
def test_most_of_many_variants_are_right(experts, kind):
    draw, answer = {
        "grid": (draw_grid, lambda v: grid_of(experts, v.pixels)[0]),
        "letter": (draw_word, lambda v: experts["letter"].do_circled([v.pixels])["letter"]),
        "routes": (draw_subway, lambda v: experts["routes"].do_routes([v.pixels], v.asked["stations"])["count"]),
    }[kind]
    assert np.mean(right(draw, answer, range(6000, 6100))) >= 0.95


def other_pictures():
    rng = np.random.default_rng(5)
    yield "white", np.full((300, 300, 3), 255, np.uint8)
    yield "black", np.zeros((64, 200, 3), np.uint8)
    yield "noise", rng.integers(0, 256, (200, 260, 3), dtype=np.uint8)
    yield "one pixel", np.zeros((1, 1, 3), np.uint8)
    yield "a stripe", np.full((3, 500, 3), 200, np.uint8)
    ramp = np.broadcast_to(np.linspace(0, 255, 256)[None, :, None], (180, 256, 3)).astype(np.uint8)
    yield "ramp", ramp
    disc = np.full((240, 240, 3), 255, np.uint8)
    ys, xs = np.mgrid[:240, :240]
    disc[np.abs(np.hypot(xs - 120, ys - 120) - 60) < 3] = (255, 0, 0)
    yield "an oval around nothing", disc


@pytest.mark.parametrize(("name", "pixels"), list(other_pictures()), ids=lambda value: value if isinstance(value, str) else "")
def test_a_picture_of_another_kind_has_confidence_zero_and_a_reason(experts, name, pixels):
    replies = [
        experts["grid"].do_grid([pixels]),
        experts["letter"].do_circled([pixels]),
        experts["routes"].do_routes([pixels], ["A", "B"]),
    ]
    assert [reply["confidence"] for reply in replies] == [0.0] * 3
    assert all(reply["evidence"].startswith("no ") for reply in replies)


@needs_fonts
def test_each_expert_declines_the_others_kinds(experts):
    assert experts["letter"].do_circled([draw_grid(1, colours="black on white").pixels])["confidence"] == 0.0
    assert experts["grid"].do_grid([draw_word(1).pixels])["confidence"] == 0.0
    assert experts["routes"].do_routes([draw_grid(2, words="none", colours="grey").pixels], ["A", "B"])["confidence"] == 0.0


def test_bad_requests_are_the_callers_fault(experts):
    white = np.full((100, 100, 3), 255, np.uint8)
    for images in ([], [white, white], [white[:, :, 0]]):
        with pytest.raises(ValueError, match=r"picture|RGB"):
            experts["grid"].do_grid(images)
    with pytest.raises(ValueError, match="two different stations"):
        experts["routes"].do_routes([white], ["A", "a"])


def answers(experts, category):
    for pixels, row in train_half(category, 6):
        if category.startswith("Counting"):
            found = ",".join(map(str, grid_of(experts, pixels)[0]))
        elif category == "Circled Letter":
            found = experts["letter"].do_circled([pixels])["letter"]
        else:
            found = str(experts["routes"].do_routes([pixels], list(row["meta"]["stations"]))["count"])
        yield found == row["answer"]


@pytest.mark.slow
@pytest.mark.parametrize("category", ["Counting Grid - Blank Grids", "Counting Grid - Word Grids", "Circled Letter", "Subway Connections"])
def test_a_sample_of_the_real_training_half(experts, category):
    assert np.mean(list(answers(experts, category))) >= 0.98


@needs_fonts
@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize(("one", "other"), [("#332288", "#bb5566"), ("#882255", "#117733")])
def test_thin_smooth_lines_have_one_colour_each(experts, scale, one, other):
    image = Image.new("RGB", (600 * scale, 600 * scale), "white")
    draw = ImageDraw.Draw(image)
    font = ImageFont.truetype("DejaVuSans-Bold.ttf", 36 * scale)
    for name, (x, y) in {"A": (300, 36), "B": (564, 300), "C": (300, 564), "D": (36, 300)}.items():
        draw.text((x * scale, y * scale), name, font=font, fill="black", anchor="mm")
    for colour, nodes in {
        one: ((300, 72), (300, 199), (227, 199), (227, 300), (72, 300)),
        other: ((300, 528), (300, 401), (528, 401)),
    }.items():
        last = (528, 300) if nodes[-1][0] == 528 else nodes[-1]
        draw.line([(x * scale, y * scale) for x, y in (*nodes, last)], fill=colour, width=2 * scale)
    pixels = np.asarray(image.resize((600, 600), Image.Resampling.LANCZOS))
    counts = [experts["routes"].do_routes([pixels], list(pair))["count"] for pair in ("AD", "BC", "AC")]
    assert counts == [1, 1, 0]
