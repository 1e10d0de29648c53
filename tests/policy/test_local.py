"""Tokens in, tokens out: what is trained is what was sampled, and what was sampled is what the model says."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="the extra `train` is not installed")

from maestro.errors import ConfigError, ImageError  # noqa: E402
from maestro.images import ImageStore  # noqa: E402
from maestro.policy.local import LocalPolicy, Sampling  # noqa: E402
from maestro.policy.local_score import score  # noqa: E402
from maestro.policy.protocol import Opening  # noqa: E402
from maestro.registry.menu import Menu  # noqa: E402
from maestro.rollout.episode import run_episode  # noqa: E402
from maestro.rollout.limits import Limits  # noqa: E402
from maestro.types import Call, Decision, Episode, Malformed, Observation, StopReason, Task, Turn  # noqa: E402

TOLERANCE = 1e-4
Make = Callable[..., Opening]
Put = Callable[..., str]


@pytest.fixture
def policy(tiny_folder: Path, images: ImageStore) -> LocalPolicy:
    return LocalPolicy.load(tiny_folder, images, Sampling(max_new_tokens=12))


class Ensemble:
    """Answers every call with three lines."""

    name = "fake@0"

    def __init__(self, menu: Menu, text: str = "answer: 7\nconfidence: 0.90\nevidence: one ring") -> None:
        self.menu = menu
        self.text = text

    async def perform(self, call: Call, task: Task, deadline_seconds: float) -> Observation:
        return Observation(text=self.text, value="7")


async def episodes(policy: LocalPolicy, menu: Menu, tasks: Sequence[Task], **limits: Any) -> list[Episode]:
    return await asyncio.gather(*(run_episode(task, policy, Ensemble(menu), Limits(**limits)) for task in tasks))


def some_tasks(picture: Put, count: int) -> list[Task]:
    """Tasks with 0, 1 or 2 pictures of different shapes and questions of different length."""
    shapes = [(96, 64), (320, 240), (64, 160)]
    return [
        Task(
            id=f"t{n}",
            question="How many circles?" + " Look again." * (n % 4),
            images=tuple(picture(10 * n + k, *shapes[(n + k) % 3]) for k in range(n % 3)),
        )
        for n in range(count)
    ]


def plain_logprobs(policy: LocalPolicy, tokens: Any, names: Sequence[str]) -> torch.Tensor:
    """One unpadded row through the model as its authors meant it: processor's inputs, no cache, no positions of ours."""
    ids = torch.tensor([[*tokens.prompt_ids, *tokens.completion_ids]])
    inputs = policy.image_inputs(names)
    with torch.no_grad():
        logits = policy.model(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            mm_token_type_ids=(ids == policy.model.config.image_token_id).int(),
            **inputs,
        ).logits
    start = len(tokens.prompt_ids)
    return torch.log_softmax(logits[0, start - 1 : -1].float(), dim=-1).gather(1, ids[0, start:, None])[:, 0]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_the_prompt_is_what_the_processor_makes_of_the_messages(policy: LocalPolicy, opening: Make, picture: Put, count: int) -> None:
    shapes = [(320, 240), (64, 160)]
    made = opening("What is <|image_pad|> worth?", *(picture(k, *shapes[k]) for k in range(count)), choices=("1", "2"), cost_weight=20.0)
    ids = policy.encode_prompt(made)
    text = policy.processor.apply_chat_template(policy.messages(made), add_generation_prompt=True, tokenize=False)
    pictures = [policy.encoder.picture(name) for name in made.task.images] or None
    inputs = policy.processor(text=[text], images=pictures)
    assert inputs["input_ids"][0] == ids
    assert ids.count(policy.model.config.image_token_id) == sum(policy.encoder.encode(name).tokens for name in made.task.images)
    if count:
        ours = policy.image_inputs(made.task.images)
        assert torch.equal(ours["pixel_values"], torch.as_tensor(inputs["pixel_values"]))
        assert torch.equal(ours["image_grid_thw"], torch.as_tensor(inputs["image_grid_thw"]))


