from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from maestro.policy.local import LocalPolicy
from maestro.train.batches import collate
from maestro.train.prefix.forward import shared_prefix
from maestro.train.rows import RowWriter
from maestro.train.supervised import token_losses
from maestro.train.warm_start.traces import TraceWriter
from tests.train import grouped
from tests.train.toy import menu

add_fused_lm_head = pytest.importorskip("trl.trainer.utils", reason="the extra `train` is not installed").add_fused_lm_head


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """With the output layer that TRL puts on: log-probs and entropies instead of logits."""
    made, _ = grouped.build(tmp_path_factory.mktemp("tiny"))
    add_fused_lm_head(made, temperature=0.7, outputs=("log_probs", "entropy"))
    return made.train()


@pytest.fixture
def reads(model: Any) -> Iterator[list[int]]:
    """How many tokens went through the language model, call by call."""
    counts: list[int] = []
    layer = model.model.language_model.layers[0].mlp
    handle = layer.register_forward_hook(lambda _module, given, _result: counts.append(given[0].shape[0] * given[0].shape[1]))
    yield counts
    handle.remove()


def scored(model: Any, inputs: dict[str, Any], *, share: bool) -> tuple[Any, list[torch.Tensor]]:
    """The output, and the gradients of a loss that weighs every position differently."""
    model.zero_grad()
    with shared_prefix(model, share=share):
        output = model(**inputs, fused_lm_head=True)
        weights = torch.linspace(-1, 2, output.log_probs.numel()).view_as(output.log_probs)
        (weights * output.log_probs + 0.1 * output.entropy).sum().backward()
    return output, [parameter.grad.clone() for parameter in model.parameters() if parameter.grad is not None]


def assert_exact(model: Any, inputs: dict[str, Any]) -> None:
    plain, gradients = scored(model, inputs, share=False)
    shared, others = scored(model, inputs, share=True)
    for name in ("log_probs", "entropy"):
        torch.testing.assert_close(shared[name], plain[name], atol=1e-5, rtol=0)
    assert shared.log_probs.shape == inputs["labels"][:, 1:].shape
    torch.testing.assert_close(shared.loss, plain.loss, atol=1e-5, rtol=0)
    assert len(gradients) == len(others) > 0
    scale = max(float(gradient.abs().max()) for gradient in gradients)
    for one, other in zip(gradients, others, strict=True):
        torch.testing.assert_close(other / scale, one / scale, atol=1e-5, rtol=0)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("turns", [1, 3])
def test_groups_with_pictures_and_padding(model: Any, reads: list[int], attention: str, turns: int) -> None:
    model.set_attn_implementation(attention)
    inputs = grouped.batch(model, turns=turns)
    assert_exact(model, inputs)
    plain, shared = reads
    assert plain == inputs["input_ids"].numel()
    assert shared < plain / 2
    assert model.config.text_config._attn_implementation == attention
    model.set_attn_implementation("sdpa")


def test_groups_without_pictures(model: Any) -> None:
    assert_exact(model, grouped.batch(model, pictures=False))


def test_one_group_of_eight(model: Any, reads: list[int]) -> None:
    inputs = grouped.batch(model, groups=1, members=8)
    assert_exact(model, inputs)
    spoken = int((inputs["labels"] != -100).sum())
    assert reads[1] == int(inputs["attention_mask"][0].sum()) - int((inputs["labels"][0] != -100).sum()) + spoken


def test_members_that_are_apart_still_share_what_they_can(model: Any) -> None:
    inputs = grouped.batch(model, groups=2, members=3, pictures=False)
    order = torch.tensor([0, 3, 1, 4, 5, 2])
    assert_exact(model, {name: value[order] for name, value in inputs.items()})


def test_groups_under_gradient_checkpointing(model: Any) -> None:
    inputs = grouped.batch(model)
    model.gradient_checkpointing_enable({"use_reentrant": False})
    try:
        assert_exact(model, inputs)
    finally:
        model.gradient_checkpointing_disable()


def test_groups_under_lora(tmp_path: Path) -> None:
    made, _ = grouped.build(tmp_path)
    add_fused_lm_head(made, outputs=("log_probs", "entropy"))
    peft = pytest.importorskip("peft")
    targets = ["q_proj", "v_proj", "up_proj"]
    adapted = peft.get_peft_model(made, peft.LoraConfig(r=4, target_modules=targets, init_lora_weights=False)).train()
    assert_exact(adapted, grouped.batch(made))


