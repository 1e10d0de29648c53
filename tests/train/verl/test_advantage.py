"""Who counts in a group, and how: against numbers worked out by hand."""

from __future__ import annotations

import pytest
import torch

pytest.importorskip("verl", reason="verl is not installed: pip install 'maestro-orchestrator[verl]'")

from maestro.train.verl.advantage import group_advantages

pytestmark = pytest.mark.verl


def placed(*totals: float, width: int = 3) -> torch.Tensor:
    """Rewards a token, all on the last."""
    rewards = torch.zeros(len(totals), width)
    rewards[:, -1] = torch.tensor(totals)
    return rewards


def test_a_broken_member_neither_counts_nor_learns() -> None:
    mask = torch.tensor([[1, 0, 1], [1, 1, 1], [0, 0, 0]])
    found, returns = group_advantages(placed(1.0, 0.0, 0.0), mask, ["a", "a", "a"])
    alone, _ = group_advantages(placed(1.0, 0.0), mask[:2], ["a", "a"])
    assert torch.equal(found[:2], alone)
    assert found[2].abs().sum() == 0
    assert torch.equal(found, returns)
    # mean 0.5, sample deviation 0.7071: the third member's 0 would have made them 0.333 and 0.577
    assert found[0].tolist() == pytest.approx([0.7070, 0.0, 0.7070], abs=1e-4)


def test_a_member_alone_in_its_group_learns_nothing() -> None:
    mask = torch.tensor([[1, 1], [0, 0], [1, 1], [1, 1]])
    found, _ = group_advantages(placed(1.0, 0.0, 0.2, 0.4, width=2), mask, ["a", "a", "b", "b"])
    assert found[:2].abs().sum() == 0
    assert found[2:, 0].tolist() == pytest.approx([-0.7066, 0.7066], abs=1e-4)


def test_groups_are_apart_wherever_their_rows_lie() -> None:
    mask = torch.ones(4, 1, dtype=torch.long)
    found, _ = group_advantages(placed(1.0, 5.0, 0.0, 5.0, width=1), mask, ["a", "b", "a", "b"])
    assert found.flatten().tolist() == pytest.approx([0.7070, 0.0, -0.7070, 0.0], abs=1e-4)


@pytest.mark.parametrize(("config", "expected"), [(None, 0.7070), ({}, 0.7070), ({"norm_adv_by_std_in_grpo": False}, 0.5)])
def test_the_scale_is_what_the_config_says(config: dict[str, bool] | None, expected: float) -> None:
    found, _ = group_advantages(placed(1.0, 0.0, width=1), torch.ones(2, 1), ["a", "a"], config=config)
    assert found[0].item() == pytest.approx(expected, abs=1e-4)


def test_verl_knows_it_by_its_name_and_hands_it_its_config() -> None:
    import numpy as np
    from verl import DataProto
    from verl.trainer.ppo.ray_trainer import compute_advantage

    from maestro.train.verl.names import ESTIMATOR

    tensors = {"token_level_rewards": placed(1.0, 0.0, width=2), "response_mask": torch.ones(2, 2, dtype=torch.long)}
    for scaled, expected in ((True, 0.7070), (False, 0.5)):
        data = DataProto.from_dict(dict(tensors), non_tensors={"uid": np.array(["a", "a"], dtype=object)})
        made = compute_advantage(data, ESTIMATOR, norm_adv_by_std_in_grpo=scaled, config={"norm_adv_by_std_in_grpo": scaled})
        assert made.batch["advantages"][0, 0].item() == pytest.approx(expected, abs=1e-4)
