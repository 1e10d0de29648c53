"""One scripted policy through both engines' adapters: the same ids, mask, log-probs and reward.

What is scripted is only what a model says; tokenizer, dialect, history, episode, reward and the adapters are the real ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from maestro.images import ImageStore
from maestro.policy.local_cache import PromptCache, RowCache
from maestro.policy.local_generate import Sampled
from maestro.reward import RewardRule
from maestro.rollout.episode import run_episode
from maestro.rollout.limits import Limits
from maestro.train.config.signal import SignalConfig
from maestro.train.episodes.signal import Standing, standing
from maestro.train.grpo.stage import rows_for_trl
from maestro.train.verl.engine_policy import EnginePolicy
from maestro.train.verl.outcome import outcome
from maestro.types import Observation
from tests.train.toy import ToyEnsemble, scenes

RULE, SIGNAL = RewardRule(latency_weight=0.1), SignalConfig(truncated="mask", overlong="penalise")
CALL = "<think>shapes</think><search>cheap-eye@@count:</search>"
OTHER = "<think>again</think><search>sturdy-eye@@count:</search>"
ANSWER = "<think>sure</think><answer>4</answer>"


class Failing(ToyEnsemble):
    """Its experts are down."""

    async def perform(self, call, task, deadline_seconds=120.0):
        return Observation(text=f"{call.expert}@{call.skill}: down", status="expert_error")


SCRIPTS: dict[str, tuple[Sequence[str], bool]] = {
    "answers at once": ((ANSWER,), False),
    "two calls": ((CALL, OTHER, ANSWER), False),
    "malformed": (("what?<|im_end|>", CALL, ANSWER), False),
    "a call that is not offered": (("<search>nobody@@count:</search>", ANSWER), False),
    "never answers": ((CALL,) * 9, False),
    "experts down": ((CALL, ANSWER), True),
    "cut off": (("<think>" + "shapes " * 200,) * 9, False),
}


@dataclass
class Script:
    """Says its lines in turn, token by token, each token a little less likely than the one before."""

    tokenizer: Any
    lines: Sequence[str]
    said: list[int] = field(default_factory=list)

    def next(self, room: int) -> tuple[list[int], list[float], bool]:
        ids = self.tokenizer.encode(self.lines[len(self.said)], add_special_tokens=False)
        self.said.append(len(ids))
        return ids[:room], [-0.01 * (place + 1) for place in range(min(room, len(ids)))], len(ids) <= room


def by_trl(policy, monkeypatch, task, ensemble, lines):
    """The episode of the policy in this process, with a scripted model, as TRL's row."""
    script = Script(policy.tokenizer, lines)

    async def submit(row, _key):
        ids, logprobs, stopped = script.next(len(row.uniforms))
        return Sampled(ids, logprobs, RowCache(PromptCache(torch.zeros(2, 1, 0, 1)), torch.zeros(2, 1, 4096, 1), 4096), stopped=stopped)

    monkeypatch.setattr(policy.batcher, "submit", submit)
    episode = RULE.scored(task, asyncio.run(run_episode(task, policy, ensemble, Limits(turns=4))))
    rows = rows_for_trl([episode], [standing(episode, SIGNAL) is Standing.TRAINED])
    return episode, {key: value[0] for key, value in rows.items()}


def by_verl(policy, images, task, ensemble, lines):
    """The episode of the same policy behind a scripted rollout server, as verl's output."""
    script = Script(policy.tokenizer, lines)

    async def generate(*, request_id, prompt_ids, sampling_params, image_data):
        assert len(image_data) == len(task.images)
        ids, logprobs, _ = script.next(sampling_params["max_tokens"])
        return SimpleNamespace(token_ids=ids, log_probs=logprobs, stop_reason="completed", extra_fields={})

    engine = EnginePolicy(
        SimpleNamespace(generate=generate),
        policy.processor,
        images,
        policy.dialect,
        {"temperature": 1.0},
        name="policy",
        max_new_tokens=policy.sampling.max_new_tokens,
        max_tokens=policy.max_tokens,
        observation_tokens=policy.observation_tokens,
    )
    episode = RULE.scored(task, asyncio.run(run_episode(task, engine, ensemble, Limits(turns=4))))
    return episode, outcome(episode, SIGNAL, [])


@pytest.mark.parametrize("name", SCRIPTS)
def test_both_engines_get_the_same(name, world, monkeypatch):
    lines, down = SCRIPTS[name]
    policy, *_ = world
    images: ImageStore = policy.encoder.images
    scene = scenes(2, "contract", images)[1]
    ensemble = (Failing if down else ToyEnsemble).over([scene])
    one, row = by_trl(policy, monkeypatch, scene.task, ensemble, lines)
    other, made = by_verl(policy, images, scene.task, ensemble, lines)
    assert (one.stop, one.answer, one.calls) == (other.stop, other.answer, other.calls)
    assert row["prompt_ids"] == made.prompt_ids
    assert row["completion_ids"] == made.response_ids
    assert row["env_mask"] == made.response_mask
    assert row["logprobs"] == made.response_logprobs
    assert one.reward.terms == pytest.approx(other.reward.terms)
    assert made.reward_score == pytest.approx(row["total"] or 0.0)
    assert (row["total"] is None) == (not any(made.response_mask))


def test_what_breaks_or_is_cut_off_is_masked_and_what_answers_is_not(world, monkeypatch):
    policy, *_ = world
    scene = scenes(2, "contract", policy.encoder.images)[1]
    taught = {}
    for name, (lines, down) in SCRIPTS.items():
        _, row = by_trl(policy, monkeypatch, scene.task, (Failing if down else ToyEnsemble).over([scene]), lines)
        taught[name] = any(row["env_mask"])
    assert taught == {name: name not in {"experts down", "cut off"} for name in SCRIPTS}
