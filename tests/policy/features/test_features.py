from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from maestro.errors import CheckpointError
from maestro.images import ImageStore
from maestro.policy.features import picture, question
from maestro.policy.features.glance import Glance
from maestro.policy.features.history import ActionSpace
from maestro.policy.features.network import Committee, Network
from maestro.policy.features.picture import picture_vector
from maestro.policy.features.policy import FeaturePolicy
from maestro.policy.features.question import question_vector
from maestro.policy.protocol import Opening
from maestro.registry.menu import Menu
from maestro.rollout.episode import run_episode
from maestro.types import Answer, Call, Expert, Observation, Skill, StopReason, Task

MENU = Menu(
    experts=tuple(Expert(id=name, summary="s", kind="scripted") for name in ("cheap", "dear", "sums")),
    skills=(
        Skill(id="read", summary="s", experts=("cheap", "dear"), takes=("question", "region"), target="m:f"),
        Skill(id="solve", summary="s", experts=("sums",), takes=("expression",), target="m:f"),
    ),
)
SPACE = ActionSpace.of(MENU, ("red",))


def seen(value: str | None, gives: str = "answer", confidence: float = 0.9) -> Observation:
    return Observation(text="", value=value, gives=gives, confidence=confidence, cost_usd=0.01)  # type: ignore[arg-type]


def network(values: list[float]) -> Network:
    """Every state has these values."""
    zeros = np.zeros
    glance = Glance(
        topic_into=zeros((question.SIZE, 3), np.float32),
        topic_bias=zeros(3, np.float32),
        topic_out=zeros((3, 2), np.float32),
        topic_out_bias=np.array([0, 1], np.float32),
        look_into=zeros((picture.SIZE, 3), np.float32),
        look_bias=zeros(3, np.float32),
        look_out=zeros((3, 4), np.float32),
        look_out_bias=zeros(4, np.float32),
    )
    return Network(
        glance=glance,
        mean=zeros(picture.SIZE, np.float32),
        scale=np.ones(picture.SIZE, np.float32),
        embed=zeros((question.SIZE + picture.SIZE, 5), np.float32),
        embed_bias=zeros(5, np.float32),
        into=zeros((5 + glance.size + SPACE.history_size, 4), np.float32),
        into_bias=zeros(4, np.float32),
        middle=zeros((4, 4), np.float32),
        middle_bias=zeros(4, np.float32),
        out=zeros((4, SPACE.size), np.float32),
        out_bias=np.array(values, np.float32),
    )


def committee(values: list[float]) -> Committee:
    return Committee([network(values)])


def test_questions_differ_by_words_not_by_numbers() -> None:
    one, same, other = (question_vector(text) for text in ("What is 17 + 4?", "What is 23 + 9?", "How many red circles are there?"))
    assert np.allclose(one, same)
    assert float(one @ other) < 0.5
    assert np.linalg.norm(other) == pytest.approx(1.0)
    assert not question_vector("").any()


def test_pictures_of_any_size_have_finite_features() -> None:
    for size in ((1, 1), (3, 500), (200, 200), (1600, 1200)):
        vector = picture_vector(Image.effect_noise(size, 60).convert("RGB"))
        assert vector.shape == (picture.SIZE,)
        assert np.isfinite(vector).all()
    assert not picture_vector(None).any()


def test_a_texture_changes_the_features_more_than_a_shift_of_content() -> None:
    def drawn(x: int, *, noisy: bool) -> np.ndarray:
        image = Image.effect_noise((400, 300), 120).convert("RGB") if noisy else Image.new("RGB", (400, 300), "white")
        ImageDraw.Draw(image).rectangle((x, 100, x + 60, 160), fill="black")
        return picture_vector(image)

    assert (
        np.abs(drawn(100, noisy=False) - drawn(100, noisy=True)).sum() > 3 * np.abs(drawn(100, noisy=False) - drawn(140, noisy=False)).sum()
    )


def test_open_actions_at_the_start() -> None:
    actions = SPACE.actions("The sign says 42. What does it say?", [])
    assert actions[:2] == [Call(expert="cheap", skill="read"), Call(expert="dear", skill="read")]
    assert actions[2] is None  # solve takes expressions only
    assert actions[3:6] == [None, None, None]
    assert actions[6:] == [Answer(text="42"), Answer(text="red")]


def test_what_came_back_becomes_the_next_query() -> None:
    steps = [(Call(expert="cheap", skill="read"), seen("1+2", "expression"))]
    actions = SPACE.actions("?", steps)
    assert actions[0] is None  # made already
    assert actions[2] == Call(expert="sums", skill="solve", query="1+2")
    assert actions[3] is None  # an expression is no answer


def test_the_surest_value_is_carried_and_then_the_next() -> None:
    steps = [
        (Call(expert="cheap", skill="read"), seen("1+2", "expression", confidence=0.3)),
        (Call(expert="dear", skill="read"), seen("1+7", "expression", confidence=0.8)),
    ]
    solve = Call(expert="sums", skill="solve", query="1+7")
    assert SPACE.actions("?", steps)[2] == solve
    assert SPACE.actions("?", [*steps, (solve, seen(None))])[2] == Call(expert="sums", skill="solve", query="1+2")
    assert SPACE.actions("?", [*steps, (Call(expert="sums", skill="solve", query="9"), seen(None)), (solve, seen(None))])[:3] == [None] * 3


