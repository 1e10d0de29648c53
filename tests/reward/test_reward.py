import pytest

from maestro.reward import RewardRule
from maestro.types import Answer, Call, Decision, Episode, Malformed, Observation, StopReason, Task, Turn

TASK = Task(id="t", question="?", references=("4",), profile="number")


def episode(*turns: Turn, answer: str | None, cost: float = 0.0) -> Episode:
    return Episode(task_id="t", turns=turns, stop=StopReason.ANSWERED if answer else StopReason.TURN_LIMIT, answer=answer, cost_usd=cost)


def turn(action: object, status: str | None = "ok") -> Turn:
    return Turn(decision=Decision(text=""), action=action, observation=Observation(status=status) if status else None)


def test_right_answer_pays_minus_its_cost() -> None:
    reward = RewardRule(cost_weight=20).score(
        TASK, episode(turn(Call(expert="e", skill="s")), turn(Answer(text="4"), None), answer="4", cost=0.01)
    )
    assert reward.terms == {"outcome": 1.0, "format": 0.0, "cost": -0.01}
    assert reward.total == pytest.approx(0.8)


def test_right_without_any_call_is_right() -> None:
    assert RewardRule().score(TASK, episode(turn(Answer(text="4"), None), answer="4")).total == 1.0


def test_bad_form_costs_from_the_first_step() -> None:
    rule = RewardRule(format_weight=0.5)
    mixed = episode(turn(Malformed(reason="r"), "policy_error"), turn(Answer(text="4"), None), answer="4")
    assert rule.score(TASK, mixed).terms["format"] == -0.5
    silent = episode(turn(Malformed(reason="r"), "policy_error"), answer=None)
    assert rule.score(TASK, silent).total == pytest.approx(-1.0)


def test_every_term_needs_a_weight() -> None:
    reward = RewardRule().score(TASK, episode(turn(Answer(text="4"), None), answer="4"))
    with pytest.raises(KeyError):
        _ = reward.model_copy(update={"weights": {}}).total
