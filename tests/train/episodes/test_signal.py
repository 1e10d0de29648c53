"""Which episodes teach, and how groups are filled up again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from maestro.rollout.engine import Job
from maestro.train.config.signal import SignalConfig
from maestro.train.episodes.resampling import WAVE, draw_groups, signal_numbers
from maestro.train.episodes.signal import Fault, Standing, equal, fault, fault_counts, penalised, standing
from maestro.types import Answer, Call, Decision, Episode, Observation, Reward, StopReason, Task, Tokens, Turn

TOKENS = Tokens(prompt_ids=(1,), completion_ids=(2, 3), mask=(1, 0), logprobs=(-0.5, 0.0))
TASKS = [Task(id="a", question="?"), Task(id="b", question="?")]


def episode(total: float = 1.0, stop: StopReason = StopReason.ANSWERED, *, cut: bool = False, error: str | None = None) -> Episode:
    call = Turn(decision=Decision(text="", truncated=cut), action=Call(expert="eye", skill="count"), observation=Observation(text="x"))
    end = Turn(decision=Decision(text=""), action=Answer(text="1"))
    answered = stop is StopReason.ANSWERED
    return Episode(
        task_id="t",
        turns=(call, end) if answered else (call,),
        stop=stop,
        answer="1" if answered else None,
        tokens=TOKENS,
        reward=Reward(terms={"outcome": total}, weights={"outcome": 1.0}),
        error=error,
    )


def dead(kind: str = "expert_error") -> Episode:
    return episode(0.0, StopReason.INFRASTRUCTURE, error=f"perform: {kind}: eye@count: no route")


def drawing(*waves: Sequence[Episode]) -> tuple[Callable[[Sequence[Job]], list[Episode]], list[Job]]:
    """A sampler that hands out episodes wave by wave, and the jobs it was asked for."""
    left, asked = [list(wave) for wave in waves], []

    def draw(jobs: Sequence[Job]) -> list[Episode]:
        asked.extend(jobs)
        wave = left.pop(0)
        assert len(wave) == len(jobs)
        return wave

    return draw, asked


@pytest.mark.parametrize(
    ("config", "one", "expected"),
    [
        ({}, episode(), Standing.TRAINED),
        ({}, dead(), Standing.INFRASTRUCTURE),
        ({}, episode(stop=StopReason.TIME_LIMIT), Standing.INFRASTRUCTURE),
        ({}, episode().model_copy(update={"tokens": TOKENS.model_copy(update={"untrainable": "cut"})}), Standing.UNTRAINABLE),
        ({}, episode().model_copy(update={"tokens": Tokens(prompt_ids=(1,))}), Standing.UNTRAINABLE),
        ({}, episode(float("nan")), Standing.UNTRAINABLE),
        ({}, episode(float("-inf")), Standing.UNTRAINABLE),
        ({}, episode(cut=True), Standing.TRAINED),
        ({"truncated": "mask"}, episode(cut=True), Standing.TRUNCATED),
        ({"truncated": "mask"}, episode(stop=StopReason.TURN_LIMIT), Standing.TRAINED),
        ({"overlong": "mask"}, episode(stop=StopReason.TURN_LIMIT), Standing.OVERLONG),
        ({"overlong": "mask"}, episode(stop=StopReason.TOKEN_LIMIT), Standing.OVERLONG),
        ({"overlong": "mask"}, episode(cut=True), Standing.TRAINED),
        ({"overlong": "penalise", "truncated": "penalise"}, episode(cut=True), Standing.TRAINED),
    ],
)
def test_which_episodes_are_trained_on(config: dict[str, str], one: Episode, expected: Standing) -> None:
    assert standing(one, SignalConfig.model_validate(config)) is expected


def test_a_penalty_is_a_term_of_its_own_in_every_reward() -> None:
    config = SignalConfig(truncated="penalise", overlong="penalise", penalty=0.25)
    fine, cut, both = (
        penalised(one, config).reward for one in (episode(), episode(cut=True), episode(stop=StopReason.TURN_LIMIT, cut=True))
    )
    assert fine is not None
    assert cut is not None
    assert both is not None
    assert fine.terms == {"outcome": 1.0, "truncated": 0.0, "overlong": 0.0}
    assert (fine.total, cut.total, both.total) == (1.0, 0.75, 0.5)
    assert penalised(episode(cut=True), SignalConfig()) == episode(cut=True)


def test_faults_are_told_apart_by_kind_and_by_expert() -> None:
    server = episode(0.0, StopReason.INFRASTRUCTURE, error="decide: EndpointDown: port 8000").model_copy(update={"turns": ()})
    assert fault(episode()) is None
    assert fault(dead("timeout")) == Fault("perform timeout", "eye")
    counts = fault_counts([episode(), dead(), dead("timeout"), server])
    assert counts["kinds"] == {"perform expert_error": 1, "perform timeout": 1, "decide EndpointDown": 1}
    assert counts["experts"] == {"eye": 2, "policy": 1}


def test_a_lost_member_is_drawn_again_until_it_is_whole_or_the_draws_are_used_up() -> None:
    draw, asked = drawing([episode(0.7), dead()], [dead()])
    drawn = draw_groups(draw, TASKS, [[episode(), dead()], [episode(), dead()]], 6, SignalConfig(redraws=2))
    assert [(job.task.id, job.sample) for job in asked] == [("a", 7 + WAVE), ("b", 7 + WAVE), ("b", 7 + 2 * WAVE)]
    assert drawn.trained(SignalConfig()) == [True, True, True, False]
    numbers = signal_numbers(drawn, SignalConfig())
    assert numbers["signal"]["drawn"] == 7
    assert (numbers["signal"]["lost"], numbers["signal"]["drawn_again"], numbers["signal"]["not_replaced"]) == (4, 3, 1)
    assert numbers["signal"]["masked"] == {"infrastructure": 1}
    assert numbers["infrastructure_share"] == pytest.approx(4 / 7)
    assert len(drawn.everything) == 7


def test_without_redraws_the_group_goes_on_without_the_lost_ones() -> None:
    draw, asked = drawing()
    drawn = draw_groups(draw, TASKS[:1], [[episode(), dead()]], 0, SignalConfig(redraws=0))
    assert (asked, drawn.trained(SignalConfig()), drawn.replaced) == ([], [True, False], [])


def test_equal_groups_are_kept_dropped_or_drawn_again() -> None:
    same, mixed = [episode(1.0), episode(1.0)], [episode(1.0), episode(0.0)]
    assert equal(same, SignalConfig())
    assert not equal(mixed, SignalConfig())
    assert equal([episode(1.0), dead()], SignalConfig())

    kept = draw_groups(drawing()[0], TASKS, [same, mixed], 0, SignalConfig())
    assert kept.trained(SignalConfig()) == [True] * 4

    drop = SignalConfig(equal_groups="drop")
    dropped = draw_groups(drawing()[0], TASKS, [same, mixed], 0, drop)
    assert dropped.trained(drop) == [False, False, True, True]
    assert signal_numbers(dropped, drop)["signal"]["dropped_groups"] == 1

    again = SignalConfig(equal_groups="resample", equal_redraws=2, redraws=1)
    draw, asked = drawing([episode(0.0), dead()], [episode(0.0)], [episode(0.0), episode(0.5)])
    found = draw_groups(draw, TASKS, [same, mixed], 0, again)
    assert [member.reward.total for member in found.groups[0] if member.reward] == [0.0, 0.5]
    assert found.trained(again) == [True] * 4
    assert len({(job.task.id, job.sample) for job in asked}) == len(asked) == 5
    numbers = signal_numbers(found, again)["signal"]
    assert (numbers["groups_drawn_again"], numbers["equal_groups"], numbers["dropped_groups"], numbers["drawn"]) == (2, 0, 0, 9)


def test_a_group_that_stays_equal_is_masked() -> None:
    config = SignalConfig(equal_groups="resample", equal_redraws=1)
    draw, _ = drawing([episode(0.0), episode(0.0)])
    drawn = draw_groups(draw, TASKS[:1], [[episode(), episode()]], 0, config)
    assert drawn.trained(config) == [False, False]
    assert drawn.dropped == {0}
