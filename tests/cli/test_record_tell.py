"""`maestro record tell`: a policy learns of a skill from what is recorded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

pytest.importorskip("torch", reason="the extra `train` is not installed")

from maestro.cli.main import cli
from maestro.ensembles import playground
from maestro.images import ImageStore
from maestro.policy.reading.policy import ReadingPolicy
from maestro.train.reading.ground import Ground
from maestro.train.reading.iteration import ReadingQ
from tests.train.menu_toy import CONFIG, IMAGES, MENU, eyes, recorded

POOL = Path(playground.__file__).parent / "pool"


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A policy of another registry, hardly trained."""
    ground = Ground([recorded(index) for index in range(12)], MENU, IMAGES, eyes(), 0)
    committee = ReadingQ(ground, CONFIG.model_copy(update={"rounds": 1, "epochs": 1})).train()
    folder = tmp_path_factory.mktemp("policy") / "toy"
    ReadingPolicy(committee, eyes(), IMAGES, record=ground.record).save(folder)
    (folder / "README.md").write_text("# toy\n")
    return folder


def tell(*args: object) -> Result:
    return CliRunner().invoke(cli, ["record", "tell", *map(str, args)])


def test_what_was_recorded_is_told_and_kept(policy: Path, tmp_path: Path) -> None:
    out = tmp_path / "told"
    done = tell(POOL, out, "--policy", policy, "--split", "val", "--limit", 40)
    assert done.exit_code == 0, done.output
    assert "told of 40 tasks" in done.output
    assert "perceive" in done.output
    before, told = (ReadingPolicy.load(folder, ImageStore()) for folder in (policy, out))
    assert before.record is not None
    assert told.record is not None
    assert len(told.record.questions) == len(told.record.places) == 12 + 40
    assert np.isnan(told.record.asked["cheap", "read"][12:]).all()
    assert 0 < np.nansum(told.record.asked["fast-opencv", "perceive"][12:, 0]) < 40
    assert (out / "README.md").read_text() == "# toy\n"


def test_a_pair_is_told_of_once_unless_it_is_to_be_replaced(policy: Path, tmp_path: Path) -> None:
    assert tell(POOL, tmp_path / "first", "--policy", policy, "--split", "val", "--limit", 8).exit_code == 0
    again = tell(POOL, tmp_path / "second", "--policy", tmp_path / "first", "--split", "val", "--limit", 16)
    assert again.exit_code == 1
    assert "every expert and skill" in again.output
    assert "--replace" in again.output
    anew = tell(POOL, tmp_path / "second", "--policy", tmp_path / "first", "--split", "val", "--limit", 16, "--replace")
    assert anew.exit_code == 0, anew.output
    record = ReadingPolicy.load(tmp_path / "second", ImageStore()).record
    assert record is not None
    assert int((~np.isnan(record.asked["fast-opencv", "perceive"][:, 0])).sum()) == 16


def test_each_mistake_is_one_clear_message(policy: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    cases = {
        "exists; give a new folder": (POOL, tmp_path / "there", "--policy", policy),
        "holds no reading policy": (POOL, tmp_path / "out", "--policy", tmp_path / "there"),
        "no recorded store": (tmp_path / "nowhere", tmp_path / "out", "--policy", policy),
        "no record of the split 'weekly'": (POOL, tmp_path / "out", "--policy", policy, "--split", "weekly"),
    }
    for message, args in cases.items():
        done = tell(*args)
        assert done.exit_code == 1, args
        assert message in " ".join(done.output.split()), done.output
        assert not (tmp_path / "out").exists()
