"""Which module reads which setting in a run, and which settings nothing would read.

`maestro train` refuses a setting that was changed and that nothing reads in this run: it would look as if it did something. The
table is checked by a test that watches real runs (`tests/train/test_readers.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from shlex import quote
from typing import Any

import orjson
from pydantic import BaseModel

from maestro.errors import ConfigError
from maestro.train.config.run import ExpertIterationStage, GrpoStage, TrainConfig, WarmStartStage

Condition = Callable[[TrainConfig, Any], str | None]
"""From the config and the stage (None outside of one) to why the setting is not read; None when it is."""


@dataclass(frozen=True)
class Setting:
    """One setting of a resolved config."""

    key: str
    """Dotted, as on the command line: `stages.0.steps`."""
    value: Any
    model: str
    """Class that it is a field of."""
    changed: bool
    """Whether it differs from its default."""
    default: Any
    readers: tuple[str, ...]
    """Modules that read it in this run."""
    unread: str | None = None
    """Why nothing does."""


def settings(config: TrainConfig) -> list[Setting]:
    """Every setting of a config in its order, with its readers."""
    return [_setting(config, *leaf) for leaf in _leaves(config, TrainConfig(), "")]


def check_read(config: TrainConfig) -> None:
    """Raise ConfigError naming every changed setting that nothing reads in this run."""
    lost = [setting for setting in settings(config) if setting.changed and setting.unread is not None]
    if lost:
        lines = "\n".join(f"  {setting.key}: {setting.unread}" for setting in lost)
        back = " ".join(f"--set {setting.key}={_written(setting.default)}" for setting in lost)
        raise ConfigError(f"nothing reads these settings in this run; leave them out:\n{lines}\nor give their defaults: {back}")


def _written(value: Any) -> str:
    """A value as `--set` takes it."""
    return quote(orjson.dumps(value, default=str).decode())


def _leaves(model: BaseModel, default: BaseModel | None, prefix: str, stage: Any = None) -> Iterator[tuple[str, BaseModel, str, Any, Any]]:
    """(key, model, field, default value, stage) of every setting that holds no further ones."""
    for name in type(model).model_fields:
        value, usual = getattr(model, name), getattr(default, name, None)
        if isinstance(value, BaseModel):
            usual = usual if isinstance(usual, type(value)) else _usual(value)
            yield from _leaves(value, usual, f"{prefix}{name}.", stage)
        elif name == "stages":
            for index, one in enumerate(value):
                yield from _leaves(one, type(one)(), f"{prefix}{name}.{index}.", one)
        else:
            yield f"{prefix}{name}", model, name, usual, stage


def _usual(value: BaseModel) -> BaseModel | None:
    """A section with its defaults; None when it has a setting without one."""
    return type(value)() if all(not field.is_required() for field in type(value).model_fields.values()) else None


def _setting(config: TrainConfig, key: str, model: BaseModel, name: str, usual: Any, stage: Any) -> Setting:
    value = getattr(model, name)
    place = f"{stage.kind}.{key.split('.', 2)[2]}" if stage is not None else key
    modules, condition = next((reader for pattern, reader in READERS[config.engine].items() if fnmatchcase(place, pattern)), ((), _never))
    unread = condition(config, stage)
    kinds = {one.kind for one in config.stages}
    modules = tuple(module for module in modules if _STAGE_OF.get(module) in {None, *kinds})
    return Setting(key, value, type(model).__name__, value != usual, usual, () if unread else modules, unread)


def _never(_config: TrainConfig, _stage: Any) -> str | None:
    return "no module reads it"


def _always(_config: TrainConfig, _stage: Any) -> str | None:
    return None


def _episodes(config: TrainConfig, _stage: Any) -> str | None:
    learns = any(not isinstance(stage, WarmStartStage) for stage in config.stages)
    return None if learns else "only a stage that learns from episodes reads it, and a warm start does not"


def _taught(config: TrainConfig, _stage: Any) -> str | None:
    from maestro.train.warm_start.scenes import teaches

    return None if teaches(config) else "no stage writes traces"


def _grpo(config: TrainConfig, _stage: Any) -> str | None:
    return None if any(isinstance(stage, GrpoStage) for stage in config.stages) else "no stage is grpo"


def _rounds(config: TrainConfig, _stage: Any) -> str | None:
    return None if any(isinstance(stage, ExpertIterationStage) for stage in config.stages) else "no stage is expert_iteration"


def _reference(config: TrainConfig, _stage: Any) -> str | None:
    measured = any(isinstance(stage, GrpoStage) and stage.beta > 0 for stage in config.stages)
    return None if measured else "no stage has a beta, so no KL divergence is measured"


def _random_outages(config: TrainConfig, stage: Any) -> str | None:
    return _episodes(config, stage) if config.ensemble.outages.random.share else "ensemble.outages.random.share is 0"


def _saving(config: TrainConfig, _stage: Any) -> str | None:
    rounds = all(isinstance(stage, ExpertIterationStage) for stage in config.stages)
    return "expert iteration is saved after every round" if rounds else None


def _wall_clock(_config: TrainConfig, _stage: Any) -> str | None:
    return "wall-clock limits do not apply while training; what an expert may take stands in its card"


def _built(config: TrainConfig, _stage: Any) -> str | None:
    return None if config.policy.load is None else "policy.load names a policy, and only an untrained one is built by sizes"


def _loaded(config: TrainConfig, _stage: Any) -> str | None:
    return None if config.policy.load is not None else "an untrained policy speaks maestro within its usual limits; name one in policy.load"


def _planner(config: TrainConfig, stage: Any) -> str | None:
    other = config.policy.speech.dialect == "maestro"
    return "the dialect maestro has neither" if other else _loaded(config, stage)


def _hash(config: TrainConfig, stage: Any) -> str | None:
    return _planner(config, stage) if config.policy.speech.prompt is not None else "policy.speech.prompt names no file"


def _store(config: TrainConfig, _stage: Any) -> str | None:
    if config.ensemble.store is None and config.ensemble.mode not in {"replay", "record"}:
        return "ensemble.store names no file of recorded calls"
    tables = config.ensemble.store is not None and config.ensemble.store.is_dir()
    return "ensemble.store is a folder of recorded tables, which are always replayed" if tables else None


def _cosine(_config: TrainConfig, stage: Any) -> str | None:
    return None if stage.optimizer.schedule == "cosine" else "the schedule is constant"


def _stratified(_config: TrainConfig, stage: Any) -> str | None:
    return None if stage.stratified else "without stratified no later decision is forced either"


_STAGE_OF = {"maestro.train.warm_start.stage": "warm_start", "maestro.train.grpo.stage": "grpo", "maestro.train.grpo.steps": "grpo"}
"""Modules that only a run with this kind of stage loads."""


def _varied(config: TrainConfig, stage: Any) -> str | None:
    return _episodes(config, stage) if config.ensemble.variation.share else "ensemble.variation.share is 0"


def _dialled(config: TrainConfig, stage: Any) -> str | None:
    return _episodes(config, stage) if config.dial.high else "dial.high is 0, so the policy is told nothing"


def _resampled(_config: TrainConfig, stage: Any) -> str | None:
    return None if stage.signal.equal_groups == "resample" else "signal.equal_groups is not resample"


def _penalised(_config: TrainConfig, stage: Any) -> str | None:
    treatments = {stage.signal.truncated, stage.signal.overlong}
    return None if "penalise" in treatments else "neither signal.truncated nor signal.overlong is penalise"


def _other_engine(config: TrainConfig, _stage: Any) -> str | None:
    return f"the engine {config.engine} does not read it"


_Reader = tuple[tuple[str, ...], Condition]
_EPISODES = ("maestro.train.alarms.watch",)
_COMMON: Mapping[str, _Reader] = {
    "name": (("maestro.train.learner", "maestro.train.card"), _always),
    "seed": (("maestro.train.learner", "maestro.train.grpo.stage"), _always),
    "engine": (("maestro.train.readers",), _always),
    "threads": (("maestro.train.run", "maestro.train.learner"), _always),
    "shared_prefix": (("maestro.train.run", "maestro.train.grpo.stage"), _always),
    "result": (("maestro.train.handover",), _always),
    "compute.device": (("maestro.train.learner",), _always),
    "compute.precision": (("maestro.train.learner", "maestro.train.grpo.stage"), _always),
    "compute.gradient_checkpointing": (("maestro.train.grpo.stage",), _grpo),
    "compute.generation_batch": (("maestro.train.learner",), _always),
    "compute.open_episodes": (("maestro.train.run",), _always),
    "compute.shard_optimizer": (("maestro.train.grpo.stage",), _grpo),
    "compute.shard_weights": (("maestro.train.processes.start",), _grpo),
    "policy.load": (("maestro.train.run",), _always),
    "policy.sizes": (("maestro.train.run",), _built),
    "policy.blank_images": (("maestro.train.learner",), _always),
    "policy.lora": (("maestro.train.learner",), _always),
    "policy.lora.*": (("maestro.train.adapters",), _always),
    "policy.speech.history": (("maestro.train.config.speech",), _planner),
    "policy.speech.prompt": (("maestro.train.config.speech",), _planner),
    "policy.speech.prompt_sha256": (("maestro.train.config.speech",), _hash),
    "policy.speech.*": (("maestro.train.config.speech",), _loaded),
    "ensemble.registry": (("maestro.train.materials",), _always),
    "ensemble.outages.random.steps": (("maestro.train.episodes.outages",), _random_outages),
    "ensemble.outages.*": (("maestro.train.episodes.outages",), _episodes),
    "ensemble.variation.share": (("maestro.train.episodes.encounters",), _episodes),
    "ensemble.variation.*": (("maestro.train.variation.menu",), _varied),
    "dial.high": (("maestro.train.episodes.encounters",), _episodes),
    "dial.*": (("maestro.train.episodes.encounters",), _dialled),
    "verl.*": ((), _other_engine),
    "ensemble.store": (("maestro.train.materials",), _always),
    "ensemble.mode": (("maestro.train.materials",), _store),
    "tasks.source": (("maestro.train.materials",), _always),
    "tasks.warm*": (("maestro.train.materials", "maestro.train.warm_start.scenes"), _taught),
    "tasks.*": (("maestro.train.materials",), _episodes),
    "limits.seconds": ((), _wall_clock),
    "limits.turns": (("maestro.rollout.limits",), _always),
    "limits.*": (("maestro.rollout.limits",), _episodes),
    "reward.*": (("maestro.reward.rule",), _episodes),
    "alarms.window": (_EPISODES, _grpo),
    "alarms.stop": (("maestro.train.bench",), _episodes),
    "alarms.rounds": (_EPISODES, _rounds),
    "alarms.kl": (("maestro.train.alarms.rules",), _reference),
    "alarms.drift": (("maestro.train.alarms.rules",), _grpo),
    "alarms.grammar_floor": (("maestro.train.alarms.rules", "maestro.train.bench"), _episodes),
    "alarms.*": (("maestro.train.alarms.rules",), _episodes),
    "validation.every": (("maestro.train.grpo.steps",), _grpo),
    "validation.sampled": (("maestro.train.bench",), _episodes),
    "checkpoint.every": (("maestro.train.grpo.steps", "maestro.train.warm_start.stage"), _saving),
    "checkpoint.keep": (("maestro.train.folder.layout",), _always),
    "*.optimizer.final_lr": (("maestro.train.supervised",), _cosine),
    "grpo.optimizer.clip_norm": (("maestro.train.grpo.stage",), _always),
    "*.optimizer.*": (("maestro.train.supervised",), _always),
    "*.kind": (("maestro.train.bench",), _always),
    "warm_start.*": (("maestro.train.warm_start.stage",), _always),
    "expert_iteration.again": (("maestro.train.expert_iteration",), _stratified),
    "expert_iteration.*": (("maestro.train.expert_iteration",), _always),
}
READERS: Mapping[str, Mapping[str, _Reader]] = {
    "trl": {
        **_COMMON,
        "grpo.prompts": (("maestro.train.grpo.stage", "maestro.train.processes.shares"), _always),
        "grpo.members": (("maestro.train.grpo.stage", "maestro.train.processes.shares"), _always),
        "grpo.micro_batch": (("maestro.train.grpo.stage", "maestro.train.processes.shares"), _always),
        "grpo.steps": (("maestro.train.grpo.stage", "maestro.train.grpo.steps"), _always),
        "grpo.beta": (("maestro.train.grpo.stage",), _always),
        "grpo.signal.penalty": (("maestro.train.episodes.signal",), _penalised),
        "grpo.signal.equal_redraws": (("maestro.train.episodes.resampling",), _resampled),
        "grpo.signal.equal_groups": (("maestro.train.episodes.resampling",), _always),
        "grpo.signal.redraws": (("maestro.train.episodes.resampling",), _always),
        "grpo.signal.*": (("maestro.train.episodes.signal",), _always),
        "grpo.*": (("maestro.train.grpo.stage",), _always),
    },
    "verl": {
        **{key: _COMMON[key] for key in ("ensemble.variation.share", "ensemble.variation.*", "dial.high", "dial.*")},
        "engine": (("maestro.cli.train",), _always),
        "name": (("maestro.train.verl.overrides", "maestro.train.verl.worker"), _always),
        "seed": (("maestro.train.verl.overrides", "maestro.train.episodes.encounters"), _always),
        "verl.prompt_tokens": (("maestro.train.verl.overrides",), _always),
        "verl.*": (("maestro.train.verl.overrides",), _always),
        "compute.precision": (("maestro.train.verl.overrides",), _always),
        "compute.gradient_checkpointing": (("maestro.train.verl.overrides",), _always),
        "policy.load": (("maestro.train.verl.overrides", "maestro.train.verl.worker"), _always),
        "policy.blank_images": (("maestro.train.verl.worker",), _always),
        "policy.lora*": ((), _other_engine),
        "policy.speech.prompt_sha256": (("maestro.train.config.speech",), _hash),
        "policy.speech.*": (("maestro.train.config.speech",), _always),
        "ensemble.registry": (("maestro.train.verl.launch", "maestro.train.materials"), _always),
        "ensemble.store": (("maestro.train.materials",), _always),
        "ensemble.mode": (("maestro.train.materials",), _store),
        "ensemble.outages.random.steps": (("maestro.train.episodes.outages",), _random_outages),
        "ensemble.outages.*": (("maestro.train.episodes.outages",), _always),
        "tasks.source": (("maestro.train.verl.launch",), _always),
        "tasks.warm*": ((), _other_engine),
        "tasks.*": (("maestro.train.verl.launch",), _always),
        "limits.*": (("maestro.rollout.limits",), _always),
        "reward.*": (("maestro.reward.rule",), _always),
        "result": (("maestro.train.verl.launch",), _always),
        "alarms.stop": (("maestro.train.verl.chronicle",), _always),
        "alarms.rounds": ((), _other_engine),
        "alarms.kl": (("maestro.train.alarms.rules",), _reference),
        "alarms.grammar_floor": ((*_EPISODES, "maestro.train.verl.launch"), _always),
        "alarms.*": (_EPISODES, _always),
        "validation.every": (("maestro.train.verl.overrides",), _always),
        "checkpoint.*": (("maestro.train.verl.overrides",), _always),
        "grpo.kind": (("maestro.train.verl.overrides",), _always),
        "grpo.optimizer.final_lr": (("maestro.train.verl.overrides",), _cosine),
        "grpo.signal.equal_redraws": ((), _other_engine),
        "grpo.signal.redraws": (("maestro.train.verl.worker",), _always),
        "grpo.signal.*": (("maestro.train.episodes.signal",), _always),
        "grpo.*": (("maestro.train.verl.overrides",), _always),
        "*": ((), _other_engine),
    },
}
"""By engine: patterns of settings (a stage's begin with its kind), the first that fits counts, to who reads them and when."""
