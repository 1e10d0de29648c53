"""Sessions on one prompt read it once and remember it once; what they say is what they would have said alone."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the extra `train` is not installed")

from maestro.images import ImageStore  # noqa: E402
from maestro.policy.local import LocalPolicy, LocalSession, Sampling  # noqa: E402
from maestro.policy.local_attention import causal_only, grouped_attention  # noqa: E402
from maestro.policy.local_cache import PromptBlock, PromptCache  # noqa: E402
from maestro.types import Malformed, Observation, Tokens, Turn  # noqa: E402

Make = Callable[..., Any]


def load(folder: Path, images: ImageStore, *, share: bool) -> tuple[LocalPolicy, list[int]]:
    """A policy, and how many tokens its language model reads, call by call."""
    policy = LocalPolicy.load(folder, images, Sampling(max_new_tokens=14, seed=2), window_seconds=5.0)
    policy.generator.share = share
    counts: list[int] = []
    mlp = policy.model.model.language_model.layers[0].mlp
    mlp.register_forward_hook(lambda _module, given, _result: counts.append(given[0].shape[0] * given[0].shape[1]))
    return policy, counts


async def talk(session: LocalSession, turns: int) -> Tokens:
    for turn in range(turns):
        decision = await session.decide()
        last = turn == turns - 1
        observation = (
            None if last else Observation(text="answer: 7\nevidence: one ring" + " and more" * (turn + session.opening.sample % 3))
        )
        assert session.observe(Turn(decision=decision, action=Malformed(reason="x"), observation=observation))
    return session.tokens()


async def groups(policy: LocalPolicy, made: list[Any], forced: bool = False, turns: int = 3) -> list[Tokens]:
    sessions = [policy.open(opening, policy.encode("read the sign")[: n % 3] if forced else ()) for n, opening in enumerate(made)]
    return await asyncio.gather(*(talk(session, turns) for session in sessions))


@pytest.mark.parametrize("forced", [False, True])
async def test_members_of_groups_say_the_same_with_and_without_sharing(
    tiny_folder: Path, images: ImageStore, opening: Make, picture: Callable[..., str], forced: bool
) -> None:
    names = [(picture(1, 160, 96),), (), (picture(2, 96, 64), picture(3, 64, 160))]
    made = [opening("How many?" + " Look." * n, *names[n], id=f"t{n}", sample=m) for n in range(3) for m in range(4)]
    (plain, read), (shared, read_shared) = (load(tiny_folder, images, share=share) for share in (False, True))
    rows = zip(await groups(plain, made, forced), await groups(shared, made, forced), strict=True)
    for one, other in rows:
        assert one.completion_ids == other.completion_ids
        assert one.mask == other.mask
        torch.testing.assert_close(torch.tensor(other.logprobs), torch.tensor(one.logprobs), atol=1e-5, rtol=0)
    prompts = [len(plain.encode_prompt(opening)) for opening in made]
    assert read[0] >= sum(prompts)
    assert sum(read_shared) < sum(read) - sum(prompts) * 2 // 3


async def test_the_prompt_is_remembered_once_for_all_members(tiny_folder: Path, images: ImageStore, opening: Make) -> None:
    policy, _ = load(tiny_folder, images, share=True)
    sessions = [policy.open(opening(sample=sample)) for sample in range(5)]
    await asyncio.gather(*(session.decide() for session in sessions))
    caches = [session._cache for session in sessions]
    assert len({cache.prompt.states.data_ptr() for cache in caches if cache is not None}) == 1
    assert all(cache.prompt.length == len(policy.encode_prompt(opening())) for cache in caches if cache is not None)


class Layer:
    layer_idx = 0


@pytest.mark.parametrize("new", [1, 5])
def test_attention_over_a_shared_prompt_is_that_over_copies_of_it(new: int, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    monkeypatch.setattr("maestro.policy.local_attention._LARGEST", 4 * 4 * 2 * 12)  # long reads happen in pieces
    lengths, of = (7, 4, 6), [0, 2, 0, 1]
    prompts = [PromptCache(torch.randn(2, 2, length, 8)) for length in lengths]
    query, key, value = torch.randn(4, 4, new, 8), torch.randn(4, 2, new + 1, 8), torch.randn(4, 2, new + 1, 8)
    mask = torch.ones(4, 1, new, new + 1, dtype=torch.bool).tril(1)
    mask[3, :, :, 0] = False  # padding on the left
    result, _ = grouped_attention(Layer(), query, key, value, mask, 0.4, shared=PromptBlock(prompts, of))
    for row, prompt in enumerate(of):
        keys, values = (torch.cat([prompts[prompt].states[n], own[row]], dim=1)[None] for n, own in ((0, key), (1, value)))
        seen = torch.cat([torch.ones(1, 1, new, lengths[prompt], dtype=torch.bool), mask[row : row + 1]], dim=-1)
        alone = torch.nn.functional.scaled_dot_product_attention(
            query[row : row + 1], keys, values, attn_mask=seen, scale=0.4, enable_gqa=True
        )
        torch.testing.assert_close(result[row], alone[0].transpose(0, 1), atol=1e-6, rtol=1e-5)


def test_plain_causality_needs_no_mask() -> None:
    torch.manual_seed(0)
    states = [torch.randn(2, 2, 6, 8) for _ in range(3)]
    mask = torch.ones(1, 1, 6, 6, dtype=torch.bool).tril()
    one, other = (grouped_attention(Layer(), *states, seen, 0.4)[0] for seen in (mask, causal_only(torch.device("cpu"))))
    torch.testing.assert_close(one, other)


def test_prompts_that_nobody_reads_any_more_are_dropped() -> None:
    prompts = [PromptCache(torch.full((2, 1, length, 4), float(length))) for length in (3, 5, 4)]
    block = PromptBlock(prompts, [0, 1, 1, 2]).keep([0, 3])
    assert [prompt.length for prompt in block.prompts] == [3, 4]
    assert block.of == [0, 1]
    assert block.states.shape[3] == 4
    joined = PromptBlock.joined([block, PromptBlock(prompts[1:], [1, 0, 1])])
    assert [prompt.length for prompt in joined.prompts] == [3, 4, 5]
    assert joined.of == [0, 1, 1, 2, 1]
