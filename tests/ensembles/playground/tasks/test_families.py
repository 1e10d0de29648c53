"""Every family in every split draws scenes that can be looked at, asked about and answered."""

import re
from collections import Counter, defaultdict

import numpy as np
import pytest

from maestro.ensembles.playground.tasks.drawing import SIZES
from maestro.ensembles.playground.tasks.families import FAMILIES
from maestro.ensembles.playground.tasks.scene import LOOKS, Scene
from maestro.ensembles.playground.tasks.source import PlaygroundSource
from maestro.scoring.exact import normalise
from maestro.scoring.number import parse_number

SEEDS = 30
SOURCE = PlaygroundSource()


def check(scene: Scene) -> None:
    assert 8 <= len(scene.question) <= 170
    assert not re.search(r"[\[\]{}|]| {2}| [?.,]", scene.question), scene.question
    assert scene.references
    assert all(normalise(reference) and len(reference) <= 14 for reference in scene.references)
    if scene.profile == "number":
        assert parse_number(scene.references[0]) is not None
        assert set(scene.params) <= {"absolute", "relative"}
        assert all(value > 0 for value in scene.params.values())
    strip = scene.look[0] == "single"
    assert scene.image.mode == "RGB"
    assert (320 <= scene.image.width <= 448 and 56 <= scene.image.height <= 80) if strip else scene.image.size in SIZES
    assert 1 <= len(scene.look) <= 2
    assert set(scene.look) <= LOOKS.keys()


def contrast(scene: Scene) -> float:
    """How far the 15 most striking spots lie from the commonest colour, in RGB space."""
    pixels = np.asarray(scene.image.reduce(2), dtype=np.float32).reshape(-1, 3)
    distance = np.linalg.norm(pixels - np.median(pixels, axis=0), axis=1)
    return float(np.sort(distance)[-15])


def examine(split: str, name: str, seeds: range) -> None:
    for index in seeds:
        scene = SOURCE.scene(split, name, index)
        check(scene)
        assert contrast(scene) > 45, (split, name, index)
        assert scene.plan == FAMILIES[name].plan


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_draws_valid_scenes(name: str) -> None:
    if FAMILIES[name].withheld:
        examine("test-families", name, range(10))
    else:
        examine("train", name, range(6))
        examine("test-shifted", name, range(6))


@pytest.mark.slow
@pytest.mark.parametrize("split", SOURCE.splits)
def test_every_split_draws_valid_scenes(split: str) -> None:
    for name in SOURCE.families(split):
        examine(split, name, range(30))


def test_wording_is_varied_and_does_not_reveal_the_regime() -> None:
    openings: dict[str, set[str]] = defaultdict(set)
    for index in range(120):
        scene = SOURCE.scene("train", "text_line", index)
        openings[scene.regime].add(" ".join(scene.question.split()[:2]))
    assert len(openings) == 6
    assert len(set.union(*openings.values())) >= 12
    assert len(set.intersection(*openings.values())) >= 3


@pytest.mark.slow
@pytest.mark.parametrize("name", SOURCE.families("train"))
def test_answers_are_spread_so_that_a_guess_is_rarely_right(name: str) -> None:
    closed = {"plain_bright": 0.68, "crossings": 0.45, "routes": 0.45}
    answers = Counter(SOURCE.scene("train", name, index).references[0] for index in range(60))
    assert answers.most_common(1)[0][1] / 60 <= closed.get(name, 0.34), answers.most_common(3)


def test_programs_print_their_answers_and_stay_short() -> None:
    import contextlib
    import io
    import random

    from maestro.ensembles.playground.tasks.programs import draw_program

    for seed in range(60):
        lines, output = draw_program(random.Random(seed))
        assert 2 <= len(lines) <= 4
        assert sum(map(len, lines)) <= 62
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec("\n".join(lines), {})  # our own generated lines
        assert printed.getvalue().strip() == output
