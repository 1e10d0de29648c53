"""Group-relative policy gradients on TRL's `GRPOTrainer`, fed by the project's own episodes.

TRL owns advantages, loss and optimiser steps; it does not own the loop, the data order or the checkpoints. The data set is
the exact list of prompts still to come, so that a resumed run simply starts further down, and every step seeds itself.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Sequence
from typing import Any

import torch

from maestro.errors import ConfigError
from maestro.policy.protocol import Opening
from maestro.train.bench import Workbench
from maestro.train.config import GrpoStage
from maestro.train.groups import whole_groups
from maestro.train.metrics import broken, summarise
from maestro.train.order import TaskOrder
from maestro.train.prefix import shared_prefix
from maestro.train.seeding import number, seed_all
from maestro.train.supervised import build_optimizer
from maestro.types import Episode, Task


def grpo(bench: Workbench, stage: GrpoStage) -> None:
    """Run the stage from where `bench.position` stands to its end."""
    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")  # rollout_func is experimental; trl is pinned
    for name in ("transformers", "datasets"):  # they warn about what is meant here: our own token ids, a transform that is not cached
        logging.getLogger(name).setLevel(logging.ERROR)
    place, done = bench.position.stage, bench.position.step
    rollout = Rollout(bench, stage)
    optimizer, schedule = build_optimizer(bench.policy.model, stage.optimizer, stage.steps)
    if (path := bench.resumed) is not None:
        state = torch.load(path, weights_only=True)
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
    bench.progress.stage(place, stage.kind, stage.steps, done)
    if done == 0:
        bench.look(0)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning)
        trainer = build_trainer(bench, stage, rollout, optimizer, schedule)
        try:
            with whole_groups(stage.members), shared_prefix(bench.policy.model, share=bench.config.shared_prefix):
                trainer.train()
        finally:
            bench.policy.model.eval()
            bench.policy.model.zero_grad(set_to_none=True)


class Rollout:
    """TRL's `rollout_func`: one step's episodes as token rows, with their rewards as an extra key.

    An episode that infrastructure broke gets no reward (None): TRL leaves it out of its group's mean and gives it no advantage.
    """

    def __init__(self, bench: Workbench, stage: GrpoStage) -> None:
        self.bench = bench
        self.stage = stage
        self.order = TaskOrder(bench.train, number(bench.config.seed, "order", bench.position.stage))
        self.numbers: dict[str, Any] = {}
        """Summary of the last step's episodes."""
        self._checked: set[str] = set()

    def tasks(self, step: int) -> list[Task]:
        """The tasks of a step."""
        return self.order.at(step * self.stage.prompts, self.stage.prompts)

    def __call__(self, prompts: list[Any], trainer: Any) -> dict[str, Any]:
        """`prompts` arrive in data order, each repeated once per member."""
        bench, stage, step = self.bench, self.stage, self.bench.position.step
        tasks = self.tasks(step)
        if len(prompts) != len(tasks) * stage.members:
            raise ConfigError(f"TRL asks for {len(prompts)} episodes where the stage has {len(tasks)} x {stage.members}")
        self._same_prompts(tasks, [prompts[index * stage.members] for index in range(len(tasks))], trainer)
        forced = round(stage.members * stage.stratified)
        groups = bench.sampler.groups(
            tasks, stage.members, step * stage.members, forced, bench.config.seed, "stratum", bench.position.stage
        )
        episodes = [episode for group in groups for episode in group]
        bench.record(episodes)
        self.numbers = summarise([task for task in tasks for _ in range(stage.members)], episodes)
        return rows_for_trl(episodes)

    def _same_prompts(self, tasks: Sequence[Task], prompts: Sequence[Any], trainer: Any) -> None:
        """Make sure that what TRL will render for the images is what the policy read. Checked once a task."""
        for task, prompt in zip(tasks, prompts, strict=True):
            if task.id in self._checked:
                continue
            self._checked.add(task.id)
            processor = trainer.processing_class
            text = processor.apply_chat_template(prompt, add_generation_prompt=True, tokenize=False)
            pictures = [part["image"] for message in prompt for part in message["content"] if part["type"] == "image"]
            rendered = processor(text=[text], images=pictures or None)["input_ids"][0]
            if list(rendered) != list(self.bench.rows.prompt(task)):
                raise ConfigError(f"TRL renders another prompt for {task.id} than the policy; the processor or chat template was changed.")


