"""The behaviours of the loop. If a change breaks one of these tests, it changes what training, evaluation and serving do."""

import asyncio
from pathlib import Path

import pytest

from maestro.policy.dialect_maestro import MaestroDialect
from maestro.policy.protocol import Opening
from maestro.policy.scripted import ScriptedPolicy
from maestro.registry.menu import Menu
from maestro.rollout.engine import Job, run_episodes
from maestro.rollout.episode import run_episode
from maestro.rollout.limits import Limits
from maestro.rollout.record import EpisodeLog, read_episodes
from maestro.types import Answer, Call, Decision, Episode, Expert, Malformed, Observation, Skill, StopReason, Task, Turn

MENU = Menu(
    experts=(Expert(id="eye", summary="sees", kind="scripted"),),
    skills=(Skill(id="look", summary="looks", experts=("eye",), target="m:f"),),
)
TASK = Task(id="t1", question="What is it?", references=("secret",), profile="number", params={"absolute": 1}, category="family")
CALL = "<search>eye@@look:</search>"


class FakeEnsemble:
    """Answers every call the same way and remembers what it was given."""

    name = "fake@0"
    menu = MENU

    def __init__(self, observation: Observation | None = None) -> None:
        self.observation = observation or Observation(text="answer: 7", value="7", cost_usd=0.01)
        self.seen: list[tuple[Call, Task]] = []

    async def perform(self, call: Call, task: Task, deadline_seconds: float) -> Observation:
        assert deadline_seconds > 0
        self.seen.append((call, task))
        return self.observation


async def test_call_then_answer() -> None:
    ensemble = FakeEnsemble()
    episode = await run_episode(TASK, ScriptedPolicy([CALL, "<answer>7</answer>"]), ensemble)
    assert episode.stop is StopReason.ANSWERED
    assert episode.answer == "7"
    assert episode.supported is True
    assert episode.calls == (Call(expert="eye", skill="look"),)
    assert episode.cost_usd == pytest.approx(0.01)
    assert episode.turns[1].observation is None
    assert (episode.policy, episode.registry) == ("scripted", "fake@0")


async def test_answering_at_once_is_allowed() -> None:
    ensemble = FakeEnsemble()
    episode = await run_episode(TASK, ScriptedPolicy(["<answer>x</answer>"]), ensemble)
    assert (episode.stop, len(episode.turns), ensemble.seen) == (StopReason.ANSWERED, 1, [])
    assert episode.supported is False, "nobody was asked"


async def test_nobody_sees_references_scoring_or_category() -> None:
    ensemble = FakeEnsemble()
    openings: list[Opening] = []

    def script(opening: Opening, turns: tuple[object, ...]) -> str:
        openings.append(opening)
        return CALL if not turns else "<answer>7</answer>"

    await run_episode(TASK, ScriptedPolicy(script), ensemble)
    for task in (openings[0].task, ensemble.seen[0][1]):
        assert (task.references, task.params, task.category, task.profile) == ((), {}, "", "exact")


async def test_malformed_text_is_told_and_the_episode_goes_on() -> None:
    episode = await run_episode(TASK, ScriptedPolicy(["what?", "<answer>7</answer>"]), FakeEnsemble())
    assert isinstance(episode.turns[0].action, Malformed)
    assert episode.turns[0].observation is not None
    assert episode.turns[0].observation.status == "policy_error"
    assert episode.stop is StopReason.ANSWERED


async def test_without_an_answer_there_is_nothing_to_support() -> None:
    assert (await run_episode(TASK, ScriptedPolicy([CALL, CALL]), FakeEnsemble(), Limits(turns=2))).supported is None


async def test_turn_limit() -> None:
    episode = await run_episode(TASK, ScriptedPolicy([CALL] * 9), FakeEnsemble(), Limits(turns=3))
    assert (episode.stop, len(episode.turns), episode.answer) == (StopReason.TURN_LIMIT, 3, None)


async def test_cost_limit() -> None:
    episode = await run_episode(TASK, ScriptedPolicy([CALL] * 9), FakeEnsemble(), Limits(turns=9, cost_usd=0.015))
    assert (episode.stop, len(episode.turns), episode.cost_usd) == (StopReason.COST_LIMIT, 9, pytest.approx(0.02))


