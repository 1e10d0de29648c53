"""How the policy of a run speaks, and whether its prompts have room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from maestro.errors import ConfigError
from maestro.images import ImageStore
from maestro.policy.codec import message_ends
from maestro.policy.control import TAGS
from maestro.policy.options import sizes, token_dialect
from maestro.policy.protocol import Opening
from maestro.policy.spoken import spoken
from maestro.registry.menu import Menu
from maestro.train.config.run import TrainConfig
from maestro.train.episodes.encounters import told
from maestro.train.start import starting_folder
from maestro.train.verl.engine_policy import EnginePolicy
from maestro.types import Task

_LONGEST = 8
"""Prompts that are written out, of those that look longest."""


def speaking(config: TrainConfig, processor: Any, images: ImageStore, menu: Menu) -> EnginePolicy:
    """The policy of a run as it speaks on this menu, before it has a server."""
    folder = starting_folder(config.policy.load or "")
    options = spoken(folder, config.policy.speech.options)
    single = all(len(processor.tokenizer.encode(tag, add_special_tokens=False)) == 1 for tag in TAGS)
    dialect = token_dialect(options, menu, single_tags=single)
    if dialect.name == "maestro-4b" and options.history is None:
        dialect = token_dialect(options.model_copy(update={"history": "whole"}), menu, single_tags=single)
    limits = sizes(options, dialect.name)
    ends, blank = message_ends(folder, None), config.policy.blank_images
    return EnginePolicy(None, processor, images, dialect, {}, name=config.name, blank_images=blank, ends=ends, **limits)


def check_prompts(config: TrainConfig, policy: EnginePolicy, menu: Menu, tasks: Sequence[Task]) -> None:
    """That the prompts of these tasks have room; pictures count by their size. Raises ConfigError naming the longest, or ImageError.

    The registry counts as it is: where a run varies it, a draw may be longer, and such an episode fails by itself.
    """
    looks = sorted(tasks, key=lambda task: _about(policy, task), reverse=True)[:_LONGEST]
    lengths = {task.id: len(policy.encode_prompt(Opening(task.unanswered(), menu, cost_weight=told(config)))) for task in looks}
    longest = max(lengths, key=lambda name: lengths[name], default="")
    limit = config.verl.prompt_tokens
    if longest and lengths[longest] > limit:
        raise ConfigError(
            f"verl.prompt_tokens is {limit}, and the prompt of task {longest} has {lengths[longest]} tokens: "
            f"give it at least so many, or leave the task out."
        )


def _about(policy: EnginePolicy, task: Task) -> int:
    """Tokens of a prompt beside the menu, nearly."""
    sizes = (policy.encoder.images.pixels(name).size for name in task.images)
    words = policy.processor.tokenizer.encode(f"{task.question} {' '.join(task.choices)}", add_special_tokens=False)
    return len(words) + sum(policy.encoder.count(*size) for size in sizes)
