from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from maestro.cli.main import cli
from maestro.cli.train import _asking
from maestro.config import load_config
from maestro.errors import CheckpointError, ConfigError
from maestro.images import ImageStore
from maestro.train.config.run import TrainConfig, difference
from maestro.train.folder.layout import check_place
from tests.registry.folders import small_registry

RECIPES = sorted((Path(__file__).parents[3] / "recipes").glob("maestro_mini_vl*.yaml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_is_a_valid_config(path: Path) -> None:
    load_config(TrainConfig, path)


def test_there_are_recipes() -> None:
    assert {path.stem for path in RECIPES} >= {"maestro_mini_vl", "maestro_mini_vl_grpo", "maestro_mini_vl_warm"}


def test_an_unknown_key_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "train.yaml"
    path.write_text("name: x\nstages:\n  - kind: grpo\n    setps: 3\n")
    with pytest.raises(ConfigError, match="setps"):
        load_config(TrainConfig, path)


def test_a_micro_batch_that_does_not_divide_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "train.yaml"
    path.write_text("stages:\n  - {kind: grpo, prompts: 3, members: 4, micro_batch: 5}\n")
    with pytest.raises(ConfigError, match="does not divide"):
        load_config(TrainConfig, path)


def test_a_run_folder_holds_paths_that_mean_the_same_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    small_registry(tmp_path / "mine")
    (tmp_path / "tasks.jsonl").write_text("")
    (tmp_path / "start").mkdir()
    given = TrainConfig.model_validate(
        {
            "policy": {"load": "./start"},
            "ensemble": {"registry": "./mine", "store": "calls.sqlite"},
            "tasks": {"source": "tasks.jsonl"},
        }
    )
    found = given.located()
    assert found.policy.load == str(tmp_path / "start")
    assert found.ensemble.registry == str(tmp_path / "mine")
    assert found.ensemble.store == tmp_path / "calls.sqlite"
    assert found.tasks.source == str(tmp_path / "tasks.jsonl")
    monkeypatch.chdir("/")
    assert found.located() == found
    assert TrainConfig().located() == TrainConfig()  # names stay names


def test_a_config_is_written_down_with_absolute_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    assert runner.invoke(cli, ["init", "mine"]).exit_code == 0
    done = runner.invoke(cli, ["train", "mine/train.yaml", "--dry-run", "--json"])
    config = json.loads(done.stdout)["config"]
    assert config["ensemble"]["registry"] == str(tmp_path / "mine")
    assert config["tasks"]["source"] == str(tmp_path / "mine" / "tasks.jsonl")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").write_text(TrainConfig.model_validate(config).to_yaml())
    monkeypatch.chdir("/")
    again = runner.invoke(cli, ["train", "--resume", str(tmp_path / "run"), "--dry-run", "--json"])
    assert json.loads(again.stdout)["digest"] == json.loads(done.stdout)["digest"]


def test_a_path_that_lies_beside_the_config_is_found_for_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    assert runner.invoke(cli, ["init", "mine"]).exit_code == 0
    monkeypatch.chdir(tmp_path / "mine")
    refused = runner.invoke(cli, ["train", "train.yaml", "--dry-run"])
    assert refused.exit_code == 1
    assert "ensemble.registry: there is no ./mine here" in refused.output
    assert f"there is one in {tmp_path}" in refused.output


@pytest.mark.parametrize(("registry", "told"), [("playground", ""), ("maestro", " --registry maestro"), ("{}/own", " --registry ./own")])
def test_how_to_ask_the_trained_policy_names_its_registry(
    registry: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = TrainConfig.model_validate({"ensemble": {"registry": registry.format(tmp_path)}})
    assert _asking(settings, Path("runs/x")) == f"maestro ask QUESTION --policy runs/x{told}"


def test_a_run_that_is_not_there_is_not_taken_up(tmp_path: Path) -> None:
    refused = CliRunner().invoke(cli, ["train", "--resume", str(tmp_path / "nope")])
    assert refused.exit_code == 1
    assert f"{tmp_path / 'nope'} does not exist, so there is no run to resume" in refused.output


def test_a_dry_run_tells_what_runs_first_and_every_setting_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    assert runner.invoke(cli, ["init", "mine"]).exit_code == 0
    told = runner.invoke(cli, ["train", "mine/train.yaml", "--dry-run"])
    assert told.exit_code == 0, told.output
    lines = told.output.splitlines()
    places = [next(at for at, line in enumerate(lines) if word in line) for word in ("would run", "Memory", "The config, resolved")]
    assert places == sorted(places)
    assert places[-1] < 25
    setting = next(line for line in lines if "stages.1.prompts: 4" in line)
    assert setting.startswith("*")
    assert "maestro.train" in setting


def test_differences_are_named_with_their_place() -> None:
    old = TrainConfig().model_dump(mode="json")
    new = TrainConfig(seed=2, limits={"turns": 3}).model_dump(mode="json")  # type: ignore[arg-type]
    assert difference(old, new) == ["seed: 1 -> 2", "limits.turns: 4 -> 3"]


def test_a_difference_inside_a_list_is_named_alone() -> None:
    assert difference({"stages": [{"steps": 3, "lr": 1}]}, {"stages": [{"steps": 5, "lr": 1}]}) == ["stages.0.steps: 3 -> 5"]


@pytest.mark.parametrize("override", ["name=../../elsewhere", "reward.cost_weight=.inf", "reward.cost_weight=.nan"])
def test_senseless_values_are_refused(override: str) -> None:
    with pytest.raises(ConfigError, match=override.partition("=")[0].split(".")[-1]):
        load_config(TrainConfig, None, [override])


def test_scenes_of_another_registry_are_refused_before_they_are_drawn() -> None:
    from maestro.ensembles.playground.tasks.source import PlaygroundSource
    from maestro.registry.menu import Menu
    from maestro.train.warm_start.scenes import check_scenes
    from maestro.types import Expert, Skill

    other = Menu((Expert(id="a", summary="s", kind="scripted"),), (Skill(id="look", summary="s", experts=("a",), target="m:f"),))
    with pytest.raises(ConfigError, match="the registry offers look"):
        check_scenes(PlaygroundSource(), TrainConfig(), ImageStore(), other)


def test_a_run_folder_is_checked_before_anything_is_loaded(tmp_path: Path) -> None:
    check_place(tmp_path / "new" / "run", resume=False)
    with pytest.raises(CheckpointError, match="no run to resume"):
        check_place(tmp_path, resume=True)
    (tmp_path / "config.yaml").write_text("name: x\n")
    with pytest.raises(CheckpointError, match="already holds a run"):
        check_place(tmp_path, resume=False)


def test_the_recipe_of_the_feature_policy_is_checked_too() -> None:
    from maestro.train.fitted_q.iteration import FittedQConfig

    recipe = load_config(FittedQConfig, Path(__file__).parents[3] / "recipes" / "maestro_mini.yaml", [])
    assert recipe.tasks is None
    assert recipe.rounds >= 8
