from __future__ import annotations

import pytest

from maestro.train.alarms import Alarms
from maestro.train.config import AlarmConfig

HEALTHY = {"loss": 0.1, "reward": 0.5, "entropy": 0.4, "first_share": 0.3, "wellformed": 1.0}


def sounding(alarms: Alarms, steps: int, **numbers: float) -> list[str]:
    return [alarm.name for step in range(steps) for alarm in alarms.check(step, {**HEALTHY, **numbers})]


def test_a_healthy_run_is_silent() -> None:
    assert sounding(Alarms(AlarmConfig()), 50) == []


@pytest.mark.parametrize(
    ("numbers", "name"), [({"first_share": 0.97}, "collapse"), ({"entropy": 0.001}, "entropy"), ({"wellformed": 0.5}, "grammar")]
)
def test_a_condition_sounds_once_and_only_after_the_window(numbers: dict[str, float], name: str) -> None:
    alarms = Alarms(AlarmConfig(window=5))
    assert sounding(alarms, 4, **numbers) == []
    assert sounding(alarms, 20, **numbers) == [name]
    assert sounding(alarms, 1) == []
    assert sounding(alarms, 5, **numbers) == [name]


def test_nan_sounds_at_once_and_is_fatal() -> None:
    (alarm,) = Alarms(AlarmConfig()).check(3, {**HEALTHY, "loss": float("nan")})
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
