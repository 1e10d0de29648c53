from __future__ import annotations

from typing import Any

import pytest

from maestro.train.alarms.rules import RULES
from maestro.train.alarms.watch import Alarms
from maestro.train.config.alarms import AlarmConfig

HEALTHY = {
    "loss": 0.1,
    "reward": 0.5,
    "entropy": 0.4,
    "first_share": 0.3,
    "wellformed": 1.0,
    "calls": 1.2,
    "experts": {"cheap": 0.6, "dear": 0.4},
    "skills": {"count": 0.5, "read": 0.5},
    "information": 0.6,
    "kinds": 5,
    "oracle_gap": 0.2,
    "lift_per_call": 0.4,
    "price_per_call": 0.05,
    "drift": 1e-6,
    "kl": 0.01,
    "infrastructure_share": 0.0,
    "truncated_share": 0.0,
    "equal_share": 0.3,
}
SICK = [
    ({"first_share": 0.97}, "collapse"),
    ({"entropy": 0.001}, "entropy"),
    ({"wellformed": 0.5}, "grammar"),
    ({"calls": 0.01}, "calls"),
    ({"experts": {"cheap": 0.97, "dear": 0.03}}, "expert"),
    ({"skills": {"count": 1.0}}, "skill"),
    ({"lift_per_call": 0.01}, "lift"),
    ({"drift": 0.2}, "drift"),
    ({"kl": 3.0}, "kl"),
    ({"infrastructure_share": 0.5, "faults": {"experts": {"dear": 12}}}, "infrastructure"),
    ({"truncated_share": 0.4}, "truncation"),
    ({"equal_share": 1.0}, "equal"),
]


def sounding(alarms: Alarms, steps: int, **numbers: Any) -> list[str]:
    return [alarm.name for step in range(steps) for alarm in alarms.check(step, {**HEALTHY, **numbers})]


def test_a_healthy_run_is_silent() -> None:
    assert sounding(Alarms(AlarmConfig()), 50) == []


@pytest.mark.parametrize(("numbers", "name"), SICK, ids=[name for _, name in SICK])
def test_a_condition_sounds_once_and_only_after_the_window(numbers: dict[str, Any], name: str) -> None:
    alarms = Alarms(AlarmConfig(window=5))
    assert sounding(alarms, 4, **numbers) == []
    assert sounding(alarms, 20, **numbers) == [name]
    assert sounding(alarms, 1) == []
    assert sounding(alarms, 5, **numbers) == [name]


@pytest.mark.parametrize("name", ["loss", "reward", "entropy", "grad_norm", "kl", "drift"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_nan_sounds_at_once_and_is_fatal(name: str, value: float) -> None:
    (alarm,) = Alarms(AlarmConfig()).check(3, {**HEALTHY, name: value})
    assert name in alarm.measured
    assert (alarm.name, alarm.fatal) == ("nan", True)
    assert "learning rate" in alarm.message


def test_falling_reward_sounds() -> None:
    alarms = Alarms(AlarmConfig(window=5, decline=0.1))
    assert sounding(alarms, 20, reward=0.6) == []
    assert sounding(alarms, 20, reward=0.3) == ["decline"]


def test_state_survives_a_restart() -> None:
    config = AlarmConfig(window=6)
    straight, first, second = Alarms(config), Alarms(config), Alarms(config)
    expected = sounding(straight, 10, first_share=1.0)
    begun = sounding(first, 4, first_share=1.0)
    second.restore(first.state())
    assert begun + sounding(second, 6, first_share=1.0) == expected == ["collapse"]


@pytest.mark.parametrize(("better", "worse", "name"), [(0.6, 0.0, "information"), (0.2, 0.5, "gap")])
def test_smoothed_conditions_sound_some_steps_later(better: float, worse: float, name: str) -> None:
    alarms, reads = Alarms(AlarmConfig(window=4)), {"information": "information", "gap": "oracle_gap"}[name]
    assert sounding(alarms, 10, **{reads: better}) == []
    assert sounding(alarms, 12, **{reads: worse}) == [name]


def test_what_the_registry_or_the_tasks_cannot_offer_is_no_alarm() -> None:
    alone = Alarms(AlarmConfig(window=2), experts=1, skills=1)
    assert sounding(alone, 9, first_share=1.0, experts={"only": 1.0}, skills={"only": 1.0}, information=0.0, kinds=1) == []
    bare = Alarms(AlarmConfig(window=2))
    assert [alarm for step in range(9) for alarm in bare.check(step, {"loss": 0.2, "entropy": None})] == []


def test_what_survives_an_outage_is_no_yardstick_for_what_comes_after() -> None:
    alarms = Alarms(AlarmConfig(window=3))
    assert sounding(alarms, 6, oracle_gap=0.2, reward=0.6) == []
    assert sounding(alarms, 6, oracle_gap=-0.4, reward=0.95, infrastructure_share=0.8) == ["infrastructure"]
    assert sounding(alarms, 9, oracle_gap=0.2, reward=0.6) == []


def test_an_outage_is_not_put_down_to_the_policy() -> None:
    """With every expert down only those that ask nobody survive: all alike, without a call, in groups too small to differ."""
    survivors = {
        "first_share": 1.0,
        "calls": 0.0,
        "information": 0.0,
        "equal_share": 1.0,
        "wellformed": 0.0,
        "reward": 0.0,
        "oracle_gap": 1.0,
    }
    alarms = Alarms(AlarmConfig(window=3, stop=True))
    assert sounding(alarms, 5) == []
    assert sounding(alarms, 20, infrastructure_share=0.9, **survivors) == ["infrastructure"]
    assert sounding(alarms, 20) == []


def test_a_reward_that_is_no_number_is_told_at_once_and_ends_nothing() -> None:
    (alarm,) = Alarms(AlarmConfig()).check(4, {**HEALTHY, "unscored": 2, "episodes": 16})
    assert (alarm.name, alarm.fatal) == ("unscored", False)
    assert "2 of 16 episodes" in alarm.message


def test_rounds_of_expert_iteration_have_a_window_of_their_own() -> None:
    alarms = Alarms(AlarmConfig(window=10, rounds=2))
    found = [alarm.name for turn in range(3) for alarm in alarms.check(turn, {**HEALTHY, "wellformed": 0.1}, rounds=True)]
    assert found == ["grammar"]


def test_an_alarm_says_what_was_measured_why_and_what_to_do() -> None:
    alarms = Alarms(AlarmConfig(window=1))
    sick: dict[str, Any] = {**HEALTHY, "infrastructure_share": 0.5, "faults": {"experts": {"dear-eye": 12, "cheap-eye": 1}}}
    (alarm,) = alarms.check(7, sick)
    assert alarm.measured == "infrastructure broke 50% of the episodes drawn; most of them by dear-eye (12), cheap-eye (1)"
    assert "Likely cause: experts or the policy's server are down" in alarm.message
    assert alarm.record()["alarm"] == "infrastructure"
    assert all(rule.cause and rule.advice and not rule.advice.endswith(".") for rule in RULES)
    assert len({rule.name for rule in RULES}) == len(RULES)
