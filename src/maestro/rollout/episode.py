"""The one loop: a policy conducts experts until it answers or a limit stops it."""

from __future__ import annotations

import asyncio
from typing import Protocol

from maestro.errors import CallFailed, CallTimeout, InfrastructureFault
from maestro.policy.protocol import Dialect, Opening, Policy, Session
from maestro.registry.menu import Menu
from maestro.rollout.limits import Limits, Meter
from maestro.rollout.support import supported
from maestro.types import Answer, Call, Decision, Episode, Malformed, Observation, StopReason, Task, Turn


class Performs(Protocol):
    """The part of an ensemble that the loop needs."""

    menu: Menu
    name: str

    async def perform(self, call: Call, task: Task, deadline_seconds: float) -> Observation:
        """Run one call; a failure comes back as an observation with a status, never as an exception."""
        ...


class Watcher(Protocol):
    """Told about each turn as it ends; `ask` and the server show it."""

    def __call__(self, turn: Turn) -> None:
        """Take note of a turn."""
        ...


async def run_episode(
    task: Task,
    policy: Policy,
    ensemble: Performs,
    limits: Limits | None = None,
    *,
    sample: int = 0,
    cost_weight: float | None = None,
    watch: Watcher | None = None,
) -> Episode:
    """Run one task to its end and return the record; scoring it is `maestro.reward`'s business.

    Neither the policy nor the ensemble sees references, scoring profile or category. Infrastructure failures end the
    episode with `StopReason.INFRASTRUCTURE` and are kept in it; the policy's own mistakes are observations it can learn from.
    """
    hidden = task.unanswered()
    dialect = policy.dialect.over(ensemble.menu)
    meter = Meter(limits or Limits())
    turns: list[Turn] = []
    session: Session | None = None
    stop: StopReason | None = None
    error: str | None = None
    try:
        session = policy.open(Opening(hidden, ensemble.menu, sample, cost_weight))
        while stop is None and (stop := meter.exhausted()) is None:
            decision = await _within(meter, session.decide())
            turn = await _take(decision, dialect, ensemble, hidden, meter)
            turns.append(turn)
            if watch is not None:
                watch(turn)
            stop, error = _ending(turn)
            if not session.observe(turn):
                stop = stop or StopReason.TOKEN_LIMIT
    except CallTimeout as fault:
        stop, error = StopReason.TIME_LIMIT, f"decide: {type(fault).__name__}: {fault}"
    except InfrastructureFault as fault:
        stop, error = StopReason.INFRASTRUCTURE, f"decide: {type(fault).__name__}: {fault}"
    last = turns[-1].action if turns else None
    answer = last.text if isinstance(last, Answer) else None
    return Episode(
        task_id=task.id,
        turns=tuple(turns),
        stop=stop,
        answer=answer,
        supported=None if answer is None else supported(answer, turns, task.choices),
        tokens=session.tokens() if session is not None else None,
        error=error,
        policy=policy.name,
        registry=ensemble.name,
        sample=sample,
        cost_usd=meter.cost_usd,
        latency_seconds=meter.elapsed_seconds,
    )


_NO_MONEY = "error: there is no money left for calls; answer without one"


async def _take(decision: Decision, dialect: Dialect, ensemble: Performs, task: Task, meter: Meter) -> Turn:
    """Parse what the dialect kept of a decision and perform what it says.

    Nothing comes back after an answer, after the decision with which the dialect ends the episode, and after one that it discarded:
    that one is sampled again, and has cost a turn.
    """
    action = dialect.parse(decision.text if decision.kept is None else decision.kept)
    observation: Observation | None = None
    meter.refused = isinstance(action, Call) and not meter.may_call
    match action:
        case Call() if meter.refused and not decision.final:
            observation = Observation(text=_NO_MONEY, status="policy_error")
        case Call() if not decision.final:
            observation = await ensemble.perform(action, task, meter.remaining_seconds)
        case Malformed() if not (decision.final or decision.discarded):
            observation = Observation(text=dialect.refuse(action), status="policy_error")
    meter.turns += 1
    meter.cost_usd += decision.cost_usd + (observation.cost_usd if observation else 0.0)
    return Turn(decision=decision, action=action, observation=observation)


def _ending(turn: Turn) -> tuple[StopReason | None, str | None]:
    """Whether this turn ends the episode, and why."""
    if isinstance(turn.action, Answer):
        return StopReason.ANSWERED, None
    if turn.decision.final:
        return StopReason.TURN_LIMIT if isinstance(turn.action, Call) else StopReason.MALFORMED, None
    if turn.observation is not None and turn.observation.status in {"expert_error", "timeout"}:
        return StopReason.INFRASTRUCTURE, f"perform: {turn.observation.status}: {turn.observation.text}"
    return None, None


async def _within(meter: Meter, work: object) -> Decision:
    """Await a decision until the episode's deadline."""
    try:
        async with asyncio.timeout(meter.remaining_seconds):
            return await work  # type: ignore[misc, no-any-return]
    except TimeoutError as error:
        raise CallTimeout(f"the policy did not decide within the episode's {meter.limits.seconds:g} s") from error


__all__ = ["CallFailed", "Performs", "Watcher", "run_episode"]