def rows_for_trl(episodes: Sequence[Episode]) -> dict[str, Any]:
    """Episodes as TRL takes them. A broken one that never got to a token is a single masked end-of-text."""
    rows: dict[str, Any] = {"prompt_ids": [], "completion_ids": [], "logprobs": [], "env_mask": [], "total": []}
    for episode in episodes:
        tokens = episode.tokens
        assert tokens is not None
        # A row that is not what was sampled in its context must not be trained on either.
        lost = broken(episode) or episode.reward is None or tokens.untrainable is not None
        empty = not tokens.completion_ids
        rows["prompt_ids"].append(list(tokens.prompt_ids))
        rows["completion_ids"].append([tokens.prompt_ids[-1]] if empty else list(tokens.completion_ids))
        rows["logprobs"].append([0.0] if empty else list(tokens.logprobs))
        rows["env_mask"].append([0] * max(1, len(tokens.completion_ids)) if lost or empty else list(tokens.mask))
        rows["total"].append(None if lost or episode.reward is None else episode.reward.total)
    return rows


def reward(total: list[float | None], **_: Any) -> list[float | None]:
    """TRL's reward function: the total that came with each episode."""
    return total


def build_trainer(bench: Workbench, stage: GrpoStage, rollout: Rollout, optimizer: Any, schedule: Any) -> Any:
    """A `GRPOTrainer` over the prompts still to come; it saves nothing and logs nothing by itself."""
    from transformers import PrinterCallback
    from trl import GRPOConfig, GRPOTrainer

    from maestro.train.grpo_steps import Steps

    left = stage.steps - bench.position.step
    arguments = GRPOConfig(
        output_dir=str(bench.folder.path / "trl"),
        seed=number(bench.config.seed, "trl") % 2**31,
        max_steps=left,
        num_generations=stage.members,
        per_device_train_batch_size=stage.micro_batch,
        gradient_accumulation_steps=stage.prompts * stage.members // stage.micro_batch,
        num_iterations=stage.iterations,
        max_completion_length=bench.policy.max_tokens,
        temperature=stage.temperature,
        beta=0.0,
        epsilon=stage.clip_low,
        epsilon_high=stage.clip_high,
        loss_type=stage.loss,
        scale_rewards=stage.scale_rewards,
        entropy_coef=stage.entropy,
        max_grad_norm=stage.optimizer.clip_norm,
        shuffle_dataset=False,
        remove_unused_columns=False,
        gradient_checkpointing=False,
        bf16=False,
        use_cpu=not torch.cuda.is_available(),
        save_strategy="no",
        report_to=[],
        logging_steps=1,
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )
    trainer = GRPOTrainer(
        model=bench.policy.model,
        reward_funcs=reward,
        args=arguments,
        train_dataset=prompts_to_come(bench, stage, rollout),
        processing_class=bench.policy.processor,
        optimizers=(optimizer, schedule),
        rollout_func=rollout,
        callbacks=[Steps(bench, stage, rollout, optimizer, schedule)],
    )
    trainer.remove_callback(PrinterCallback)  # it prints every step to stdout, which is for results
    return trainer


def prompts_to_come(bench: Workbench, stage: GrpoStage, rollout: Rollout) -> Any:
    """TRL's data set: one row a prompt of every step still to come, its message and pictures made when the row is read."""
    from datasets import Dataset

    tasks = [task for step in range(bench.position.step, stage.steps, stage.iterations) for task in rollout.tasks(step)]

    def render(batch: dict[str, list[int]]) -> dict[str, list[Any]]:
        chosen = [tasks[index] for index in batch["index"]]
        openings = [Opening(task.unanswered(), bench.sampler.ensemble.menu, cost_weight=bench.sampler.cost_weight) for task in chosen]
        return {
            "prompt": [plain_messages(bench.policy.messages(opening)) for opening in openings],
            "images": [[bench.policy.encoder.picture(name) for name in task.images] for task in chosen],
        }

    return Dataset.from_dict({"index": list(range(len(tasks)))}).with_transform(render)


def plain_messages(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Messages with text content only: TRL puts the pictures back in front, where the policy has them too."""
    return [
        {**message, "content": "".join(part.get("text", "") for part in message["content"])}
        if isinstance(message["content"], list)
        else message
        for message in messages
    ]


def reseed(bench: Workbench) -> None:
    """Global generators for the coming step (TRL shuffles with them)."""
    seed_all(bench.config.seed, "grpo", bench.position.stage, bench.position.step)
