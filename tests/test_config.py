from pathlib import Path

import pytest
from pydantic import Field

from maestro.config import Config, digest, load_config, resolved, to_yaml
from maestro.errors import ConfigError


class Optimizer(Config):
    lr: float = Field(default=1e-3, gt=0)
    name: str = "adam"


class Stage(Config):
    steps: int = 10


class Run(Config):
    seed: int = 1
    folder: Path | None = None
    optimizer: Optimizer = Optimizer()
    stages: tuple[Stage, ...] = (Stage(),)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text("seed: 7\noptimizer:\n  lr: 0.5\nstages:\n  - steps: 3\n  - steps: 4\n")
    return path


def test_file_and_defaults(path):
    run = load_config(Run, path)
    assert (run.seed, run.optimizer.lr, run.optimizer.name, [stage.steps for stage in run.stages]) == (7, 0.5, "adam", [3, 4])


def test_overrides_win_in_order_and_are_yaml(path):
    overrides = ["optimizer.lr=1e-4", "stages.1.steps=9", "seed=8", "seed=9", "optimizer.name=sgd", "folder=null"]
    run = load_config(Run, path, overrides)
    assert (run.seed, run.optimizer, run.stages[1].steps, run.folder) == (9, Optimizer(lr=1e-4, name="sgd"), 9, None)


def test_whole_lists_and_sections_can_be_overridden(path):
    run = load_config(Run, path, ["stages=[{steps: 1}]", "optimizer={lr: 2}"])
    assert run == Run(seed=7, stages=(Stage(steps=1),), optimizer=Optimizer(lr=2))


def test_without_a_file():
    assert load_config(Run, None, ["optimizer.lr=2"]).optimizer.lr == 2
    assert load_config(Run, None) == Run()


def test_empty_file_means_defaults(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text("# nothing yet\n")
    assert load_config(Run, path, ["seed=2"]) == Run(seed=2)


def test_problems_name_line_or_override(path):
    path.write_text("sede: 7\noptimizer:\n  lr: -1\n")
    with pytest.raises(ConfigError) as caught:
        load_config(Run, path, ["stages.0=3"])
    assert "override stages.0=3: stages: expected a list, found a mapping" in str(caught.value)
    with pytest.raises(ConfigError) as caught:
        load_config(Run, path, ["stages=[{steps: many}]"])
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{path} cannot be used:"
    assert lines[1:] == [
        f"  {path}:1: unknown key sede; did you mean seed? Allowed: seed, folder, optimizer, stages",
        f"  {path}:3: optimizer.lr: expected greater than 0, found -1",
        "  override stages=[{steps: many}]: stages[0].steps: expected a whole number, found 'many'",
    ]


@pytest.mark.parametrize("override", ["seed", "=3", "optimizer..lr=2", ".seed=1"])
def test_malformed_override(path, override):
    with pytest.raises(ConfigError, match="name=value"):
        load_config(Run, path, [override])


def test_override_that_is_no_yaml(path):
    with pytest.raises(ConfigError, match=r"override seed=\{: not YAML"):
        load_config(Run, path, ["seed={"])


def test_missing_file_says_how_to_get_one(tmp_path):
    with pytest.raises(ConfigError, match=r"no config file .*maestro init"):
        load_config(Run, tmp_path / "none.yaml")
    (tmp_path / "mine.yaml").touch()
    with pytest.raises(ConfigError, match=r"is a folder; name the config in it: mine\.yaml"):
        load_config(Run, tmp_path)


def test_resolved_dump_reads_back_with_the_same_digest(path, tmp_path):
    run = load_config(Run, path, ["folder=runs/x"])
    again = tmp_path / "again.yaml"
    again.write_text(run.to_yaml())
    assert load_config(Run, again) == run
    assert load_config(Run, again).digest == run.digest == digest(run)
    assert resolved(run)["optimizer"] == {"lr": 0.5, "name": "adam"}
    assert to_yaml(run) == run.to_yaml()


def test_digest_follows_every_setting():
    assert len({Run().digest, Run(seed=2).digest, Run(optimizer=Optimizer(lr=2)).digest, Run(seed=1).digest}) == 3


@pytest.mark.parametrize("key", ["seed", "stages.1.steps"])
@pytest.mark.parametrize("value", [2**63, -(10**24)])
def test_a_number_that_no_file_can_hold_is_an_error_that_names_it(path, key, value):
    with pytest.raises(ConfigError, match=rf"{key}: a whole number has at most 64 bits"):
        load_config(Run, path, [f"{key}={value}"])
    assert load_config(Run, path, [f"{key}={2**63 - 1}"]).digest
