"""Several policies on one recorded pool, on equal terms: the same loop, limits and prices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from maestro.evaluate.run import Evaluation, evaluate
from maestro.policy.protocol import Policy, close_policy
from maestro.reward import RewardRule
from maestro.rollout.limits import Limits
from maestro.rollout.pool import RecordedPool
from maestro.rollout.recorded_only import RecordedOnly

Heard = Callable[[int], None]
ORACLES = ("skilled oracle", "oracle")
"""Rows that know outcomes beforehand, the weaker one first."""


async def play(
    policies: Sequence[Policy],
    pool: RecordedPool,
    limits: Limits | None = None,
    *,
    prompted: Sequence[Policy] = (),
    samples_of_random: int = 1,
    progress: Heard | None = None,
) -> dict[str, Evaluation]:
    """Evaluations by name, in the order given; `progress` hears how many episodes are done in all.

    `prompted` policies are models behind a server, which word their queries as they like: what was not recorded is refused, and they are
    told. Their connections are closed at the end.
    """
    tasks = [recorded.task for recorded in pool.tasks.values()]
    rule = RewardRule(cost_weight=pool.cost_weight)
    found: dict[str, Evaluation] = {}
    before = 0
    for policy in policies:
        samples = samples_of_random if policy.name == "random" else 1
        found[policy.name] = await evaluate(policy, tasks, pool, limits, rule, samples=samples, progress=_shifted(progress, before))
        before += len(tasks) * samples
    for policy in prompted:
        try:
            found[policy.name] = await evaluate(policy, tasks, RecordedOnly(pool), limits, rule, progress=_shifted(progress, before))
        finally:
            await close_policy(policy)
        before += len(tasks)
    return found


def _shifted(progress: Heard | None, before: int) -> Heard | None:
    return None if progress is None else lambda done: progress(before + done)


def shown_order(names: Iterable[str]) -> list[str]:
    """Rows as they were played, oracles last."""
    listed = list(names)
    return sorted(listed, key=lambda name: ORACLES.index(name) if name in ORACLES else -1)