async def test_a_budget_used_up_exactly_allows_no_further_call() -> None:
    ensemble = FakeEnsemble()
    episode = await run_episode(TASK, ScriptedPolicy([CALL] * 5), ensemble, Limits(cost_usd=0.01))
    assert (episode.stop, len(ensemble.seen), episode.cost_usd) == (StopReason.COST_LIMIT, 1, pytest.approx(0.01))


async def test_when_the_money_is_spent_the_policy_is_told_and_can_still_answer() -> None:
    episode = await run_episode(TASK, ScriptedPolicy([CALL, CALL, "<answer>7</answer>"]), FakeEnsemble(), Limits(cost_usd=0.01))
    assert (episode.stop, episode.answer, episode.cost_usd) == (StopReason.ANSWERED, "7", pytest.approx(0.01))
    refused = episode.turns[1].observation
    assert refused is not None
    assert (refused.status, refused.text) == ("policy_error", "error: there is no money left for calls; answer without one")


async def test_turns_that_run_out_otherwise_are_no_matter_of_money() -> None:
    episode = await run_episode(TASK, ScriptedPolicy([CALL, CALL, "nonsense"]), FakeEnsemble(), Limits(turns=3, cost_usd=0.01))
    assert episode.stop is StopReason.TURN_LIMIT


async def test_with_nothing_to_spend_a_policy_can_only_answer() -> None:
    ensemble = FakeEnsemble()
    episode = await run_episode(TASK, ScriptedPolicy([CALL, "<answer>7</answer>"]), ensemble, Limits(cost_usd=0.0))
    assert (episode.stop, episode.answer, episode.cost_usd, ensemble.seen) == (StopReason.ANSWERED, "7", 0.0, [])
    assert episode.turns[0].observation is not None
    assert episode.turns[0].observation.status == "policy_error"


async def test_policy_errors_do_not_end_the_episode_but_infrastructure_does() -> None:
    wrong = FakeEnsemble(Observation(text="error: no", status="policy_error"))
    assert (await run_episode(TASK, ScriptedPolicy([CALL, "<answer>7</answer>"]), wrong)).stop is StopReason.ANSWERED
    broken = FakeEnsemble(Observation(text="down", status="expert_error"))
    episode = await run_episode(TASK, ScriptedPolicy([CALL, "<answer>7</answer>"]), broken)
    assert (episode.stop, len(episode.turns)) == (StopReason.INFRASTRUCTURE, 1)
    assert "down" in (episode.error or "")


async def test_a_failing_policy_server_is_infrastructure_and_keeps_the_turns() -> None:
    episode = await run_episode(TASK, ScriptedPolicy([CALL]), FakeEnsemble())
    assert (episode.stop, len(episode.turns)) == (StopReason.INFRASTRUCTURE, 1)
    assert "script ends" in (episode.error or "")


async def test_a_policy_that_hangs_meets_the_deadline() -> None:
    class Slow(ScriptedPolicy):
        def open(self, opening: Opening) -> object:  # type: ignore[override]
            session = super().open(opening)

            async def decide() -> Decision:
                await asyncio.sleep(30)
                raise AssertionError

            session.decide = decide  # type: ignore[method-assign]
            return session

    episode = await run_episode(TASK, Slow([]), FakeEnsemble(), Limits(seconds=0.05))
    assert episode.stop is StopReason.TIME_LIMIT
    assert episode.latency_seconds < 5


async def test_a_full_buffer_stops_the_episode() -> None:
    class Full(ScriptedPolicy):
        def open(self, opening: Opening) -> object:  # type: ignore[override]
            session = super().open(opening)
            session.observe = lambda turn: False  # type: ignore[method-assign]
            return session

    assert (await run_episode(TASK, Full([CALL] * 3), FakeEnsemble())).stop is StopReason.TOKEN_LIMIT
    assert (await run_episode(TASK, Full(["<answer>7</answer>"]), FakeEnsemble())).stop is StopReason.ANSWERED


async def test_engine_runs_every_job_once_in_order() -> None:
    tasks = [Task(id=f"t{i}", question="q") for i in range(50)]
    finished: list[int] = []
    episodes = await run_episodes(
        [Job(task, sample) for task in tasks for sample in (0, 1)],
        ScriptedPolicy([CALL, "<answer>7</answer>"]),
        FakeEnsemble(),
        concurrency=7,
        done=lambda index, _: finished.append(index),
    )
    assert [(e.task_id, e.sample) for e in episodes] == [(f"t{i}", s) for i in range(50) for s in (0, 1)]
    assert sorted(finished) == list(range(100))


