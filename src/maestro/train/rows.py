"""From written traces and sampled episodes to token rows."""

from __future__ import annotations

from typing import Any

from maestro.policy.protocol import Opening
from maestro.registry.menu import Menu
from maestro.train.batches import Row
from maestro.train.warm_start.traces import Trace
from maestro.types import Call, Episode, Task


class RowWriter:
    """Encodes traces exactly as the policy's own session would have recorded them."""

    def __init__(self, policy: Any, menu: Menu, cost_weight: float | None = None) -> None:
        self.policy = policy
        self.menu = menu
        self.cost_weight = cost_weight
        self._prompts: dict[tuple[str, tuple[str, ...]], tuple[int, ...]] = {}
        self._think = (policy.encode("<think>")[0], policy.encode("</think>")[0])
        self._search = policy.encode("<search>")[0]

    def prompt(self, task: Task) -> tuple[int, ...]:
        """The prompt's ids, encoded once for a task with and once without its images. The registry is met as it is."""
        key = (task.id, task.images)
        if key not in self._prompts:
            opening = Opening(task.unanswered(), self.menu, cost_weight=self.cost_weight)
            self._prompts[key] = tuple(self.policy.encode_prompt(opening))
        return self._prompts[key]

    def trace(self, trace: Trace, *, choices: bool = True) -> Row:
        """The row of a trace.

        Without `choices`, tokens that a trace draws at random carry no loss: whether to call or answer, and whom; what remains
        is the thought, the values copied and the shape of what was begun.
        """
        ids: list[int] = []
        mask: list[int] = []
        for turn in trace.turns:
            said = self.policy.encode(turn.decision.text)
            ids += said
            mask += [1] * len(said) if choices else self._forced(said, turn.action)
            if turn.observation is not None:
                seen = self.policy.encode_observation(turn.observation)
                ids += seen
                mask += [0] * len(seen)
        return Row(self.prompt(trace.task), tuple(ids), tuple(mask), trace.task.images)

    def episode(self, task: Task, episode: Episode) -> Row:
        """The row of a sampled episode, loss on everything the policy wrote."""
        if episode.tokens is None:
            raise ValueError(f"the episode on {episode.task_id} has no token row; only a token policy can be trained")
        if episode.tokens.untrainable is not None:
            raise ValueError(f"the row of the episode on {episode.task_id} cannot be trained on: {episode.tokens.untrainable}")
        return Row.of(episode.tokens, task.images)

    def _forced(self, said: list[int], action: object) -> list[int]:
        """1 where a decision's token follows from the scene rather than from a coin."""
        start = said.index(self._think[1]) + 1 if self._think[1] in said else 0
        mask = [1] * len(said)
        mask[start] = 0
        if isinstance(action, Call):
            name = len(self.policy.encode(action.expert))
            mask[start + 1 : start + 1 + name] = [0] * name
        return mask
