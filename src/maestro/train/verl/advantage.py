"""Group-relative advantages over those members of a group that may teach.

verl finds this module through the entry point group `verl.plugins`, in every process that imports verl. Its own estimator `grpo` would
let an episode that infrastructure broke, whose reward is 0 and means nothing, shift the mean of its group.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import torch
from verl.trainer.ppo.core_algos import register_adv_est

from maestro.train.verl.names import ESTIMATOR


@register_adv_est(ESTIMATOR)  # type: ignore[untyped-decorator]
def group_advantages(
    token_level_rewards: torch.Tensor,
    response_mask: torch.Tensor,
    index: Any,
    epsilon: float = 1e-4,
    config: Any = None,
    **_: Any,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Advantages and returns, both (batch, response length).

    A row whose mask is all 0 counts for nothing and gets 0; so does a member whose group has nobody else. `epsilon` is that of TRL, and
    as there the standard deviation is the sample's (GRPO, arXiv 2402.03300; without it Dr. GRPO, arXiv 2503.20783). `config` is verl's
    section `algorithm`: of registered estimators only its own are told `norm_adv_by_std_in_grpo` as an argument.
    """
    scaled = config is None or bool(config.get("norm_adv_by_std_in_grpo", True))
    rewards = token_level_rewards.sum(-1)
    teaches = response_mask.sum(-1) > 0
    members: dict[Any, list[int]] = defaultdict(list)
    for row, group in enumerate(index):
        if bool(teaches[row]):
            members[group].append(row)
    advantages = torch.zeros_like(rewards)
    for rows in members.values():
        if len(rows) < 2:
            continue
        group = rewards[rows]
        above = group - group.mean()
        advantages[rows] = above / (group.std() + epsilon) if scaled else above
    spread = advantages[:, None] * response_mask
    return spread, spread
