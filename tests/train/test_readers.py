"""The table of who reads which setting, against runs in which every read is watched."""

from __future__ import annotations

from pathlib import Path

import pytest

from maestro.config import load_config
from maestro.errors import ConfigError
from maestro.images import ImageStore
from maestro.train.config.run import TrainConfig
from maestro.train.materials import load_materials
from maestro.train.readers import check_read, settings
from maestro.train.run import train
from tests.train.attribute_reads import reading
from tests.train.planner import experts
from tests.train.test_maestro_4b import RECIPES, run
from tests.train.test_run import config, materials

TEMPLATE = Path(__file__).parents[2] / "src" / "maestro" / "cli" / "template"


def test_every_setting_has_a_reader_or_a_reason() -> None:
    for setting in settings(TrainConfig()):
        assert bool(setting.readers) != bool(setting.unread), setting.key


@pytest.mark.parametrize(
    "path",
    [*sorted(RECIPES.glob("*vl*.yaml")), *sorted(RECIPES.glob("maestro_4b*.yaml")), RECIPES / "small.yaml", TEMPLATE / "train.yaml"],
    ids=lambda path: path.stem,
)
def test_no_recipe_has_a_setting_that_nothing_reads(path: Path) -> None:
    check_read(load_config(TrainConfig, path))


@pytest.mark.parametrize(
    ("override", "reason"),
    [
        ("limits.seconds=30", "wall-clock"),
        ("policy.sizes.hidden=64", None),
        ("policy.speech.history=whole", "untrained policy"),
        ('ensemble.mode="off"', "ensemble.store names no file"),
        ("stages=[{kind: grpo, optimizer: {final_lr: 0.1, schedule: constant}}]", "the schedule is constant"),
        ("stages=[{kind: expert_iteration, stratified: false, again: 0.5}]", "no later decision"),
        ("stages=[{kind: warm_start}]", None),
        ("alarms.kl=2", "no stage has a beta"),
        ("alarms.rounds=3", "no stage is expert_iteration"),
        ("ensemble.outages.random.steps=9", "random.share is 0"),
    ],
)
def test_a_changed_setting_that_nothing_reads_is_an_error_that_names_it(override: str, reason: str | None) -> None:
    chosen = load_config(TrainConfig, None, [override])
    if reason is None:
        check_read(chosen)
    else:
        with pytest.raises(ConfigError, match=reason):
            check_read(chosen)


@pytest.mark.parametrize(
    ("stages", "lost"),
    [
        ("[{kind: grpo, beta: 0.1}]", {"alarms.rounds"}),
        ("[{kind: expert_iteration}]", {"alarms.window", "alarms.kl", "alarms.drift"}),
        ("[{kind: warm_start}]", {"alarms.rounds", "alarms.window", "alarms.kl", "alarms.drift", "alarms.stop"}),
    ],
)
def test_an_alarm_that_cannot_sound_in_a_run_is_not_set_in_it(stages: str, lost: set[str]) -> None:
    asked = ["alarms.rounds=3", "alarms.window=7", "alarms.kl=2", "alarms.drift=0.2", "alarms.stop=true"]
    found = {setting.key for setting in settings(load_config(TrainConfig, None, [f"stages={stages}", *asked])) if setting.unread}
    assert {key for key in found if key in {one.partition("=")[0] for one in asked}} == lost


def test_what_only_an_untrained_or_another_stage_reads_is_named() -> None:
    with pytest.raises(ConfigError, match=r"policy\.sizes") as raised:
        check_read(
            load_config(
                TrainConfig, None, ["policy.load=x", "policy.sizes.hidden=64", "stages=[{kind: warm_start}]", "reward.cost_weight=3"]
            )
        )
    assert "reward.cost_weight" in str(raised.value)


@pytest.mark.slow
def test_what_the_table_says_is_what_runs_read(planner: Path, rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stages = [
        {"kind": "warm_start", "steps": 2, "batch": 2, "micro_batch": 2, "probe_every": 1, "probe_scenes": 2},
        {"kind": "expert_iteration", "rounds": 1, "tasks_per_round": 2, "members": 2, "batch": 2, "micro_batch": 2, "floor": -9},
        {"kind": "grpo", "steps": 2, "prompts": 2, "members": 2, "micro_batch": 2, "stratified": 0.5},
    ]
    varied = {"variation": {"share": 1.0}, "outages": {"random": {"share": 0.01}}}
    small = config(
        stages=stages,
        ensemble=varied,
        dial={"high": 9},
        checkpoint={"every": 1},
        validation={"every": 1},
        alarms={"window": 1, "decline": 0.001},
    )
    with reading() as reads, experts() as (_, environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        train(small, materials(), tmp_path / "small")
        run("maestro_4b_lora.yaml", planner, rows, tmp_path / "adapters", "stages.0.steps=1")
        load_materials(load_config(TrainConfig, RECIPES / "small.yaml", ["tasks.train_limit=2", "tasks.warm_limit=4"]), ImageStore())
    asked = {setting.key: setting for setting in [*settings(small), *settings(load_config(TrainConfig, RECIPES / "maestro_4b_lora.yaml"))]}
    wrong = []
    for setting in asked.values():
        field = setting.key.rpartition(".")[2]
        if setting.unread is None and field not in NOT_HERE:
            found = reads.get((setting.model, field), set())
            if not set(setting.readers) <= found:
                wrong.append(f"{setting.key}: the table says {setting.readers}, read by {sorted(found)}")
    assert not wrong, "\n".join(wrong)


NOT_HERE = {"engine", "floor", "margin", "schedule", "final_lr", "mode", "gap_rise", "kl", "shard_weights"}
"""Read by the table itself, or only where an untrained policy earns something, a schedule is behind its warm-up, a store is a
file, a pool was recorded, several processes join."""