def test_answers_are_the_last_the_surest_and_the_best_supported() -> None:
    steps = [
        (Call(expert="cheap", skill="read"), seen("7", confidence=0.9)),
        (Call(expert="dear", skill="read"), seen("8", confidence=0.4)),
    ]
    assert SPACE.actions("?", steps)[3:6] == [Answer(text="8"), Answer(text="7"), None]
    third = (Call(expert="cheap", skill="read", query="1,2,3,4"), seen("8", confidence=0.6))
    last = (Call(expert="dear", skill="read", query="1,2,3,4"), seen("5", confidence=0.1))
    assert SPACE.actions("?", [*steps, third, last])[3:6] == [Answer(text="5"), Answer(text="7"), Answer(text="8")]
    assert SPACE.vector(steps).shape == (SPACE.history_size,)
    assert not np.array_equal(SPACE.vector(steps), SPACE.vector(steps[::-1]))


def test_a_glance_gives_chances() -> None:
    opinion = network([0.0] * SPACE.size).glance(question_vector("?"), np.zeros(picture.SIZE, np.float32))
    assert opinion[:2].sum() == pytest.approx(1.0)
    assert opinion[1] > opinion[0]
    assert opinion[2:].tolist() == [0.5] * 4


class Fake:
    name = "fake@0"
    menu = MENU

    async def perform(self, call: Call, task: Task, deadline_seconds: float) -> Observation:
        return seen("7")


async def test_the_same_loop_runs_it() -> None:
    policy = FeaturePolicy(SPACE, committee([0.5, 0.2, 0, 0.9, 0, 0, 0, 0.1]), ImageStore())
    episode = await run_episode(Task(id="t", question="Which number?"), policy, Fake())
    assert [call.expert for call in episode.calls] == ["cheap"]
    assert (episode.answer, episode.stop) == ("7", StopReason.ANSWERED)


async def test_drawing_is_repeatable_and_follows_the_values() -> None:
    policy = FeaturePolicy(SPACE, committee([0.5, 0.5, 0, 0.9, 0, 0, 0, 0.0]), ImageStore(), temperature=0.1, seed=3)
    runs = [[(await run_episode(Task(id=f"t{i}", question="?"), policy, Fake())).calls[0].expert for i in range(40)] for _ in range(2)]
    assert runs[0] == runs[1]
    assert set(runs[0]) == {"cheap", "dear"}


async def test_a_smaller_menu_closes_actions() -> None:
    small = Menu(experts=MENU.experts, skills=(MENU.skills[0].model_copy(update={"experts": ("dear",)}),))
    policy = FeaturePolicy(SPACE, committee([0.9, 0.2, 0.9, 0, 0, 0, 0, 0.1]), ImageStore())
    decision = await policy.open(Opening(Task(id="t", question="?"), small)).decide()
    assert policy.dialect.parse(decision.text) == Call(expert="dear", skill="read")


def test_save_and_load(tmp_path: Path) -> None:
    FeaturePolicy(SPACE, committee([1, 2, 3, 4, 5, 6, 7, 8]), ImageStore()).save(tmp_path / "mine")
    loaded = FeaturePolicy.load(tmp_path / "mine", ImageStore())
    assert loaded.space == SPACE
    assert loaded.committee.networks[0].out_bias.tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    (tmp_path / "mine" / "features.npz").write_bytes(b"torn")
    with pytest.raises(CheckpointError, match="feature policy"):
        FeaturePolicy.load(tmp_path / "mine", ImageStore())


async def test_a_reluctant_policy_needs_a_better_reason_to_call() -> None:
    values = [0.52, 0.2, 0, 0, 0, 0, 0, 0.5]  # a call looks a little better than the word
    for reluctance, calls in ((0.0, 3), (0.05, 0)):
        policy = FeaturePolicy(SPACE, committee(values), ImageStore(), reluctance=reluctance)
        episode = await run_episode(Task(id="t", question="Which colour?"), policy, Fake())
        assert bool(episode.calls) == bool(calls)


def test_a_committee_averages_and_keeps_one_glance(tmp_path: Path) -> None:
    both = Committee([network([1.0] * SPACE.size), network([3.0] * SPACE.size)])
    fixed = both.fixed(question_vector("?"), picture_vector(None))
    assert both.values(fixed, SPACE.vector([])).tolist() == [2.0] * SPACE.size
    assert sum(name.startswith("glance.topic_into") for name in both.arrays()) == 1
    FeaturePolicy(SPACE, both, ImageStore(), reluctance=0.03).save(tmp_path)
    loaded = FeaturePolicy.load(tmp_path, ImageStore())
    assert len(loaded.committee.networks) == 2
    assert loaded.reluctance == 0.03
