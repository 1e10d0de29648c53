"""verl's clipped objective, but for a step on which nothing may teach.

Where every token of a batch is masked, verl's gradient is 0, whatever the loss is averaged over, and an optimiser step with a gradient of
0 still moves the weights: by momentum and by weight decay. An update whose gradient is no number is what verl skips, so that is what
such a step gets here.
"""

from __future__ import annotations

from typing import Any

import torch
from verl.trainer.ppo.core_algos import compute_policy_loss_vanilla, register_policy_loss

from maestro.train.verl.names import POLICY_LOSS


@register_policy_loss(POLICY_LOSS)  # type: ignore[arg-type]
def policy_loss(*, log_prob: torch.Tensor, config: Any, **given: Any) -> tuple[torch.Tensor, dict[str, Any]]:
    """The loss `vanilla` of verl over a micro batch, and its metrics; no number, where no token of the whole batch teaches.

    `log_prob` is (rows, response length); `config` is verl's section `actor`, which knows how many tokens of the batch are not masked.
    """
    vanilla: Any = compute_policy_loss_vanilla  # its annotations are not those of what it takes
    loss, metrics = vanilla(log_prob=log_prob, config=config, **given)
    tokens = config.global_batch_info.get("batch_num_tokens")
    idle = tokens is not None and int(tokens) == 0
    return (loss + torch.nan * log_prob.sum() if idle else loss), metrics
