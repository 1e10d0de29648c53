from __future__ import annotations

import math
import random

from maestro.train.episodes.metrics import mutual_information, standing, summarise
from maestro.types import Answer, Call, Decision, Episode, Malformed, Observation, Reward, StopReason, Task, Tokens, Turn


def episode(*actions: object, total: float = 1.0, stop: StopReason = StopReason.ANSWERED) -> Episode:
    turns = tuple(
        Turn(decision=Decision(text=""), action=action, observation=None if isinstance(action, Answer) else Observation(text="x"))
        for action in actions
    )
    reward = Reward(terms={"outcome": total, "cost": -0.01}, weights={"outcome": 1.0, "cost": 20.0})
    tokens = Tokens(prompt_ids=(1,), completion_ids=(2, 3), mask=(1, 0), logprobs=(-0.5, 0.0))
    return Episode(task_id="t", turns=turns, stop=stop, reward=reward, tokens=tokens)


def test_information_is_that_of_the_labels_and_none_when_they_are_independent() -> None:
    rng = random.Random(1)
    assert math.isclose(mutual_information([(kind, kind) for kind in "abcd" * 500]), math.log(4), rel_tol=0.01)
    assert mutual_information([(rng.choice("abcd"), rng.choice("wxyz")) for _ in range(500)]) < 0.02


def test_broken_episodes_are_counted_and_left_out() -> None:
    task = Task(id="t", question="?")
    good = episode(Call(expert="e", skill="s"), Answer(text="1"), total=1.0)
    bad = episode(Call(expert="e", skill="s"), total=0.0, stop=StopReason.INFRASTRUCTURE)
    numbers = summarise([task, task], [good, bad])
    assert (numbers["broken"], numbers["accuracy"], numbers["calls"]) == (1, 1.0, 1.0)
    assert math.isclose(numbers["utility"], 0.8)


def test_entropy_counts_sampled_tokens_only_and_malformed_turns_are_a_rate() -> None:
    task = Task(id="t", question="?")
    numbers = summarise([task], [episode(Malformed(reason="no"), Answer(text="1"))])
    assert (numbers["entropy"], numbers["malformed"], numbers["wellformed"]) == (0.5, 0.5, 0.0)


def test_a_look_that_lost_the_grammar_stands_below_one_that_kept_it() -> None:
    nonsense, poor, good = ({"utility": utility, "wellformed": kept} for utility, kept in ((0.0, 0.1), (-0.2, 0.95), (0.3, 0.8)))
    places = [standing(summary, 0.8) for summary in (nonsense, poor, good)]
    assert places == [(False, 0.0), (True, -0.2), (True, 0.3)]
    assert sorted(place for place in places if place is not None) == places
    assert standing({"episodes": 3, "broken": 3}, 0.8) is None
