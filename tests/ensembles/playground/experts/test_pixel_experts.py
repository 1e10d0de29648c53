"""The pixel experts on pictures drawn here: what each is for, and where the cheaper one gives way."""

import json
from collections import Counter

import numpy as np
import pytest

from tests.ensembles.playground import drawings

pytest.importorskip("cv2")

from maestro.ensembles.playground.experts.fast_opencv import FastOpenCv
from maestro.ensembles.playground.experts.fitting_opencv import FittingOpenCv
from maestro.ensembles.playground.experts.robust_opencv import RobustOpenCv
from maestro.ensembles.playground.experts.trained_forest import TrainedForest

FAST, ROBUST, FITTING, FOREST = FastOpenCv(), RobustOpenCv(), FittingOpenCv(), TrainedForest()
ALL = pytest.mark.parametrize("expert", [FAST, ROBUST, FITTING, FOREST], ids=lambda expert: type(expert).__name__)


def pixels(image):
    return np.asarray(image.convert("RGB"))


def kinds(expert, image):
    return Counter(shape["kind"] for shape in expert.do_shapes([pixels(image)])["shapes"])


def mixed(colour="white"):
    image, draw = drawings.paper(colour=colour)
    wanted = ["circle", "circle", "square", "triangle", "triangle", "triangle"]
    for kind, (x, y), name in zip(wanted, drawings.scattered(6), ["red", "blue", "green", "purple", "orange", "red"], strict=True):
        drawings.shape(draw, kind, x, y, 15, name)
    return image, Counter(wanted)


@ALL
def test_separate_shapes_on_white_are_named_by_every_expert(expert):
    image, wanted = mixed()
    assert kinds(expert, image) == wanted


@ALL
def test_a_picture_without_shapes_has_none(expert):
    image, _ = drawings.paper()
    assert expert.do_shapes([pixels(image)])["shapes"] == []


@ALL
def test_replies_are_json(expert):
    image, _ = mixed()
    reply = expert.do_shapes([pixels(image)])
    assert json.loads(json.dumps(reply)) == reply
    assert all(0 <= shape["confidence"] <= 1 for shape in reply["shapes"])


def test_grain_and_shade_defeat_fixed_thresholds_but_not_the_background_model():
    image, wanted = mixed()
    rough = drawings.grainy(image)
    assert kinds(ROBUST, rough) == wanted
    assert kinds(FAST, rough) != wanted
    assert FAST.do_shapes([pixels(rough)])["clarity"] < 0.4 < FAST.do_shapes([pixels(image)])["clarity"]


def test_overlapping_discs_of_one_colour_need_circle_fitting():
    image, draw = drawings.paper()
    discs = [(80, 90, 36), (128, 104, 34), (170, 80, 38), (235, 150, 35), (255, 100, 33)]
    for x, y, radius in discs:
        drawings.shape(draw, "circle", x, y, radius, "blue", outline="black", width=2)
    assert kinds(FITTING, image) == Counter({"circle": 5})
    assert kinds(FAST, image)["circle"] < 5


def test_fitted_circles_lie_where_they_were_drawn():
    image, draw = drawings.paper()
    drawn = [(90, 110, 50), (150, 120, 44), (220, 100, 52)]
    for x, y, radius in drawn:
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline="black", width=3)
    found = FITTING.do_rings([pixels(image)])
    assert found["count"] == 3
    for x, y, radius in drawn:
        assert any(abs(c["x"] - x) < 2.5 and abs(c["y"] - y) < 2.5 and abs(c["radius"] - radius) < 3 for c in found["circles"])


@pytest.mark.parametrize("expert", [FAST, ROBUST, FITTING], ids=lambda expert: type(expert).__name__)
def test_linked_rings_on_white(expert):
    image, draw = drawings.paper()
    for x, y in [(70, 90), (125, 90), (180, 90), (98, 130), (153, 130)]:
        draw.ellipse((x - 32, y - 32, x + 32, y + 32), outline="black", width=3)
    assert expert.do_rings([pixels(image)])["count"] == (5 if expert is not FAST else pytest.approx(5, abs=1))


@ALL
@pytest.mark.parametrize(("gap", "contact"), [(-6, True), (6, False)])
def test_contact_of_two_circles(expert, gap, contact):
    image, draw = drawings.paper()
    for x in (160 - 40 - gap / 2, 160 + 40 + gap / 2):
        draw.ellipse((x - 40, 80, x + 40, 160), outline="black", width=2)
    reply = expert.do_contacts([pixels(image)])
    assert len(reply["gaps"]) == 1
    assert (reply["gaps"][0] <= 0) is contact


def test_a_turned_grid_is_straightened_by_the_robust_expert_only():
    image, draw = drawings.paper()
    for row in range(6):
        draw.line((60, 50 + 28 * row, 260, 50 + 28 * row), fill="black", width=2)
    for column in range(9):
        draw.line((60 + 25 * column, 50, 60 + 25 * column, 190), fill="black", width=2)
    upright = FAST.do_grid([pixels(image)])
    assert (upright["rows"], upright["columns"]) == (5, 8)
    turned = image.rotate(6, fillcolor="white")
    reply = ROBUST.do_grid([pixels(turned)])
    assert (reply["rows"], reply["columns"]) == (5, 8)
    naive = FAST.do_grid([pixels(turned)])
    assert (naive["rows"], naive["columns"]) != (5, 8)


@pytest.mark.parametrize("size", [(200, 150), (800, 600)])
def test_sizes_from_small_to_large(size):
    scale = size[0] / 320
    image, draw = drawings.paper(size, "#eef2e0")
    for x, y in [(60, 60), (160, 60), (250, 170)]:
        drawings.shape(draw, "circle", x * scale, y * scale, 22 * scale, "purple")
    drawings.shape(draw, "square", 80 * scale, 170 * scale, 22 * scale, "green")
    assert kinds(ROBUST, image) == Counter({"circle": 3, "square": 1})


@pytest.mark.parametrize("colour", ["red", "blue", "green", "orange", "purple", "yellow", "brown", "black"])
def test_colour_names_hold_under_shade_and_grain(colour):
    image, draw = drawings.paper()
    drawings.shape(draw, "circle", 160, 120, 40, colour)
    (found,) = ROBUST.do_shapes([pixels(drawings.grainy(image, 8.0))])["shapes"]
    assert found["colour"] == colour


def test_the_frame_of_the_named_colour():
    image, draw = drawings.paper(colour="#e4e0d0")
    draw.rectangle((30, 40, 130, 80), outline=drawings.SHADES["red"], width=3)
    draw.rectangle((180, 140, 290, 190), outline=drawings.SHADES["blue"], width=3)
    draw.text((190, 150), "QX-17", fill="black")
    for expert in (FAST, ROBUST):
        reply = expert.do_frame([pixels(image)], colour="blue")
        assert np.allclose(reply["box"], (183, 143, 288, 188), atol=2)


def test_no_frame_gives_no_box():
    image, draw = drawings.paper()
    drawings.shape(draw, "circle", 100, 100, 30, "red")
    assert ROBUST.do_frame([pixels(image)], colour="red")["box"] is None
