from pathlib import Path

import pytest

from maestro.errors import StoreError
from maestro.evaluate.scripted import scripted_menu, scripted_pool
from maestro.rollout.manifest import Manifest, RecordedSplit, read_manifest
from maestro.rollout.pool import PooledEnsemble
from maestro.rollout.tables import read_tables, write_tables
from maestro.types import Call, Observation, Task

SPLITS = ("train", "val")
MANIFEST = Manifest(registry="scripted", depth=3, splits=tuple(RecordedSplit(source="scripted", split=split, tasks=12) for split in SPLITS))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_tables(tmp_path / "pool", MANIFEST, {split: scripted_pool(split, 12) for split in SPLITS}, "code")
    return tmp_path / "pool"


def test_tables_come_back_whole_or_by_split(folder: Path) -> None:
    assert read_manifest(folder) == MANIFEST
    whole, train = read_tables(folder, scripted_menu()), read_tables(folder, scripted_menu(), ("train",))
    assert (len(whole.tasks), len(train.tasks)) == (24, 12)
    original = scripted_pool("train", 12)
    assert {name: recorded.outcomes for name, recorded in train.tasks.items()} == {
        name: recorded.outcomes for name, recorded in original.tasks.items()
    }


def test_a_split_that_is_not_there_and_a_full_folder_say_so(folder: Path) -> None:
    with pytest.raises(StoreError, match=r"test.*train, val"):
        read_tables(folder, scripted_menu(), ("test",))
    with pytest.raises(StoreError, match="not empty"):
        write_tables(folder, MANIFEST, {}, "code")


async def test_what_was_never_recorded_is_called_live(folder: Path) -> None:
    class Live:
        menu = scripted_menu()
        name = "live@0"

        async def perform(self, call: Call, task: Task, deadline_seconds: float) -> Observation:
            return Observation(text="live")

    pool = read_tables(folder, scripted_menu())
    ensemble = PooledEnsemble(pool, Live())
    recorded = next(iter(pool.tasks.values()))
    (expert, skill, query), outcome = next(iter(recorded.outcomes.items()))
    assert await ensemble.perform(Call(expert=expert, skill=skill, query=query), recorded.task) == outcome
    assert (await ensemble.perform(Call(expert="calculator", skill="solve", query="9+9+9"), recorded.task)).text == "live"
    assert (await ensemble.perform(Call(expert=expert, skill=skill), Task(id="new", question="?"))).text == "live"


@pytest.mark.parametrize(
    ("source", "stem"),
    [
        ("playground", "playground-test-shifted"),
        ("./data/rows.parquet", "data-rows.parquet-test-shifted-"),
        ("/a/b c.jsonl", "a-b-c.jsonl-test-shifted-"),
        ("../x", "x-test-shifted-"),
    ],
)
def test_the_files_of_a_split_are_named_safely(source: str, stem: str) -> None:
    found = RecordedSplit(source=source, split="test-shifted", tasks=1).stem
    assert found.startswith(stem)
    assert "/" not in found
    assert (found == stem) == (source == "playground")
    assert found != RecordedSplit(source=source + "2", split="test-shifted", tasks=1).stem
