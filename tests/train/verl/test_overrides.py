"""From our config to verl's: what is refused, and what verl's own composition and checks make of the rest."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from maestro.config import load_config
from maestro.errors import ConfigError
from maestro.train.config.run import TrainConfig
from maestro.train.readers import check_read
from maestro.train.verl.overrides import only_stage, override, overrides
from tests.train.verl.on_cpu import ROOT, environment

STAGE = {"kind": "grpo", "steps": 7, "prompts": 16, "members": 8, "micro_batch": 4}


def config(*, stage: dict[str, Any] | None = None, **changes: Any) -> TrainConfig:
    stages = [{**STAGE, **(stage or {})}]
    return TrainConfig.model_validate({"engine": "verl", "policy": {"load": "maestro-mini-vl"}, "stages": stages, **changes})


def test_the_recipe_on_verl_as_the_page_prints_it() -> None:
    page = (ROOT / "docs" / "verl.md").read_text().partition('verl="')[2].partition('"')[0]
    shown = [word for word in page.split() if word != "--set"]
    check_read(load_config(TrainConfig, ROOT / "recipes" / "maestro_4b.yaml", shown))
    with pytest.raises(ConfigError, match="leave them out") as refused:
        check_read(load_config(TrainConfig, ROOT / "recipes" / "maestro_4b.yaml", shown[:2]))
    assert f"or give their defaults: --set {' --set '.join(shown[2:])}" in str(refused.value)


PLAIN = config()
RICH = config(
    stage={
        "beta": 0.02,
        "loss": "dr_grpo",
        "scale_rewards": "none",
        "entropy": 0.01,
        "iterations": 2,
        "optimizer": {"lr": 2e-5, "schedule": "cosine", "final_lr": 1e-6, "warmup_steps": 3},
    },
    compute={"precision": "bfloat16", "gradient_checkpointing": True},
    verl={"nodes": 2, "gpus": 8, "tensor_parallel": 2, "memory_share": 0.4, "offload": True, "workers": 16},
    checkpoint={"every": 5, "keep": 3},
    validation={"every": 4},
    seed=11,
    name="rich",
)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"stages": [{"kind": "warm_start"}, STAGE]}, "not warm_start, grpo"),
        ({"stages": [{**STAGE, "stratified": 0.5}]}, "stratified"),
        ({"stages": [{**STAGE, "scale_rewards": "batch"}]}, "scale_rewards"),
        ({"stages": [{**STAGE, "signal": {"equal_groups": "resample"}}]}, "equal_groups"),
        ({"policy": {}}, "policy.load"),
        ({"policy": {"load": "maestro-mini-vl", "lora": {}}}, "policy.lora"),
        ({"verl": {"gpus": 7}}, "7 cards"),
        ({"stages": [{**STAGE, "micro_batch": 32}]}, "32 does not divide the 16 episodes of each of 8 cards"),
        ({"verl": {"gpus": 8, "tensor_parallel": 3}}, "tensor_parallel"),
    ],
)
def test_what_verl_cannot_do_is_refused_by_name(changed: dict[str, Any], named: str) -> None:
    settings = {"engine": "verl", "policy": {"load": "maestro-mini-vl"}, "stages": [STAGE], **changed}
    with pytest.raises(ConfigError, match=named):
        only_stage(TrainConfig.model_validate(settings))


def test_every_reason_is_named_at_once() -> None:
    with pytest.raises(ConfigError) as raised:
        only_stage(config(stage={"stratified": 0.5, "scale_rewards": "batch"}, verl={"gpus": 7}))
    assert all(name in str(raised.value) for name in ("stratified", "scale_rewards", "cards"))


def test_no_key_is_given_twice(tmp_path: Path) -> None:
    keys = [override.partition("=")[0].lstrip("+") for override in overrides(RICH, tmp_path)]
    assert len(keys) == len(set(keys))


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What verl makes of the plain and the rich config, and of a key that it does not know."""
    if importlib.util.find_spec("verl") is None:
        pytest.skip("verl is not installed: pip install 'maestro-orchestrator[verl]'")
    run = tmp_path_factory.mktemp("run")
    asked = [overrides(PLAIN, run), overrides(RICH, run), [*overrides(PLAIN, run), "actor_rollout_ref.actor.clip_ration=0.2"]]
    done = subprocess.run(
        [sys.executable, "-m", "tests.train.verl.compose"],
        cwd=ROOT,
        env=environment(),
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))
    found: list[dict[str, Any]] = json.loads(line.removeprefix("RESULT "))
    return found