def stopping(policy: LocalPolicy) -> None:
    """Makes about every fourth token a closing tag, so that rows end at different times and leave the batch."""
    draw, close = policy.generator._draw, policy.tokenizer.convert_tokens_to_ids("</search>")
    policy.generator._draw = lambda logits, uniforms, greedy: torch.where(  # type: ignore[method-assign]
        (uniforms * 1000 % 4).int() == 0, close, draw(logits, uniforms, greedy)
    )


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # inside Transformers' processor
def test_a_trainer_that_renders_the_messages_with_pictures_inside_gets_the_same_prompt(
    policy: LocalPolicy, opening: Make, picture: Put
) -> None:
    """As TRL does it: pictures put into the image parts, template and tokens in one call, batched with a shorter prompt."""
    batch = [opening("How many circles are there?", picture(1, 320, 240)), opening("Count.", picture(2), cost_weight=20.0)]
    conversations = []
    for made in batch:
        system, user = policy.messages(made)
        pictures = iter(policy.encoder.picture(name) for name in made.task.images)
        parts = [{**part, "image": next(pictures)} if part["type"] == "image" else part for part in user["content"]]
        conversations.append([system, {**user, "content": parts}])
    inputs = policy.processor.apply_chat_template(
        conversations, add_generation_prompt=True, tokenize=True, return_dict=True, padding=True, return_tensors="pt"
    )
    for made, ids, attention in zip(batch, inputs["input_ids"], inputs["attention_mask"], strict=True):
        assert ids[attention.bool()].tolist() == policy.encode_prompt(made)


async def test_sampled_logprobs_are_those_of_a_plain_forward(policy: LocalPolicy, menu: Menu, picture: Put) -> None:
    stopping(policy)
    tasks = some_tasks(picture, 9)
    done = await episodes(policy, menu, tasks, turns=3)
    lengths = {len(turn.decision.token_ids) for episode in done for turn in episode.turns}
    assert len(lengths) > 4
    for episode, task in zip(done, tasks, strict=True):
        assert episode.tokens is not None
        mask = torch.tensor(episode.tokens.mask)
        expected = plain_logprobs(policy, episode.tokens, task.images) * mask
        assert torch.allclose(torch.tensor(episode.tokens.logprobs), expected, atol=TOLERANCE)


async def test_a_decision_ends_with_its_closing_tag(policy: LocalPolicy, opening: Make) -> None:
    stopping(policy)
    for sample in range(6):
        decision = await policy.open(opening(sample=sample)).decide()
        ended = decision.text.endswith(("</search>", "</answer>", "<|im_end|>"))
        assert decision.truncated is not ended
        assert len(decision.token_ids) <= 12
        assert decision.text.count("</search>") <= 1


async def test_scoring_a_padded_batch_gives_the_same_and_gradients(policy: LocalPolicy, menu: Menu, picture: Put) -> None:
    tasks = some_tasks(picture, 5)
    done = await episodes(policy, menu, tasks, turns=2)
    rows = [(episode.tokens, task.images) for episode, task in zip(done, tasks, strict=True) if episode.tokens is not None]
    logprobs, mask = score(policy.model, policy.encoder, rows)
    for line, tokens, covered in zip(logprobs, [tokens for tokens, _ in rows], mask, strict=True):
        size = len(tokens.mask)
        assert covered.tolist() == [*tokens.mask] + [0] * (len(covered) - size)
        assert torch.allclose(line[:size] * covered[:size], torch.tensor(tokens.logprobs), atol=TOLERANCE)
        assert not line[size:].any()
    (logprobs * mask).sum().backward()
    assert policy.model.model.visual.patch_embed.proj.weight.grad.abs().sum() > 0


async def test_company_in_a_batch_changes_nothing(tiny_folder: Path, images: ImageStore, menu: Menu, picture: Put) -> None:
    tasks = some_tasks(picture, 6)
    together = LocalPolicy.load(tiny_folder, images, Sampling(max_new_tokens=12, seed=4))
    alone = LocalPolicy.load(tiny_folder, images, Sampling(max_new_tokens=12, seed=4), largest_batch=1)
    for one, other in zip(await episodes(together, menu, tasks, turns=3), await episodes(alone, menu, tasks, turns=3), strict=True):
        assert one.tokens is not None
        assert other.tokens is not None
        assert one.tokens.completion_ids == other.tokens.completion_ids
        assert torch.allclose(torch.tensor(one.tokens.logprobs), torch.tensor(other.tokens.logprobs), atol=TOLERANCE)
    assert together.batcher.batches < alone.batcher.batches


