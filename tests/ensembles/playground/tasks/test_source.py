import subprocess
import sys

import pytest

from maestro.ensembles.playground.tasks.families import FAMILIES
from maestro.ensembles.playground.tasks.source import SIZES, PlaygroundSource, shares
from maestro.errors import TaskError
from maestro.images import ImageStore, digest
from maestro.tasks.source import TaskSource

SOURCE = PlaygroundSource()
SAMPLES = [("train", "text_line", 4), ("test-shifted", "count_shapes", 2), ("test", "gauge", 7), ("test-families", "rings", 1)]


def test_it_is_a_task_source() -> None:
    source: TaskSource = SOURCE
    assert isinstance(source, TaskSource)
    assert source.splits == ("warm", "train", "val", "test", "test-shifted", "test-families")


def test_the_same_task_has_the_same_pixels_in_another_process() -> None:
    here = [digest(SOURCE.scene(*sample).image) + SOURCE.scene(*sample).question for sample in SAMPLES]
    program = (
        "from maestro.ensembles.playground.tasks.source import PlaygroundSource\n"
        "from maestro.images import digest\n"
        f"for sample in {SAMPLES!r}:\n"
        "    scene = PlaygroundSource().scene(*sample)\n"
        "    print(digest(scene.image) + scene.question)\n"
    )
    there = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert there.stdout.splitlines() == here


def test_load_is_a_prefix_with_all_families_and_hides_nothing_but_look_and_plan() -> None:
    images = ImageStore()
    tasks = SOURCE.load("train", 45, images)
    assert [task.id for task in SOURCE.load("train", 8, images)] == [task.id for task in tasks[:8]]
    assert len({task.id for task in tasks}) == 45
    assert {task.category for task in tasks} == set(SOURCE.families("train"))
    for task in tasks[::5]:
        split, family, index = SOURCE.parse(task.id)
        assert (split, family, f"playground/{split}") == ("train", task.category, task.source)
        scene = SOURCE.scene(split, family, index)
        assert task.question == scene.question
        assert task.references == scene.references
        assert digest(images.pixels(task.images[0])) == digest(scene.image)


def test_enough_tasks_need_two_calls_and_some_need_none() -> None:
    for split in SIZES:
        if split != "test-families":
            none, several = shares(SOURCE.families(split))
            assert several >= 0.30
            assert 0.06 <= none <= 0.12


def test_withheld_families_appear_only_in_their_split() -> None:
    withheld = {name for name, family in FAMILIES.items() if family.withheld}
    assert withheld == {"receipt_change", "zoom_count", "rings", "perimeter", "chart_line"}
    assert set(SOURCE.families("test-families")) == withheld
    for split in SIZES:
        if split != "test-families":
            assert set(SOURCE.families(split)) == FAMILIES.keys() - withheld


def test_splits_share_no_pictures() -> None:
    images = ImageStore()
    hashes = {split: {task.images[0] for task in SOURCE.load(split, 15, images)} for split in SIZES}
    assert len(set.union(*hashes.values())) == sum(map(len, hashes.values()))


def test_mistakes_are_named() -> None:
    images = ImageStore()
    with pytest.raises(TaskError, match=r"no split 'dev'.*train"):
        SOURCE.load("dev", 1, images)
    with pytest.raises(TaskError, match="limit"):
        SOURCE.load("train", -1, images)
    with pytest.raises(TaskError, match="no family 'rings' in split 'train'"):
        SOURCE.scene("train", "rings", 0)
    with pytest.raises(TaskError, match="no playground task id"):
        SOURCE.parse("elsewhere/train/rings/x")