def at(config: dict[str, Any], path: str) -> Any:
    value: Any = config
    for key in path.split("."):
        value = value[key]
    return value


@pytest.mark.verl
def test_verl_takes_every_key(composed: list[dict[str, Any]]) -> None:
    assert [one.get("error") for one in composed[:2]] == [None, None]


@pytest.mark.verl
def test_a_key_that_verl_does_not_know_is_an_error(composed: list[dict[str, Any]]) -> None:
    assert "clip_ration" in composed[2]["error"]


@pytest.mark.verl
def test_settings_arrive_where_verl_reads_them(composed: list[dict[str, Any]]) -> None:
    rich = composed[1]["config"]
    expected = {
        "algorithm.adv_estimator": "maestro_grpo",
        "algorithm.norm_adv_by_std_in_grpo": False,
        "data.train_batch_size": 16,
        "data.seed": 11,
        "actor_rollout_ref.model.enable_gradient_checkpointing": True,
        "actor_rollout_ref.actor.loss_agg_mode": "seq-mean-token-sum-norm",
        "actor_rollout_ref.actor.loss_scale_factor": rich["actor_rollout_ref"]["rollout"]["max_model_len"],
        "actor_rollout_ref.actor.kl_loss_coef": 0.02,
        "actor_rollout_ref.actor.use_kl_loss": True,
        "actor_rollout_ref.actor.entropy_coeff": 0.01,
        "actor_rollout_ref.actor.ppo_epochs": 2,
        "actor_rollout_ref.actor.clip_ratio_high": 0.28,
        "actor_rollout_ref.actor.optim.lr": 2e-5,
        "actor_rollout_ref.actor.optim.min_lr_ratio": 0.05,
        "actor_rollout_ref.actor.optim.lr_scheduler_type": "cosine",
        "actor_rollout_ref.actor.fsdp_config.param_offload": True,
        "actor_rollout_ref.actor.fsdp_config.mixed_precision.param_dtype": "bf16",
        "actor_rollout_ref.rollout.dtype": "bfloat16",
        "actor_rollout_ref.rollout.n": 8,
        "actor_rollout_ref.rollout.tensor_model_parallel_size": 2,
        "actor_rollout_ref.rollout.gpu_memory_utilization": 0.4,
        "actor_rollout_ref.rollout.agent.num_workers": 16,
        "trainer.nnodes": 2,
        "trainer.n_gpus_per_node": 8,
        "trainer.save_freq": 5,
        "trainer.max_actor_ckpt_to_keep": 3,
        "trainer.test_freq": 4,
        "trainer.total_training_steps": 7,
        "trainer.experiment_name": "rich",
    }
    assert {path: at(rich, path) for path in expected} == pytest.approx(expected)


@pytest.mark.verl
def test_float32_means_float32_in_sampling_and_update(composed: list[dict[str, Any]]) -> None:
    plain = composed[0]["config"]
    for engine in ("actor", "ref"):
        precision = at(plain, f"actor_rollout_ref.{engine}.fsdp_config.mixed_precision")
        assert set(precision.values()) == {"fp32"}
    assert at(plain, "actor_rollout_ref.rollout.dtype") == "float32"


@pytest.mark.verl
def test_a_reference_policy_is_loaded_for_a_kl_term_only(composed: list[dict[str, Any]]) -> None:
    assert [one["reference"] for one in composed[:2]] == [False, True]


@pytest.mark.parametrize(
    "run", ["a b", "漢字 é", "a=b,c", "(x) [y] {z}", """it's "q\"""", "back\\slash", "${HOME}", "~t", "end\\", "two\nlines"]
)
def test_a_path_reaches_verl_as_it_is(run: str) -> None:
    parser = pytest.importorskip("hydra.core.override_parser.overrides_parser", reason="hydra comes with verl").OverridesParser.create()
    from omegaconf import OmegaConf

    one, both = parser.parse_overrides([override("x", run), override("+y.z", [run, run])])
    made = OmegaConf.create({"x": one.value(), "y": both.value()})
    assert OmegaConf.to_container(made, resolve=True) == {"x": run, "y": [run, run]}