def test_embeddings_that_the_output_layer_shares_get_both_gradients(model: Any) -> None:
    assert model.lm_head.weight is model.model.language_model.embed_tokens.weight
    inputs = grouped.batch(model)
    scored(model, inputs, share=True)
    gradient = model.lm_head.weight.grad
    only_read = next(token for token in inputs["input_ids"][0].tolist() if token not in set(inputs["labels"].flatten().tolist()) | {0})
    assert gradient[only_read].abs().sum() > 0


def test_a_call_that_cannot_be_packed_goes_the_plain_way_and_says_why_once(model: Any, caplog: pytest.LogCaptureFixture) -> None:
    inputs = grouped.batch(model, groups=1)
    plain = model(**inputs, output_hidden_states=True, fused_lm_head=True).log_probs
    with caplog.at_level(logging.WARNING, "maestro.train.prefix.forward"), shared_prefix(model):
        for _ in range(2):
            output = model(**inputs, output_hidden_states=True, fused_lm_head=True)
    torch.testing.assert_close(output.log_probs, plain, atol=1e-6, rtol=0)
    assert [record.getMessage() for record in caplog.records] == [
        "this forward pass reads every row on its own: packing does not know its arguments output_hidden_states"
    ]


def test_a_batch_without_anything_in_common_goes_the_plain_way(model: Any, reads: list[int]) -> None:
    inputs = grouped.batch(model, groups=1, members=1)
    assert_exact(model, inputs)
    assert reads[0] == reads[1]


def test_a_batch_in_which_nothing_is_scored_still_has_a_gradient(model: Any) -> None:
    inputs = grouped.batch(model, groups=1)
    inputs["labels"][:] = -100
    with shared_prefix(model):
        output = model(**inputs, fused_lm_head=True)
        output.log_probs.sum().backward()
    assert not output.log_probs.any()


@pytest.mark.parametrize("side", ["right", "left"])
def test_sharing_changes_neither_loss_nor_gradients(world: tuple[LocalPolicy, TraceWriter, RowWriter], side: str) -> None:
    policy, writer, rows = world
    picked = [rows.trace(writer.trace(index)) for index in (0, 1, 1, 2, 3)]
    batch = collate(picked, policy.tokenizer.pad_token_id, policy.model.config.image_token_id, policy.image_inputs)
    if side == "left":  # TRL pads prompts on the left
        for tensor in (batch.inputs["input_ids"], batch.inputs["attention_mask"], batch.inputs["mm_token_type_ids"], batch.targets):
            for index, row in enumerate(picked):
                tensor[index] = tensor[index].roll(tensor.shape[1] - row.length)
    results = []
    for share in (False, True):
        policy.model.zero_grad()
        with shared_prefix(policy.model, share=share):
            losses = token_losses(policy.model, batch)
            losses.sum().backward()
        results.append((losses.detach(), [parameter.grad.clone() for parameter in policy.model.parameters()]))
    torch.testing.assert_close(results[0][0], results[1][0], atol=1e-5, rtol=0)
    for plain, shared in zip(results[0][1], results[1][1], strict=True):
        torch.testing.assert_close(plain, shared, atol=1e-5, rtol=1e-4)


def test_a_trace_has_the_ids_and_mask_that_a_session_would_record(world: tuple[LocalPolicy, TraceWriter, RowWriter]) -> None:
    policy, writer, rows = world
    for index in range(30):
        trace = writer.trace(index)
        row = rows.trace(trace)
        decoded = policy.tokenizer.decode([token for token, ours in zip(row.completion_ids, row.mask, strict=True) if ours])
        assert decoded == "".join(turn.decision.text for turn in trace.turns)
        partial = rows.trace(trace, choices=False)
        assert partial.completion_ids == row.completion_ids
        assert sum(partial.mask) < sum(row.mask)


def test_rehearsal_carries_no_loss_on_experts(world: tuple[LocalPolicy, TraceWriter, RowWriter]) -> None:
    policy, writer, rows = world
    experts = {policy.encode(expert.id)[0] for expert in menu().experts}
    for index in range(30):
        row = rows.trace(writer.trace(index), choices=False)
        assert not {token for token, ours in zip(row.completion_ids, row.mask, strict=True) if ours} & experts


def test_the_model_is_plain_again_afterwards(model: Any) -> None:
    before, attention = vars(model)["forward"], model.config.text_config._attn_implementation
    with shared_prefix(model):
        assert "forward" in vars(model.model)
    assert "forward" not in vars(model.model)
    assert vars(model)["forward"] is before
    assert model.config.text_config._attn_implementation == attention
