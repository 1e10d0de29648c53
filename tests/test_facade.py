"""The orchestrator in Python."""

import asyncio
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageDraw

import maestro
from maestro import Maestro
from maestro.errors import ConfigError, ImageError, MaestroError
from maestro.policy.baselines import FixedPolicy
from maestro.policy.dialect_maestro import MaestroDialect
from maestro.types import StopReason
from tests.cli.conftest import write_registry

QUESTION = "What does the sign say?"


@pytest.fixture
def registry(tmp_path):
    return write_registry(tmp_path / "toy")


@pytest.fixture
def toy(registry):
    with Maestro.load("fixed:reader@read", registry) as loaded:
        yield loaded


def drawn_circles(count):
    """Dark circles on white, none touching another."""
    picture = Image.new("RGB", (420, 160), "white")
    draw = ImageDraw.Draw(picture)
    for n in range(count):
        draw.ellipse((30 + 100 * n, 40, 90 + 100 * n, 100), fill=(40, 90, 160))
    return picture


def test_one_load_answers_again_and_again(toy):
    seen = []
    for question in (QUESTION, "And now?"):
        episode = toy.ask(question, watch=seen.append)
        assert (episode.answer, episode.stop, episode.cost_usd) == ("The sign says 42.", StopReason.ANSWERED, 0.01)
    assert [type(turn.action).__name__ for turn in seen] == ["Call", "Answer"] * 2


def test_images_in_every_form_are_the_same_image(toy, tmp_path):
    picture = drawn_circles(2)
    path = tmp_path / "picture.png"
    picture.save(path)
    for image in (path, str(path), path.read_bytes(), picture, np.asarray(picture)):
        toy.ask(QUESTION, images=[image])
    assert len(toy.ensemble.images._pixels) == 1


@pytest.mark.parametrize(
    ("question", "options", "error", "told"),
    [
        ("  ", {}, ConfigError, "the question is empty"),
        (QUESTION, {"images": ["/nowhere/at-all.png"]}, ImageError, "no image at"),
        (QUESTION, {"images": "sign.png"}, ConfigError, r"give a list"),
        (QUESTION, {"images": np.zeros((4, 4), np.uint8)}, ConfigError, r"give a list"),
        (42, {}, ConfigError, "has to be text"),
        ("q \udcff", {}, ConfigError, "no UTF-8 text"),
        (QUESTION, {"images": None}, ConfigError, "give a list"),
        (QUESTION, {"images": [3]}, ImageError, "int is no image"),
        (QUESTION, {"choices": "abc"}, ConfigError, "list of texts"),
        (QUESTION, {"choices": [1, 2]}, ConfigError, "list of texts"),
        (QUESTION, {"seconds": float("nan")}, ConfigError, "seconds"),
        (QUESTION, {"turns": 0}, ConfigError, "turns"),
        (QUESTION, {"budget_usd": -1.0}, ConfigError, "budget_usd"),
        (QUESTION, {"seconds": 0}, ConfigError, "seconds"),
    ],
)
def test_mistakes_are_told(toy, question, options, error, told):
    with pytest.raises(error, match=told):
        toy.ask(question, **options)


def test_limits_end_the_episode(toy):
    assert toy.ask(QUESTION, turns=1).stop is StopReason.TURN_LIMIT
    assert toy.ask(QUESTION, turns=1, budget_usd=0).stop is StopReason.COST_LIMIT


def test_what_has_been_paid_for_is_answered_with(toy):
    episode = toy.ask(QUESTION, budget_usd=0.001)
    assert (episode.stop, len(episode.calls)) == (StopReason.ANSWERED, 1)


def test_what_a_dollar_counts_is_told_to_the_policy(toy):
    told = []

    class Heeds(FixedPolicy):
        def open(self, opening):
            told.append(opening.cost_weight)
            return super().open(opening)

    toy.policy = Heeds((("reader", "read"),), MaestroDialect())
    toy.ask(QUESTION, cost_weight=3.5)
    toy.ask(QUESTION)
    assert told == [3.5, None]


def test_choices_reach_the_policy_and_the_skill(registry):
    from maestro.facade import question_task
    from maestro.images import ImageStore

    assert question_task(" What? ", [], ImageStore(), ["a", "b"]).choices == ("a", "b")
    with Maestro.load("fixed:reader@read", registry) as loaded:
        assert loaded.ask(QUESTION, choices=["a", "b"]).answer


async def test_many_questions_at_once_and_what_blocks_says_so(registry):
    async with Maestro.load("fixed:reader@read", registry) as loaded:
        episodes = await asyncio.gather(*(loaded.ask_async(f"{QUESTION} {n}") for n in range(8)))
        assert {episode.answer for episode in episodes} == {"The sign says 42."}
        assert len({episode.task_id for episode in episodes}) == 8
        with pytest.raises(MaestroError, match=r"await maestro\.ask_async"):
            loaded.ask(QUESTION)
        with pytest.raises(MaestroError, match=r"await maestro\.close_async"):
            loaded.close()
    with pytest.raises(MaestroError, match="is closed"):
        await loaded.ask_async(QUESTION)


def test_closed_is_closed(registry):
    loaded = Maestro.load("random", registry)
    loaded.close()
    loaded.close()
    with pytest.raises(MaestroError, match="is closed"):
        loaded.ask(QUESTION)


def test_unknown_names_say_what_exists(registry):
    with pytest.raises(ConfigError, match="fixed:EXPERT@SKILL"):
        Maestro.load("no-such-policy", registry)


def test_the_playground_sees_a_picture_of_ones_own():
    with Maestro.load("fixed:fast-opencv@count", workers=1) as loaded:
        for count in (2, 4):
            episode = loaded.ask("How many circles are there?", images=[drawn_circles(count)])
            assert episode.answer == str(count), episode
        models = loaded.ensemble.pool._models
    assert all(not worker.alive for worker in models._all)


@pytest.mark.slow
def test_the_shipped_policy_answers():
    pytest.importorskip("torch", reason="the extra `train` is not installed")
    with Maestro.load() as loaded:
        episode = loaded.ask("How many circles are there?", images=[drawn_circles(3)])
    assert episode.policy == "maestro-reading"
    assert episode.answer == "3", episode


def test_importing_is_cheap():
    code = (
        "import sys, maestro\n"
        "print(sorted({'pydantic', 'numpy', 'PIL', 'asyncio', 'torch'} & set(sys.modules)))\n"
        "from maestro import Maestro\n"
        "print(sorted({'torch', 'transformers', 'rich', 'click'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "[]"]
    with pytest.raises(AttributeError, match="no attribute 'Meastro'"):
        maestro.Meastro  # noqa: B018
