"""What the episode loop costs per turn: everything but policy and experts.

Runs episodes of five turns with a policy and an ensemble that answer at once, and prints milliseconds per turn beside the
time of a bare await of the same two calls, measured in turns in one run.
"""

import asyncio
import statistics
import time

from maestro.policy.scripted import ScriptedPolicy
from maestro.registry.menu import Menu
from maestro.rollout.episode import run_episode
from maestro.types import Call, Expert, Observation, Skill, Task

TURNS = 5
EPISODES = 400
ROUNDS = 7


class InstantEnsemble:
    """Answers every call with the same observation."""

    name = "instant@0"
    menu = Menu(
        experts=(Expert(id="eye", summary="sees", kind="scripted"),),
        skills=(Skill(id="look", summary="looks", experts=("eye",), target="m:f"),),
    )
    observation = Observation(text="answer: 7\nconfidence: 0.90\nevidence: one", value="7", confidence=0.9)

    async def perform(self, call: Call, task: Task, deadline_seconds: float) -> Observation:
        return self.observation


async def measure() -> tuple[float, float]:
    """(seconds per turn of the loop, seconds per turn of the bare awaits)."""
    script = ["<think>look</think><search>eye@@look:</search>"] * (TURNS - 1) + ["<answer>7</answer>"]
    policy, ensemble = ScriptedPolicy(script), InstantEnsemble()
    task = Task(id="t", question="What is it?")
    started = time.perf_counter()
    for _ in range(EPISODES):
        await run_episode(task, policy, ensemble)
    loop = time.perf_counter() - started
    call = Call(expert="eye", skill="look")
    started = time.perf_counter()
    for _ in range(EPISODES):
        session = policy.open(None)
        for _ in range(TURNS):
            session._turns.clear()
            await session.decide()
            await ensemble.perform(call, task, 1.0)
    bare = time.perf_counter() - started
    return loop / EPISODES / TURNS, bare / EPISODES / TURNS


def main() -> None:
    """Print medians over the rounds."""
    rounds = [asyncio.run(measure()) for _ in range(ROUNDS)]
    loop, bare = (statistics.median(values) * 1e3 for values in zip(*rounds, strict=True))
    print(f"loop {loop:.4f} ms per turn, bare awaits {bare:.4f} ms per turn, overhead {loop - bare:.4f} ms (target: under 1 ms)")


if __name__ == "__main__":
    main()
