"""A policy behind a rollout server: what is asked for, what is taken, and what counts as the server's fault."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from maestro.policy.protocol import Opening
from maestro.policy.vocabulary import SPECIALS
from maestro.reward import RewardRule
from maestro.rollout.episode import run_episode
from maestro.rollout.limits import Limits
from maestro.train.config.signal import SignalConfig
from maestro.train.verl.engine_policy import EnginePolicy
from maestro.train.verl.outcome import outcome
from maestro.types import StopReason
from tests.train.toy import ToyEnsemble, menu, scenes

CALL, ANSWER = "<think>shapes</think><search>cheap-eye@@count:</search>", "<think>sure</think><answer>4</answer>"


class Server:
    """Says its lines in turn; `broken` changes what it gives back."""

    def __init__(self, tokenizer: Any, *lines: str, **broken: Any) -> None:
        self.tokenizer = tokenizer
        self.lines = list(lines)
        self.broken = broken
        self.asked: list[dict[str, Any]] = []

    async def generate(self, **request: Any) -> Any:
        self.asked.append(request)
        ids = self.tokenizer.encode(self.lines[len(self.asked) - 1], add_special_tokens=False)[: request["sampling_params"]["max_tokens"]]
        given = {"token_ids": ids, "log_probs": [-0.5] * len(ids), "stop_reason": "completed", "extra_fields": {"global_steps": 3}}
        return SimpleNamespace(**{**given, **self.broken})


@pytest.fixture
def scene(world):
    return scenes(2, "engine", world[0].encoder.images)[1]


def speaking(world, server, **settings):
    policy = world[0]
    sizes = {"max_new_tokens": 40, "max_tokens": 400, "observation_tokens": 32, **settings}
    return EnginePolicy(server, policy.processor, policy.encoder.images, policy.dialect, {"temperature": 0.7}, name="p", **sizes)


def play(policy, scene):
    return RewardRule().scored(scene.task, asyncio.run(run_episode(scene.task, policy, ToyEnsemble.over([scene]), Limits(turns=4))))


def test_every_turn_sends_the_row_so_far_under_one_name(world, scene):
    server = Server(world[0].tokenizer, CALL, ANSWER)
    policy = speaking(world, server)
    episode = play(policy, scene)
    first, second = server.asked
    assert first["prompt_ids"] == list(episode.tokens.prompt_ids) == world[0].encode_prompt(Opening(scene.task.unanswered(), menu()))
    assert second["prompt_ids"] == [*episode.tokens.prompt_ids, *episode.tokens.completion_ids][: len(second["prompt_ids"])]
    assert first["request_id"] == second["request_id"]
    assert [image.size for image in first["image_data"]] == [(128, 96)]
    assert policy.versions == {3}
    assert episode.stop is StopReason.ANSWERED


def test_what_is_sampled_with(world, scene):
    server = Server(world[0].tokenizer, ANSWER)
    play(speaking(world, server), scene)
    sampling = server.asked[0]["sampling_params"]
    tokenizer = world[0].tokenizer
    assert sampling["temperature"] == 0.7
    assert sampling["max_tokens"] == 40
    assert sampling["include_stop_str_in_output"]
    assert "</answer>" in sampling["stop"]
    never = {tokenizer.convert_tokens_to_ids(token) for token in SPECIALS} - {tokenizer.eos_token_id}
    assert never <= set(sampling["logit_bias"])
    assert tokenizer.eos_token_id not in sampling["logit_bias"]


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        ({"stop_reason": "aborted"}, "aborted"),
        ({"token_ids": [], "log_probs": [], "stop_reason": "completed"}, "no token came back"),
        ({"log_probs": None}, "calculate_log_probs"),
        ({"log_probs": [-0.5]}, "calculate_log_probs"),
    ],
)
def test_what_cannot_be_trained_on_is_the_servers_fault(world, scene, broken, named):
    episode = play(speaking(world, Server(world[0].tokenizer, ANSWER, **broken)), scene)
    assert episode.stop is StopReason.INFRASTRUCTURE
    assert named in episode.error


def test_a_server_that_dies_half_way_leaves_a_masked_row(world, scene):
    server = Server(world[0].tokenizer, CALL)  # the second line is missing
    episode = play(speaking(world, server), scene)
    made = outcome(episode, SignalConfig(), [])
    assert "IndexError" in episode.error
    assert len(made.response_ids) == len(made.response_mask) == len(made.response_logprobs) > 1
    assert not any(made.response_mask)
    assert (made.reward_score, made.numbers["episode/infrastructure"], made.numbers["episode/trained"]) == (0.0, 1.0, 0.0)


def test_one_that_broke_at_once_is_a_single_masked_id(world, scene):
    policy = speaking(world, Server(world[0].tokenizer))
    prompt = policy.encode_prompt(Opening(scene.task.unanswered(), menu()))
    made = outcome(play(policy, scene), SignalConfig(), prompt)
    assert made.prompt_ids == prompt
    assert (made.response_ids, made.response_mask, made.response_logprobs) == ([prompt[-1]], [0], [0.0])


def test_a_full_row_is_cut_where_an_observation_begins(world, scene):
    tokenizer = world[0].tokenizer
    prompt = len(world[0].encode_prompt(Opening(scene.task.unanswered(), menu())))
    said = len(tokenizer.encode(CALL, add_special_tokens=False))
    policy = speaking(world, Server(tokenizer, CALL, CALL, CALL), max_tokens=prompt + said + 45)
    episode = play(policy, scene)
    assert episode.stop is StopReason.TOKEN_LIMIT
    assert len(episode.tokens.completion_ids) == said
    assert set(episode.tokens.mask) == {1}
    made = outcome(episode, SignalConfig(overlong="mask"), [])
    assert (made.numbers["episode/overlong"], sum(made.response_mask)) == (1.0, 0)
    kept = outcome(episode, SignalConfig(overlong="keep"), [])
    assert (kept.numbers["episode/trained"], sum(kept.response_mask)) == (1.0, said)


def test_a_cut_decision_is_counted(world, scene):
    episode = play(speaking(world, Server(world[0].tokenizer, "<think>" + "shapes " * 200, ANSWER)), scene)
    assert episode.turns[0].decision.truncated
    assert not episode.turns[1].decision.truncated
    assert outcome(episode, SignalConfig(), []).numbers["episode/cut"] == 1.0


def test_every_reward_term_and_every_standing_has_a_number(world, scene):
    episode = play(speaking(world, Server(world[0].tokenizer, ANSWER)), scene)
    names = set(outcome(episode, SignalConfig(), []).numbers)
    terms = ("outcome", "format", "cost", "latency", "truncated", "overlong", "total")
    assert {f"reward/{name}" for name in terms} <= names
    assert {f"episode/{name}" for name in ("trained", "infrastructure", "untrainable", "truncated", "overlong")} <= names
