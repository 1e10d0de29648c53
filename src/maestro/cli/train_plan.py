"""What `maestro train --dry-run` says: the resolved config, who reads each setting, and the memory the run takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import orjson

from maestro.cli.output import console, print_json
from maestro.train.config.run import GrpoStage, TrainConfig
from maestro.train.memory.plan import CARDS, GIB, Plan, layouts, plan, row_tokens
from maestro.train.memory.shape import Shape, read_shape
from maestro.train.readers import Setting, settings
from maestro.train.start import starting_folder

_VALUE_WIDTH = 64
"""Of the column with settings and values; longer ones push their reader to the right."""


def describe(config: TrainConfig, target: Path, processes: int, *, as_json: bool) -> None:
    """Print what the run would do; touches neither tensors nor experts, but the names have to exist."""
    from maestro.images import ImageStore
    from maestro.registry.registry import Registry
    from maestro.rollout.systems import offered_menu
    from maestro.tasks.opening import task_source
    from maestro.train.questions import check_source

    registry = Registry.load(config.ensemble.registry)
    source = task_source(config.tasks.source)
    check_source(config, source, ImageStore(), offered_menu(registry, source))
    shape = read_shape(starting_folder(config.policy.load)) if config.policy.load is not None else None
    found = settings(config)
    stages = [stage.kind for stage in config.stages]
    plans = _plans(config, shape, processes)
    if as_json:
        print_json(
            {
                "run": str(target),
                "exists": (target / "config.yaml").exists(),
                "registry": f"{registry.name}@{registry.digest[:12]}",
                "stages": stages,
                "digest": config.digest,
                "config": config.model_dump(mode="json"),
                "readers": {setting.key: list(setting.readers) for setting in found},
                "unread": {setting.key: setting.unread for setting in found if setting.unread},
                "memory": [_record(index, one) for index, one in plans],
                "command": _command(config, target),
            }
        )
        return
    console().print(f"would run {', then '.join(stages)} on {registry.name}@{registry.digest[:12]} in {target}\n", markup=False)
    click.echo(_memory(config, shape, plans))
    if (starts := _command(config, target)) is not None:
        click.echo("\nWhat verl is started with, once per run (from the head of the Ray cluster when there are several machines):")
        click.echo("  " + " \\\n    ".join(starts))
    click.echo(_settings(found))


def _command(config: TrainConfig, target: Path) -> list[str] | None:
    """What the engine verl runs, None for an engine in this process."""
    if config.engine != "verl":
        return None
    from maestro.train.verl.launch import command

    return command(config, target)


def _plans(config: TrainConfig, shape: Shape | None, processes: int) -> list[tuple[int, Plan]]:
    """Plans of every policy-gradient stage, with the stage's number."""
    stages = [(index, stage) for index, stage in enumerate(config.stages) if isinstance(stage, GrpoStage)]
    return [(index, plan(config, stage, shape, one)) for index, stage in stages for one in layouts(processes)] if shape is not None else []


def _settings(found: list[Setting]) -> str:
    """The resolved config, a line a setting: its value, and who reads it, or why nobody does."""
    values = [f"{setting.key}: {orjson.dumps(setting.value, default=str).decode()}" for setting in found]
    width = min(_VALUE_WIDTH, max(map(len, values)))
    readers = [", ".join(setting.readers) or f"nobody: {setting.unread}" for setting in found]
    lines = [
        f"{'*' if setting.changed else ' '} {value:<{width}}  {read}" for setting, value, read in zip(found, values, readers, strict=True)
    ]
    return "\n".join(
        ["\nThe config, resolved, and who reads each setting (* differs from its default; --json has it all as data):", *lines]
    )


def _memory(config: TrainConfig, shape: Shape | None, plans: list[tuple[int, Plan]]) -> str:
    """A table of GiB a device."""
    if shape is None:
        return "Memory: no plan; a policy that is built here has a few million parameters."
    if not plans:
        return "Memory: no plan; no stage is grpo."
    trained = shape.adapted(config.policy.lora) if config.policy.lora is not None else shape.parameters
    row, written = row_tokens(config)
    heads = ("weights", "gradients", "optimiser", "sampling", "activations", "logits", "peak")
    millions = f"{shape.parameters / 1e6:,.1f} million parameters, {trained / 1e6:,.1f} million trained"
    lines = [
        f"Memory, GiB a device: {millions}; rows of up to {row} tokens, {written} of them written.",
        f"  {'':<52}" + "".join(f"{head:>12}" for head in heads) + "  fits",
    ]
    for index, one in plans:
        parts = (one.weights, one.gradients, one.optimizer, one.sampling, one.activations, one.logits, one.peak)
        fitting = [f"{card} GB" for card in CARDS if one.fits(card)]
        name = f"stages.{index}: {one.layout.name}"
        lines.append(
            f"  {name:<52}" + "".join(f"{part / GIB:>12.1f}" for part in parts) + f"  {', '.join(fitting) or 'none of 24, 40, 80 GB'}"
        )
    return "\n".join(
        [*lines, "An estimate from above, for rows as long as they may get. Peak: the largest of sampling, update and optimiser step."]
    )


def _record(index: int, one: Plan) -> dict[str, Any]:
    """A plan for machines, in bytes."""
    names = ("weights", "gradients", "optimizer", "sampling", "activations", "logits", "step", "peak")
    return {
        "stage": index,
        "layout": one.layout.name,
        "processes": one.layout.processes,
        **{name: getattr(one, name) for name in names},
        "fits_gb": [card for card in CARDS if one.fits(card)],
    }