async def test_the_same_seed_replays_an_episode_and_another_does_not(
    tiny_folder: Path, images: ImageStore, menu: Menu, picture: Put
) -> None:
    task = some_tasks(picture, 2)[1]
    runs = [
        await run_episode(
            task,
            LocalPolicy.load(tiny_folder, images, Sampling(max_new_tokens=8, seed=seed)),
            Ensemble(menu),
            Limits(turns=2),
            sample=sample,
        )
        for seed, sample in ((1, 0), (1, 0), (2, 0), (1, 1))
    ]
    first, again, seed, sample = (run.tokens.completion_ids for run in runs if run.tokens is not None)
    assert first == again
    assert len({first, seed, sample}) == 3


async def test_the_row_holds_the_decisions_and_observations_and_nothing_else(policy: LocalPolicy, menu: Menu, picture: Put) -> None:
    task = some_tasks(picture, 2)[1]
    episode = await run_episode(task, policy, Ensemble(menu), Limits(turns=4))
    tokens = episode.tokens
    assert tokens is not None
    assert episode.stop is StopReason.TURN_LIMIT
    expected: list[int] = []
    mask: list[int] = []
    for turn in episode.turns:
        assert turn.observation is not None
        observed = policy.encode_observation(turn.observation)
        expected += [*turn.decision.token_ids, *observed]
        mask += [1] * len(turn.decision.token_ids) + [0] * len(observed)
    assert [*tokens.completion_ids] == expected
    assert [*tokens.mask] == mask
    assert [p for p, m in zip(tokens.logprobs, mask, strict=True) if m] == [p for turn in episode.turns for p in turn.decision.logprobs]
    assert not any(p for p, m in zip(tokens.logprobs, mask, strict=True) if not m)
    assert [*tokens.prompt_ids] == policy.encode_prompt(Opening(task, menu))


async def test_a_saved_episode_replays_to_identical_ids(policy: LocalPolicy, menu: Menu, picture: Put) -> None:
    """From the JSON record alone: the trainer rebuilds prompt, observations and mask and finds the same row."""
    task = some_tasks(picture, 3)[2]
    saved = (await run_episode(task, policy, Ensemble(menu), Limits(turns=3))).model_dump_json()
    episode = Episode.model_validate_json(saved)
    session = policy.open(Opening(task, menu))
    for turn in episode.turns:
        session.buffer.append_policy(turn.decision.token_ids, turn.decision.logprobs)
        assert session.observe(turn)
    assert session.tokens() == episode.tokens


async def test_the_row_is_append_only(policy: LocalPolicy, opening: Make, picture: Put) -> None:
    session = policy.open(opening("How many?", picture()))
    before = session.buffer.ids
    for _ in range(3):
        decision = await session.decide()
        assert session.buffer.ids == [*before, *decision.token_ids]
        assert session.observe(Turn(decision=decision, action=Malformed(reason="x"), observation=Observation(text="error: x")))
        before = session.buffer.ids
    assert decision.prompt_tokens == len(before) - len(decision.token_ids) - len(policy.encode_observation(Observation(text="error: x")))


async def test_another_image_changes_the_logprobs(policy: LocalPolicy, menu: Menu, picture: Put) -> None:
    names = [picture(seed, 320, 240) for seed in (1, 2)]
    episode = await run_episode(Task(id="t", question="How many?", images=(names[0],)), policy, Ensemble(menu), Limits(turns=1))
    assert episode.tokens is not None
    with torch.no_grad():
        seen, mask = score(policy.model, policy.encoder, [(episode.tokens, [names[0]])])
        swapped, _ = score(policy.model, policy.encoder, [(episode.tokens, [names[1]])])
    assert ((seen - swapped).abs() * mask).max() > 10 * TOLERANCE


async def test_blank_images_hide_what_is_on_them(tiny_folder: Path, images: ImageStore, opening: Make, picture: Put) -> None:
    blind = LocalPolicy.load(tiny_folder, images, Sampling(max_new_tokens=8), blank_images=True)
    one, other = [await blind.open(opening("How many?", picture(seed, 320, 240))).decide() for seed in (1, 2)]
    assert one.token_ids == other.token_ids


