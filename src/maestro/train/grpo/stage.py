"""Group-relative policy gradients on TRL's `GRPOTrainer`, fed by the project's own episodes.

TRL owns advantages, loss and optimiser steps; it does not own the loop, the data order or the checkpoints. The data set is
the exact list of prompts still to come, so that a resumed run simply starts further down, and every step seeds itself.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch

from maestro.errors import ConfigError
from maestro.train.alarms.drift import DriftMeter
from maestro.train.bench import Workbench
from maestro.train.config.run import GrpoStage
from maestro.train.episodes.drawing import draw_step, drawn_numbers, met_at
from maestro.train.episodes.resampling import Drawn
from maestro.train.grpo.groups import whole_groups
from maestro.train.grpo.reference import stage_start
from maestro.train.order import TaskOrder
from maestro.train.prefix.forward import shared_prefix
from maestro.train.processes.sharded_weights import ShardedWeights
from maestro.train.processes.shares import share_of
from maestro.train.seeding import number
from maestro.train.supervised import build_optimizer
from maestro.types import Episode, Task


def grpo(bench: Workbench, stage: GrpoStage) -> None:
    """Run the stage from where `bench.position` stands to its end."""
    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")  # rollout_func is experimental; trl is pinned
    import datasets  # it sets its own level when it is imported

    # They warn about what is meant here: our own token ids, a transform that is not cached, episodes without a reward.
    for name in ("transformers", datasets.__name__, "trl"):
        logging.getLogger(name).setLevel(logging.ERROR)
    place, done = bench.position.stage, bench.position.step
    rollout = Rollout(bench, stage)
    twin = ShardedWeights(bench.policy.model, bench.processes.count) if bench.processes.sharded else None
    trained = bench.policy.model if twin is None else twin.trained
    shards = bench.config.compute.shard_optimizer and bench.processes.count > 1 and twin is None  # a twin's optimiser is sharded already
    optimizer, schedule = build_optimizer(trained, stage.optimizer, stage.steps, shards=shards)
    if (path := bench.resumed) is not None:
        state = torch.load(path, weights_only=True)
        if twin is None:
            optimizer.load_state_dict(state["optimizer"])
        else:
            twin.restore(optimizer, state["optimizer"])
        schedule.load_state_dict(state["schedule"])
    bench.progress.stage(place, stage.kind, stage.steps, done)
    if done == 0:
        bench.look(0)
    with warnings.catch_warnings(), sampling_at(bench, stage.temperature):
        warnings.filterwarnings("ignore", category=FutureWarning)
        trainer = build_trainer(bench, stage, rollout, optimizer, schedule, twin)
        try:
            with whole_groups(stage.members), shared_prefix(trained, share=bench.config.shared_prefix):
                trainer.train()
        finally:
            trained.eval()
            trained.zero_grad(set_to_none=True)


@contextmanager
def sampling_at(bench: Workbench, temperature: float) -> Iterator[None]:
    """Episodes are sampled at the temperature that TRL scores them at; looks at the validation split have their own."""
    before = bench.policy.sampling
    bench.policy.sampling = replace(before, temperature=temperature)
    try:
        yield
    finally:
        bench.policy.sampling = before


class Rollout:
    """TRL's `rollout_func`: one step's episodes as token rows, with their rewards as an extra key.

    An episode that infrastructure broke gets no reward (None): TRL leaves it out of its group's mean and gives it no advantage.
    """

    def __init__(self, bench: Workbench, stage: GrpoStage) -> None:
        self.bench = bench
        self.stage = stage
        self.order = TaskOrder(bench.train, number(bench.config.seed, "order", bench.position.stage), stage.prompts)
        self.numbers: dict[str, Any] = {}
        """Summary of the last step's episodes."""
        self.drift = DriftMeter()
        self._checked: set[str] = set()

    def tasks(self, step: int) -> list[Task]:
        """The tasks of the episodes that are sampled at a step; further passes over them (`iterations`) sample none."""
        return self.order.at(step // self.stage.iterations)

    def __call__(self, prompts: list[Any], trainer: Any) -> dict[str, Any]:
        """`prompts` are this process's share, in data order, each repeated once per member."""
        bench, stage, step = self.bench, self.stage, self.bench.position.step
        tasks = bench.processes.share(self.tasks(step))
        if len(prompts) != len(tasks) * stage.members:
            raise ConfigError(f"TRL asks for {len(prompts)} episodes where this process's share is {len(tasks)} x {stage.members}")
        self._same_prompts(tasks, [prompts[index * stage.members] for index in range(len(tasks))], trainer)
        drawn = draw_step(bench, tasks, stage.members, step, round(stage.members * stage.stratified), stage.signal)
        self.numbers = drawn_numbers(bench, Drawn.together(bench.processes.collect([drawn])), step, stage.signal)
        rows = rows_for_trl(drawn.members, drawn.trained(stage.signal))
        self.drift.expect(rows)
        return rows

    def _same_prompts(self, tasks: Sequence[Task], prompts: Sequence[Any], trainer: Any) -> None:
        """Make sure that what TRL will render for the images is what the policy read. Checked once a task."""
        bench = self.bench
        for task, prompt in zip(tasks, prompts, strict=True):
            met = met_at(bench, bench.position.step, task)
            if task.id in self._checked and met.variation is None:
                continue
            self._checked.add(task.id)
            processor = trainer.processing_class
            text = processor.apply_chat_template(prompt, add_generation_prompt=True, tokenize=False)
            pictures = [part["image"] for message in prompt for part in message["content"] if part["type"] == "image"]
            rendered = processor(text=[text], images=pictures or None)["input_ids"][0]
            written = bench.policy.encode_prompt(met.opening(task, bench.sampler.ensemble.menu))
            self._fits(task, len(written))
            if list(rendered) != list(written):
                raise ConfigError(f"TRL renders another prompt for {task.id} than the policy; the processor or chat template was changed.")

    def _fits(self, task: Task, prompt: int) -> None:
        """Make sure that the policy can answer behind its prompt; one that is too long would be trained on as a bad episode."""
        policy = self.bench.policy
        wanted = policy.sampling.max_new_tokens if policy.reserve is None else policy.reserve
        if prompt + wanted > policy.max_tokens:
            raise ConfigError(
                f"the prompt of task {task.id} has {prompt} tokens, and a decision needs {wanted}; a row has {policy.max_tokens}. Raise "
                "policy.speech.max_tokens, or leave the task out."
            )


def rows_for_trl(episodes: Sequence[Episode], trained: Sequence[bool]) -> dict[str, Any]:
    """Episodes as TRL takes them; those that are not `trained` on are masked, and have no reward.

    A broken one that never got to a token is a single masked end-of-text.
    """
    rows: dict[str, Any] = {"prompt_ids": [], "completion_ids": [], "logprobs": [], "env_mask": [], "total": []}
    for episode, counts in zip(episodes, trained, strict=True):
        tokens = episode.tokens
        assert tokens is not None
        empty = not tokens.completion_ids
        rows["prompt_ids"].append(list(tokens.prompt_ids))
        rows["completion_ids"].append([tokens.prompt_ids[-1]] if empty else list(tokens.completion_ids))
        rows["logprobs"].append([0.0] if empty else list(tokens.logprobs))
        rows["env_mask"].append(list(tokens.mask) if counts and not empty else [0] * max(1, len(tokens.completion_ids)))
        rows["total"].append(episode.reward.total if counts and episode.reward is not None else None)
    return rows


def reward(total: list[float | None], **_: Any) -> list[float | None]:
    """TRL's reward function: the total that came with each episode."""
    return total


def build_trainer(
    bench: Workbench, stage: GrpoStage, rollout: Rollout, optimizer: Any, schedule: Any, twin: ShardedWeights | None = None
) -> Any:
    """A `GRPOTrainer` over the prompts still to come; it saves nothing and logs nothing by itself."""
    from transformers import PrinterCallback
    from trl import GRPOConfig, GRPOTrainer

    from maestro.train.grpo.steps import Steps

    left = stage.steps - bench.position.step
    if stage.beta:  # TRL loads the reference from where the model says that it came from
        bench.policy.model.config._name_or_path = str(stage_start(bench))  # noqa: SLF001
    compute, count = bench.config.compute, bench.processes.count
    arguments = GRPOConfig(
        output_dir=str(bench.folder.path / "trl"),
        seed=number(bench.config.seed, "trl") % 2**31,
        max_steps=left,
        num_generations=stage.members,
        per_device_train_batch_size=stage.micro_batch,
        gradient_accumulation_steps=share_of(stage, count) // stage.micro_batch,
        num_iterations=stage.iterations,
        max_completion_length=bench.policy.max_tokens,
        temperature=stage.temperature,
        beta=stage.beta,
        epsilon=stage.clip_low,
        epsilon_high=stage.clip_high,
        loss_type=stage.loss,
        scale_rewards=stage.scale_rewards,
        entropy_coef=stage.entropy,
        max_grad_norm=stage.optimizer.clip_norm,
        shuffle_dataset=False,
        remove_unused_columns=False,
        gradient_checkpointing=compute.gradient_checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False} if compute.gradient_checkpointing else None,
        bf16=compute.precision == "bfloat16",
        use_cpu=bench.policy.model.device.type == "cpu",
        ddp_find_unused_parameters=True,  # rows without a picture leave the vision tower out
        save_strategy="no",
        report_to=[],
        logging_steps=1,
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )
    if count == 1:
        arguments._n_gpu = min(1, arguments.n_gpu)  # noqa: SLF001 (else Transformers spreads one process over every card it sees)
    trainer = GRPOTrainer(
        model=_trained(bench) if twin is None else twin.trained,
        reward_funcs=reward,
        args=arguments,
        train_dataset=prompts_to_come(bench, stage, rollout),
        processing_class=bench.policy.processor,
        optimizers=(optimizer, schedule),
        rollout_func=rollout,
        callbacks=[Steps(bench, stage, rollout, optimizer, schedule, twin)],
    )
    rollout.drift.watch(trainer)
    if twin is not None:
        twin.adopt(trainer)
    if (ddp := trainer.accelerator.ddp_handler) is not None:
        ddp.gradient_as_bucket_view = True  # gradients travel from where they are, instead of from a second copy
    trainer.remove_callback(PrinterCallback)  # it prints every step to stdout, which is for results
    return trainer


def _trained(bench: Workbench) -> Any:
    """The policy's own model, with its adapters around it if it has any."""
    return bench.learner.trained if bench.learner is not None else bench.policy.model


def prompts_to_come(bench: Workbench, stage: GrpoStage, rollout: Rollout) -> Any:
    """TRL's data set: one row a prompt of every step still to come, its message and pictures made when the row is read."""
    from datasets import Dataset

    tasks = [(step, task) for step in range(bench.position.step, stage.steps, stage.iterations) for task in rollout.tasks(step)]

    def render(batch: dict[str, list[int]]) -> dict[str, list[Any]]:
        chosen = [tasks[index] for index in batch["index"]]
        openings = [met_at(bench, step, task).opening(task, bench.sampler.ensemble.menu) for step, task in chosen]
        return {
            "prompt": [plain_messages(bench.policy.messages(opening)) for opening in openings],
            "images": [[bench.policy.encoder.picture(name) for name in task.images] for _, task in chosen],
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
