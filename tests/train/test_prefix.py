from __future__ import annotations

from pathlib import Path

import pytest
import torch

from maestro.policy.local import LocalPolicy
from maestro.train.batches import collate
from maestro.train.prefix import common_prefix, shared_prefix
from maestro.train.rows import RowWriter
from maestro.train.supervised import token_losses
from maestro.train.traces import TraceWriter
from tests.train.toy import menu


@pytest.mark.parametrize("side", ["right", "left"])
def test_sharing_changes_neither_loss_nor_gradients(world: tuple[LocalPolicy, TraceWriter, RowWriter], side: str) -> None:
    policy, writer, rows = world
    picked = [rows.trace(writer.trace(index)) for index in (0, 1, 1, 2, 3)]
    batch = collate(picked, policy.tokenizer.pad_token_id, policy.model.config.image_token_id, policy.image_inputs)
    if side == "left":  # TRL pads prompts on the left
        for tensor in (batch.inputs["input_ids"], batch.inputs["attention_mask"], batch.inputs["mm_token_type_ids"], batch.targets):
            for index, row in enumerate(picked):
                tensor[index] = tensor[index].roll(tensor.shape[1] - row.length)
    assert common_prefix(batch.inputs["input_ids"], batch.inputs["attention_mask"], policy.model.config.image_token_id) >= 16
    results = []
    for share in (False, True):
        policy.model.zero_grad()
        if share:
            with shared_prefix(policy.model):
                losses = token_losses(policy.model, batch)
        else:
            losses = token_losses(policy.model, batch)
        losses.sum().backward()
        results.append((losses.detach(), [parameter.grad.clone() for parameter in policy.model.parameters()]))
    torch.testing.assert_close(results[0][0], results[1][0], atol=1e-5, rtol=1e-4)
    for plain, shared in zip(results[0][1], results[1][1], strict=True):
        torch.testing.assert_close(plain, shared, atol=1e-4, rtol=1e-3)


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


def test_the_model_is_plain_again_afterwards(world: tuple[LocalPolicy, TraceWriter, RowWriter], tmp_path: Path) -> None:
    policy = world[0]
    with shared_prefix(policy.model):
        assert "forward" in vars(policy.model.model)
    assert "forward" not in vars(policy.model.model)
