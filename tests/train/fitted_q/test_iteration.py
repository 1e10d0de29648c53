"""Fitted Q iteration on a small recorded pool whose best policy is known."""

from __future__ import annotations

import random

import numpy as np
import pytest

from maestro.errors import ConfigError
from maestro.images import ImageStore
from maestro.policy.baselines.recorded import RecordedTask
from maestro.policy.features.history import ActionSpace
from maestro.policy.features.policy import FeaturePolicy
from maestro.policy.features.question import question_vector
from maestro.registry.menu import Menu
from maestro.reward import RewardRule
from maestro.rollout.pool import RecordedPool
from maestro.tasks.source import TaughtTask
from maestro.train.fitted_q.decision_tree import DecisionTrees
from maestro.train.fitted_q.glance import Taught, teach_glance
from maestro.train.fitted_q.iteration import FittedQ, FittedQConfig
from maestro.train.fitted_q.training import play, settle
from maestro.types import Answer, Call, Expert, Observation, Skill, Task

MENU = Menu(
    experts=tuple(Expert(id=name, summary="s", kind="scripted") for name in ("cheap", "dear")),
    skills=(Skill(id="read", summary="s", experts=("cheap", "dear"), takes=("question",), target="m:f"),),
)
CONFIG = FittedQConfig(rounds=5, epochs=25, batch=64, hidden=(48, 32), embedding=16, words=0, walks=2, returns_from=3)
CHEAP, DEAR = 0.001, 0.015  # 0.02 and 0.3 of utility


def recorded(index: int) -> RecordedTask:
    """The cheap expert is right on signs, and says honestly when it is not on posters; the dear one is always right."""
    rng = random.Random(index)
    sign, lucky, answer = index % 2 == 0, rng.random() < 0.4, str(1000 + index)
    question = f"What does the {'sign' if sign else 'poster'} say, number {index}?"
    task = Task(id=f"t/{index}", question=question, references=(answer,), category="sign" if sign else "poster")
    good = sign or lucky
    outcomes = {
        ("cheap", "read", ""): Observation(
            text="",
            value=answer if good else f"wrong {index}",
            confidence=rng.uniform(0.7, 1.0) if good else rng.uniform(0.0, 0.3),
            cost_usd=CHEAP,
        ),
        ("dear", "read", ""): Observation(text="", value=answer, confidence=0.95, cost_usd=DEAR),
    }
    return RecordedTask(task, outcomes)


def taught(tasks: list[RecordedTask]) -> Taught:
    return teach_glance([TaughtTask(one.task, ("read",), "plain") for one in tasks], ImageStore(), seed=1, hidden=8)


@pytest.fixture(scope="module")
def policy() -> FeaturePolicy:
    tasks = [recorded(index) for index in range(160)]
    learner = FittedQ(tasks, MENU, ImageStore(), taught(tasks), CONFIG)
    return FeaturePolicy(learner.space, learner.train(), ImageStore())


def test_it_learns_to_look_again_only_where_the_cheap_one_is_not_sure(policy: FeaturePolicy) -> None:
    fresh = RecordedPool([recorded(index) for index in range(1000, 1100)], MENU, "toy", 20.0)
    reached = play(policy, fresh, RewardRule(cost_weight=20.0))
    best = 1.0 - 20 * (CHEAP + 0.3 * DEAR)  # thirty in a hundred posters-or-signs need the dear one
    assert reached.accuracy > 0.95
    assert reached.utility > best - 0.06  # always dear: 0.70; always cheap: about 0.68
    assert reached.utility <= 1.0


def test_the_settled_reluctance_is_the_one_that_pays_best(policy: FeaturePolicy) -> None:
    validation = RecordedPool([recorded(index) for index in range(500, 560)], MENU, "toy", 20.0)
    rule = RewardRule(cost_weight=20.0)
    policy.reluctance = 0.0
    without = play(policy, validation, rule)
    assert settle(policy, validation, rule).utility >= without.utility
    policy.reluctance = 0.0


def test_the_same_seed_gives_the_same_weights_and_another_seed_others() -> None:
    tasks = [recorded(index) for index in range(12)]
    config = CONFIG.model_copy(update={"rounds": 1, "epochs": 2})

    def weights(seed: int) -> np.ndarray:
        learner = FittedQ(tasks, MENU, ImageStore(), taught(tasks), config.model_copy(update={"seed": seed}))
        return learner.train().networks[0].out

    assert np.array_equal(weights(1), weights(1))
    assert not np.array_equal(weights(1), weights(2))


def test_trees_grow_where_they_are_visited_and_know_what_is_recorded() -> None:
    tasks = [recorded(0), recorded(1)]
    trees = DecisionTrees(tasks, ActionSpace.of(MENU))
    assert len(trees) == trees.tasks == 2
    edges = trees.expand(1)
    assert len(edges.calls) == 2
    assert len(trees) == 4
    assert trees.expand(1) is edges
    after = trees.expand(edges.nodes[0])
    said = float(tasks[1].outcomes["cheap", "read", ""].value == "1001")
    assert after.scores == [said, 0.0]  # what the expert said, and the number in the question
    assert [trees.space.pairs[column] for column in after.calls] == [("dear", "read")]  # never the same call twice
    assert trees.task.tolist()[:4] == [0, 1, 1, 1]
    actions = trees.space.actions(tasks[1].task.question, ())
    assert [isinstance(action, Call) for action in actions[:2]] == [True, True]
    assert actions[-1] == Answer(text="1")  # the number in the question


def test_a_glance_learns_what_questions_are_about() -> None:
    tasks = [recorded(index) for index in range(80)]
    lesson = taught(tasks)
    assert lesson.topic_accuracy > 0.9
    opinion = lesson.glance(question_vector("Please read me the sign."), np.zeros(len(lesson.mean), np.float32))
    assert opinion[1] > opinion[0]  # topics are in alphabetical order: poster, sign
    with pytest.raises(ConfigError, match="warm split"):
        teach_glance([], ImageStore(), 1)


def test_a_policy_that_must_ask_first_has_no_answer_before_and_may_go_elsewhere_when_nothing_came_back() -> None:
    menu = Menu(
        experts=(Expert(id="cheap", summary="s", kind="scripted"),),
        skills=tuple(Skill(id=name, summary="s", experts=("cheap",), takes=("question",), target="m:f") for name in ("count", "read")),
    )
    asking = ActionSpace.of(menu, ("yes",), unasked=False, elsewhere=True)
    first = asking.actions("Is 3 right?", ())
    assert [isinstance(action, Call) for action in first if action is not None] == [True, True]
    nothing = ((Call(expert="cheap", skill="read"), Observation(text="none", value=None)),)
    assert Call(expert="cheap", skill="count") in asking.actions("Is 3 right?", nothing)
    assert Answer(text="3") in asking.actions("Is 3 right?", nothing)
    found = ((Call(expert="cheap", skill="read"), Observation(text="4", value="4")),)
    assert Call(expert="cheap", skill="count") not in asking.actions("Is 3 right?", found)
    assert Call(expert="cheap", skill="count") not in ActionSpace.of(menu).actions("Is 3 right?", nothing)