async def test_greedy_takes_the_likeliest_token_whatever_the_seed(policy: LocalPolicy, opening: Make, picture: Put) -> None:
    made = opening("How many?", picture())
    decisions = []
    for seed in (1, 2):
        policy.sampling = Sampling(greedy=True, max_new_tokens=6, seed=seed)
        decisions.append(await policy.open(made).decide())
    assert decisions[0].token_ids == decisions[1].token_ids
    ids = [*policy.encode_prompt(made), *decisions[0].token_ids]
    with torch.no_grad():
        row = torch.tensor([ids])
        kinds = (row == policy.model.config.image_token_id).int()
        logits = policy.model(input_ids=row, mm_token_type_ids=kinds, **policy.image_inputs(made.task.images)).logits[0]
    logits[:, policy.generator.never] = -torch.inf
    assert logits[-7:-1].argmax(-1).tolist() == [*decisions[0].token_ids]


async def test_the_temperature_shapes_draws_and_logprobs(policy: LocalPolicy, opening: Make) -> None:
    policy.sampling = Sampling(temperature=0.5, max_new_tokens=6)
    session = policy.open(opening())
    decision = await session.decide()
    with torch.no_grad():
        expected, _ = score(policy.model, policy.encoder, [(session.tokens(), ())], temperature=0.5)
    assert torch.allclose(torch.tensor(decision.logprobs), expected[0], atol=TOLERANCE)


async def test_placeholders_are_never_sampled(policy: LocalPolicy, opening: Make) -> None:
    never = set(policy.generator.never.tolist())
    assert {policy.model.config.image_token_id, policy.model.config.video_token_id} <= never
    assert policy.tokenizer.eos_token_id not in never
    logits = torch.zeros(4, len(policy.tokenizer))
    logits[:, list(never)] = 50.0
    uniforms = torch.tensor([0.0, 0.3, 0.9, 1 - 1e-16], dtype=torch.float64)
    for greedy in (True, False):
        drawn = policy.generator._draw(logits, uniforms, torch.tensor([greedy] * 4))
        assert never.isdisjoint(drawn.tolist())


def test_draws_follow_the_distribution(policy: LocalPolicy) -> None:
    logits = torch.full((4000, len(policy.tokenizer)), -torch.inf)
    logits[:, 300:303] = torch.tensor([0.6, 0.3, 0.1]).log()
    drawn = policy.generator._draw(
        logits, torch.rand(4000, dtype=torch.float64, generator=torch.Generator().manual_seed(0)), torch.zeros(4000, dtype=torch.bool)
    )
    shares = torch.bincount(drawn, minlength=303)[300:303] / 4000
    assert torch.allclose(shares, torch.tensor([0.6, 0.3, 0.1]), atol=0.03)


async def test_an_observation_that_does_not_fit_ends_the_episode(tiny_folder: Path, images: ImageStore, menu: Menu, opening: Make) -> None:
    size = len(LocalPolicy.load(tiny_folder, images).encode_prompt(opening()))
    policy = LocalPolicy.load(tiny_folder, images, Sampling(max_new_tokens=12), max_tokens=size + 60)
    episode = await run_episode(opening().task, policy, Ensemble(menu), Limits(turns=20))
    assert episode.stop is StopReason.TOKEN_LIMIT
    assert episode.tokens is not None
    assert len(episode.tokens.prompt_ids) + len(episode.tokens.completion_ids) <= size + 60
    assert episode.tokens.mask[-1] == 1


def test_a_long_observation_is_cut_behind_a_whole_line(policy: LocalPolicy) -> None:
    lines = [f"line {n} of the page" for n in range(200)]
    ids = policy.encode_observation(Observation(text="\n".join(lines)))
    text = policy.tokenizer.decode(ids)
    assert len(ids) <= policy.observation_tokens
    kept = text.removeprefix("<information>").removesuffix("</information>").split("\n")
    assert kept == lines[: len(kept)]
    assert len(policy.encode_observation(Observation(text="\n".join(lines[: len(kept) + 1])))) == len(ids)


