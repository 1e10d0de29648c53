"""The skills on matplotlib figures as other people save them: scaled, padded, dark, faint, small, compressed."""

import pytest

pytest.importorskip("cv2", reason="the extra `playground` is not installed")
pytest.importorskip("rapidocr", reason="the extra `playground` is not installed")
pytest.importorskip("matplotlib", reason="the extra `figures` is not installed")

import numpy as np
from PIL import Image

from maestro.ensembles.vlms_are_blind.experts.backdrop import thin_kept
from maestro.ensembles.vlms_are_blind.experts.ruled_grid import RuledGrid
from maestro.images import ImageStore
from maestro.tasks.opening import task_source
from tests.ensembles.vlms_are_blind.plotted.asking import asked, right
from tests.ensembles.vlms_are_blind.plotted.folder import KINDS, plotted, write_folder
from tests.ensembles.vlms_are_blind.plotted.style import HELD_OUT, SEEN

QUICK = {"lines": 1, "contact": 2, "rings": 0, "pentagons": 0, "squares": 0, "blank_grid": 1, "word_grid": 1, "letter": 0, "subway": 1}
"""A number of each kind whose pictures are of usual size."""


@pytest.mark.parametrize("axis", ["plain", "small"])
@pytest.mark.parametrize("kind", KINDS)
def test_both_wordings_are_answered_on_a_figure_of_this_axis(kind, axis):
    image, scene = plotted(kind, axis, QUICK[kind])
    assert all(right(scene, question, asked(kind, image, question)) for question in scene.questions)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_nearly_all_figures_are_read_or_doubted(kind):
    sure = 0
    for axis in set(SEEN + HELD_OUT) - {"dashed"}:
        for number in range(900, 903):
            image, scene = plotted(kind, axis, number)
            question = list(scene.questions)[number % 2]
            found = asked(kind, image, question)
            sure += not right(scene, question, found) and found.confidence > 0.5
    assert sure <= 1


@pytest.mark.parametrize("number", [301, 302, 304])
def test_grids_of_faint_lines_one_pixel_wide_are_counted(number):
    image, scene = plotted("word_grid", "close", number)
    question = next(iter(scene.questions))
    assert right(scene, question, asked("word_grid", image, question))


@pytest.mark.parametrize(("axis", "number"), [("nearest", 701), ("recoloured", 700)])
def test_a_crossing_near_the_end_of_a_line_counts(axis, number):
    image, scene = plotted("lines", axis, number)
    question = next(iter(scene.questions))
    assert right(scene, question, asked("lines", image, question))


def test_a_grid_with_room_for_a_missing_line_is_less_sure():
    def grid(lines):
        picture = np.full((300, 300, 3), 255, np.uint8)
        for at in lines:
            picture[20 + 60 * at : 22 + 60 * at, 20:262] = 0
        for at in range(5):
            picture[20:262, 20 + 60 * at : 22 + 60 * at] = 0
        return RuledGrid().do_grid([picture])

    whole, lacking = grid(range(5)), grid([0, 1, 3, 4])
    assert (whole["rows"], lacking["rows"]) == (4, 3)
    assert lacking["confidence"] < whole["confidence"] - 0.2


def test_a_mask_made_smaller_keeps_its_thinnest_lines_whole():
    mask = np.zeros((2000, 2000), bool)
    mask[::100] = True
    small = thin_kept(mask, 900)
    assert small.shape == (900, 900)
    assert small.all(axis=1).sum() >= 20


def test_a_written_folder_is_a_task_source_with_both_wordings(tmp_path):
    rows = write_folder(tmp_path / "plots", range(2), kinds=("squares", "contact"), axes=("plain",))
    tasks = task_source(str(tmp_path / "plots")).load("all", None, ImageStore())
    assert [task.id for task in tasks] == [row["task_id"] for row in rows]
    assert len({task.question for task in tasks}) == 4


def test_a_figure_is_always_the_same():
    one, other = plotted("rings", "padded", 3), plotted("rings", "padded", 3)
    assert one[0].tobytes() == other[0].tobytes()


@pytest.mark.parametrize("degrees", [-11.0, -1.5, 2.5, 8.0])
@pytest.mark.parametrize("kind", ["blank_grid", "word_grid"])
def test_a_grid_that_is_turned_a_little_is_read(kind, degrees):
    image, scene = plotted(kind, "plain", QUICK[kind])
    turned = image.rotate(degrees, resample=Image.Resampling.BICUBIC, expand=True, fillcolor="white")
    question = next(iter(scene.questions))
    assert right(scene, question, asked(kind, turned, question))


def test_no_grid_is_made_of_a_turned_drawing_of_something_else():
    for kind in ("rings", "pentagons", "squares", "lines", "subway"):
        image, _ = plotted(kind, "plain", QUICK[kind])
        turned = image.rotate(3.0, resample=Image.Resampling.BICUBIC, expand=True, fillcolor="white")
        assert RuledGrid().do_grid([np.asarray(turned)])["confidence"] < 0.5, kind
