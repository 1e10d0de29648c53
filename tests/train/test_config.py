from __future__ import annotations

from pathlib import Path

import pytest

from maestro.config import load_config
from maestro.errors import ConfigError
from maestro.train.config import TrainConfig, difference

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("maestro_mini_vl*.yaml"))


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


def test_differences_are_named_with_their_place() -> None:
    old = TrainConfig().model_dump(mode="json")
    new = TrainConfig(seed=2, limits={"turns": 3}).model_dump(mode="json")  # type: ignore[arg-type]
    assert difference(old, new) == ["seed: 1 -> 2", "limits.turns: 4 -> 3"]


def test_the_recipe_of_the_feature_policy_is_checked_too() -> None:
    from maestro.train.fitted_q import FittedQConfig

    recipe = load_config(FittedQConfig, Path(__file__).parents[2] / "recipes" / "maestro_mini.yaml", [])
    assert recipe.tasks is None
    assert recipe.rounds >= 8