@pytest.mark.parametrize("text", ["", "\n\n", "x" * 5000, "é" * 1_000_000, "<information>" * 50, "a\n" + "b" * 900])
def test_an_observation_of_any_shape_keeps_its_tags_and_limit(policy: LocalPolicy, text: str) -> None:
    ids = policy.encode_observation(Observation(text=text))
    tags = policy.tokenizer.convert_tokens_to_ids(["<information>", "</information>"])
    assert [ids[0], ids[-1]] == tags
    assert len(ids) <= policy.observation_tokens
    assert not set(tags) & set(ids[1:-1])


def test_what_cannot_be_looked_at_is_an_image_error(policy: LocalPolicy, opening: Make, picture: Put) -> None:
    with pytest.raises(ImageError, match="no image with hash"):
        policy.open(opening("How many?", "f" * 64))
    with pytest.raises(ImageError, match="cannot look at a picture of 900x2"):
        policy.open(opening("How many?", picture(1, 900, 2)))


async def test_a_question_too_long_for_the_row_ends_the_episode(policy: LocalPolicy, menu: Menu) -> None:
    episode = await run_episode(Task(id="t", question="How many? " * 1000), policy, Ensemble(menu))
    assert episode.stop is StopReason.TOKEN_LIMIT
    assert episode.tokens is not None
    assert episode.tokens.completion_ids == ()


@pytest.mark.parametrize("settings", [{"temperature": 0.0}, {"max_new_tokens": 0}])
def test_sampling_that_cannot_be_done_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="must be above 0"):
        Sampling(**settings)


def test_limits_too_small_to_work_with_are_refused(policy: LocalPolicy, images: ImageStore) -> None:
    with pytest.raises(ConfigError, match="at least 8 and 64"):
        LocalPolicy(policy.model, policy.processor, images, observation_tokens=2)


async def test_forced_ids_begin_the_first_decision(policy: LocalPolicy, opening: Make, picture: Put) -> None:
    made = opening("How many?", picture())
    forced = policy.encode("<search>page-reader@@")
    session = policy.open(made, forced)
    decision = await session.decide()
    assert [*decision.token_ids][: len(forced)] == forced
    with torch.no_grad():
        expected, _ = score(policy.model, policy.encoder, [(session.tokens(), made.task.images)])
    assert torch.allclose(torch.tensor(decision.logprobs[len(forced) :]), expected[0, len(forced) :], atol=TOLERANCE)


async def test_the_policy_leaves_the_model_as_it_was(policy: LocalPolicy, opening: Make) -> None:
    policy.model.train()
    before = policy.model.model.language_model.config._attn_implementation
    await policy.open(opening()).decide()
    assert policy.model.training
    assert policy.model.model.language_model.config._attn_implementation == before
    assert all(parameter.grad is None for parameter in policy.model.parameters())


async def test_a_trained_model_decides_with_its_new_weights(policy: LocalPolicy, opening: Make, picture: Put) -> None:
    """Nothing that depends on the weights outlives a session."""
    made = opening("How many?", picture())
    before = await policy.open(made).decide()
    with torch.no_grad():
        for parameter in policy.model.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0)))
    session = policy.open(made)
    after: Decision = await session.decide()
    assert before.token_ids != after.token_ids
    assert torch.allclose(torch.tensor(after.logprobs), plain_logprobs(policy, session.tokens(), made.task.images), atol=TOLERANCE)


def test_uniforms_depend_on_every_part_of_the_key() -> None:
    sampling = Sampling(max_new_tokens=3)
    rows = [
        sampling.uniforms("a", 0, 0),
        sampling.uniforms("b", 0, 0),
        sampling.uniforms("a", 1, 0),
        sampling.uniforms("a", 0, 1),
        replace(sampling, seed=1).uniforms("a", 0, 0),
    ]
    assert len({tuple(row.tolist()) for row in rows}) == 5
    assert torch.equal(rows[0], sampling.uniforms("a", 0, 0))


def test_a_picture_is_counted_by_its_size_as_by_its_pixels(policy: LocalPolicy, images: ImageStore) -> None:
    for size in [(96, 64), (33, 57), (1920, 1080), (100, 20), (7, 5)]:
        picture = images.put(Image.new("RGB", size))
        assert policy.encoder.count(*size) == policy.encoder.encode(picture).tokens
    with pytest.raises(ImageError, match="1000x4"):
        policy.encoder.count(1000, 4)