async def test_log_survives_a_torn_last_line(tmp_path: Path) -> None:
    episode = await run_episode(TASK, ScriptedPolicy([CALL, "<answer>7</answer>"]), FakeEnsemble())
    log = EpisodeLog(tmp_path / "episodes.jsonl")
    log.append(episode)
    log.append(episode)
    log.close()
    with (tmp_path / "episodes.jsonl").open("r+b") as file:
        file.truncate(file.seek(0, 2) - 10)
    assert list(read_episodes(tmp_path / "episodes.jsonl")) == [episode]
    log = EpisodeLog(tmp_path / "episodes.jsonl")
    log.append(episode)
    log.close()
    assert len(list(read_episodes(tmp_path / "episodes.jsonl"))) == 2


def test_an_episode_survives_json() -> None:
    episode = Episode(task_id="t", turns=(), stop=StopReason.ANSWERED, answer="7")
    assert Episode.model_validate_json(episode.model_dump_json()) == episode
    assert isinstance(Answer(text="x"), Answer)


class DroppingSession:
    def __init__(self, script: list[Decision]) -> None:
        self.script = script
        self.seen: list[Turn] = []

    async def decide(self) -> Decision:
        return self.script[len(self.seen)]

    def observe(self, turn: Turn) -> bool:
        self.seen.append(turn)
        return True

    def tokens(self) -> None:
        return None


class DroppingPolicy:
    name = "dropping"
    dialect = MaestroDialect()

    def __init__(self, *script: Decision) -> None:
        self.script = list(script)

    def open(self, opening: Opening) -> DroppingSession:
        return DroppingSession(self.script)


async def test_what_a_dialect_keeps_is_what_is_acted_on() -> None:
    policy = DroppingPolicy(Decision(text=f"I should call. {CALL}", kept=CALL), Decision(text="<answer>7</answer>"))
    episode = await run_episode(TASK, policy, FakeEnsemble())
    assert episode.calls == (Call(expert="eye", skill="look"),)
    assert episode.turns[0].decision.text.startswith("I should call.")
    assert episode.stop is StopReason.ANSWERED


async def test_a_discarded_decision_costs_a_turn_and_gets_no_observation() -> None:
    policy = DroppingPolicy(Decision(text="hm", kept="", cost_usd=0.5), Decision(text="<answer>7</answer>"))
    episode = await run_episode(TASK, policy, FakeEnsemble(), Limits(turns=2))
    first, second = episode.turns
    assert first.decision.discarded
    assert (first.observation, second.observation) == (None, None)
    assert isinstance(first.action, Malformed)
    assert (episode.stop, episode.answer) == (StopReason.ANSWERED, "7")
    assert episode.cost_usd == pytest.approx(0.5)
    limited = await run_episode(TASK, policy, FakeEnsemble(), Limits(turns=1))
    assert (limited.stop, limited.answer) == (StopReason.TURN_LIMIT, None)


@pytest.mark.parametrize(
    ("decision", "stop"),
    [
        (Decision(text=CALL, final=True), StopReason.TURN_LIMIT),
        (Decision(text="nothing", kept="nothing", final=True), StopReason.MALFORMED),
        (Decision(text="", kept="", final=True), StopReason.MALFORMED),
        (Decision(text="<answer>7</answer>", final=True), StopReason.ANSWERED),
    ],
)
async def test_the_dialects_last_decision_ends_the_episode_and_performs_nothing(decision: Decision, stop: StopReason) -> None:
    ensemble = FakeEnsemble()
    episode = await run_episode(TASK, DroppingPolicy(decision), ensemble)
    assert (episode.stop, len(episode.turns), ensemble.seen) == (stop, 1, [])
    assert episode.turns[0].observation is None
    assert Episode.model_validate_json(episode.model_dump_json()) == episode


async def test_episodes_that_wait_for_nothing_can_be_interrupted_all_the_same():
    ended = []

    def done(index, _):
        ended.append(index)
        if len(ended) == 10:
            running.cancel()

    policy = ScriptedPolicy([CALL, "<answer>7</answer>"])
    jobs = [Job(TASK, sample) for sample in range(500)]
    running = asyncio.ensure_future(run_episodes(jobs, policy, FakeEnsemble(), concurrency=4, done=done))
    with pytest.raises(asyncio.CancelledError):
        await running
    assert len(ended) <= 10 + 2 * 4
