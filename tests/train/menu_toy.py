"""A small world whose cards tell who is good at what: two kinds of question, a cheap and a dear reader of each."""

from __future__ import annotations

import random

import numpy as np

from maestro.images import ImageStore
from maestro.policy.baselines.recorded import RecordedTask
from maestro.policy.features.glance import Glance
from maestro.policy.features.picture import SIZE as PICTURE
from maestro.policy.features.question import SIZE as QUESTION
from maestro.policy.reading.policy import Eyes
from maestro.registry.menu import Menu
from maestro.rollout.pool import RecordedPool
from maestro.train.reading.iteration import ReadingQConfig
from maestro.types import Expert, Observation, Price, Skill, Task

CHEAP, DEAR = 0.001, 0.015  # 0.02 and 0.3 of utility at 20 a dollar
MENU = Menu(
    experts=(
        Expert(id="cheap", summary="Inexpensive reader, good on clean signs.", kind="scripted", price=Price(call_usd=CHEAP)),
        Expert(id="dear", summary="The most accurate reader of everything, and the dearest.", kind="scripted", price=Price(call_usd=DEAR)),
    ),
    skills=(
        Skill(id="read", summary="Read a sign or a poster.", experts=("cheap", "dear"), takes=("question",), target="m:f"),
        Skill(id="count", summary="Count dots and circles.", experts=("cheap", "dear"), takes=("question",), target="m:f"),
    ),
)
MIDDLE = Expert(id="middle", summary="A reliable reader, accurate on everything.", kind="scripted", price=Price(call_usd=0.006))
WIDER = Menu(
    experts=(*MENU.experts, MIDDLE),
    skills=tuple(skill.model_copy(update={"experts": ("cheap", "dear", "middle")}) for skill in MENU.skills),
)
"""The same with a third reader, who is always right as well."""
CONFIG = ReadingQConfig(rounds=4, epochs=6, batch=16, lr=3e-3, sizes=(8, 48, 32, 16), words=0, returns_from=3, cost_weights=(2.0, 200.0))


def eyes() -> Eyes:
    """Eyes that tell nothing: the toy has no pictures, and its questions say all."""
    rng = np.random.default_rng(0)

    def flat(*shape: int) -> np.ndarray:
        return (0.01 * rng.normal(size=shape)).astype(np.float32)

    glance = Glance(flat(QUESTION, 4), flat(4), flat(4, 2), flat(2), flat(PICTURE, 4), flat(4), flat(4, 2), flat(2))
    return Eyes(glance, np.zeros(PICTURE, np.float32), np.ones(PICTURE, np.float32))


def recorded(index: int) -> RecordedTask:
    """Half are read, half counted, with the other skill in vain; the cheap expert is right on two of three and says when it is not."""
    rng = random.Random(index)
    reads, good, answer = index % 2 == 0, rng.random() < 0.67, str(1000 + index)
    question = f"Read the sign, number {index}." if reads else f"Count the dots, number {index}."
    task = Task(id=f"t/{index}", question=question, references=(answer,), category="sign" if reads else "dots")
    right, wrong = ("read", "count") if reads else ("count", "read")
    sure = rng.uniform(0.7, 1.0) if good else rng.uniform(0.0, 0.3)
    outcomes = {
        ("cheap", right, ""): Observation(value=answer if good else f"wrong {index}", confidence=sure, cost_usd=CHEAP),
        ("dear", right, ""): Observation(value=answer, confidence=0.95, cost_usd=DEAR),
        ("middle", right, ""): Observation(value=answer, confidence=0.95, cost_usd=0.006),
        ("middle", wrong, ""): Observation(text="answer: none", confidence=0.0, cost_usd=0.006),
        ("cheap", wrong, ""): Observation(text="answer: none", confidence=0.0, cost_usd=CHEAP),
        ("dear", wrong, ""): Observation(text="answer: none", confidence=0.0, cost_usd=DEAR),
    }
    return RecordedTask(task, outcomes)


def pool(first: int, count: int, menu: Menu = MENU) -> RecordedPool:
    """Recorded tasks from `first` on."""
    return RecordedPool([recorded(index) for index in range(first, first + count)], menu, "toy", 20.0)


IMAGES = ImageStore()
