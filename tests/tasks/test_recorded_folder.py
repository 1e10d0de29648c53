import hashlib
import warnings

import pyarrow as pa
import pytest
from pyarrow import parquet

from maestro.errors import TaskError
from maestro.tasks.file import TaskWarning
from maestro.tasks.halves import halves
from maestro.tasks.opening import file_source
from maestro.tasks.problems import BrokenRows
from maestro.tasks.recorded_folder import RecordedFolder
from tests.tasks.recorded_folders import SYSTEMS, outcome_row, task_row, write_folder

ROWS = [task_row(number) for number in range(16)]


class TestHalves:
    def test_scenes_of_a_category_take_turns_in_the_order_of_their_digests(self):
        scenes = [f"s{number}" for number in range(7)]
        found = halves(("any", scene) for scene in scenes)
        ordered = sorted(scenes, key=lambda scene: hashlib.sha256(scene.encode()).hexdigest())
        assert [found[scene] for scene in ordered] == ["train", "test"] * 3 + ["train"]

    def test_a_scene_of_two_categories_goes_where_the_first_one_puts_it(self):
        alone = halves([("a", "x"), ("a", "y"), ("a", "z")])
        both = halves([("b", "z"), ("b", "y"), ("a", "x"), ("a", "y"), ("a", "z")])
        assert both == alone

    def test_no_scene_is_in_both_and_every_row_in_one(self, tmp_path, images):
        source = file_source(write_folder(tmp_path / "shapes", ROWS))
        assert source.splits == ("all", "train", "test", "dev")
        train, test = (source.load(split, None, images) for split in ("train", "test"))
        assert sorted(task.id for task in (*train, *test)) == sorted(row["task_id"] for row in ROWS)
        assert not {task.cluster for task in train} & {task.cluster for task in test}
        assert source.load("all", None, images) == source.load("dev", None, images)

    def test_rows_that_name_their_halves_keep_them(self, tmp_path):
        rows = [task_row(number, split="test" if number < 3 else "train") for number in range(8)]
        source = file_source(write_folder(tmp_path / "own", rows))
        assert source.splits == ("all", "test", "train")
        assert source.count("test", None) == 3


class TestOutcomes:
    def test_every_system_of_every_task(self, tmp_path):
        source = file_source(write_folder(tmp_path / "shapes", ROWS))
        assert isinstance(source, RecordedFolder)
        assert source.is_recorded
        assert source.outcomes.systems == tuple(sorted(SYSTEMS))
        assert {name: set(found) for name, found in source.outcomes.by_task.items()} == {row["task_id"]: set(SYSTEMS) for row in ROWS}

    def test_a_folder_without_outcomes_says_so(self, tmp_path):
        source = file_source(write_folder(tmp_path / "shapes", ROWS, []))
        assert not source.is_recorded
        with pytest.raises(TaskError, match=r"has no outcomes\.parquet"):
            _ = source.outcomes

    @pytest.mark.parametrize("column", ["task_id", "system", "correct"])
    def test_a_missing_column_is_named_with_those_there_are(self, tmp_path, column):
        folder = write_folder(tmp_path / "shapes", ROWS[:2])
        table = parquet.read_table(folder / "outcomes.parquet").drop_columns([column])
        parquet.write_table(table, folder / "outcomes.parquet")
        with pytest.raises(TaskError, match=rf"lacks the column {column}; it has .*model"):
            _ = file_source(folder).outcomes

    def test_every_broken_row_is_told_with_its_number(self, tmp_path):
        outcomes = [outcome_row("q0", system) for system in SYSTEMS]
        outcomes += [outcome_row("q7", "zeta"), outcome_row("q0", "zeta"), outcome_row("q0", "extra", correct=2), outcome_row("q0", " ")]
        folder = write_folder(tmp_path / "shapes", ROWS[:1], outcomes)
        with pytest.raises(BrokenRows) as caught:
            _ = file_source(folder).outcomes
        told = str(caught.value)
        assert "row 4, task_id: there is no task 'q7' in tasks.jsonl" in told
        assert "row 5, a second outcome of zeta on q0; the first is row 3" in told
        assert "row 6, correct: must be 0 or 1, not 2" in told
        assert "row 7, system: must be text, not ' '" in told

    def test_an_id_that_occurs_twice_is_told_before_outcomes_that_are_nobodys_for_it(self, tmp_path):
        outcomes = [outcome_row(row["task_id"], system) for row in ROWS[:3] for system in SYSTEMS]
        rows = [ROWS[0], ROWS[1], {**ROWS[2], "task_id": ROWS[0]["task_id"]}]
        folder = write_folder(tmp_path / "twice", rows, outcomes)
        with pytest.raises(BrokenRows, match="line 3, the id 'q0' is that of line 1 already; ids are unique"):
            _ = file_source(folder).outcomes

    def test_a_task_that_lacks_a_system_is_told_with_its_line(self, tmp_path):
        outcomes = [outcome_row(row["task_id"], system) for row in ROWS[:3] for system in SYSTEMS]
        folder = write_folder(tmp_path / "shapes", ROWS[:3], outcomes[:4] + outcomes[5:7])
        with pytest.raises(BrokenRows) as caught:
            _ = file_source(folder).outcomes
        told = str(caught.value)
        assert "tasks.jsonl: 2 lines cannot be used" in told
        assert "line 2, outcomes.parquet has no row of acme/cot on q1" in told
        assert "line 3, outcomes.parquet has no row of acme/cot, zeta on q2" in told

    def test_no_rows_and_no_parquet_are_told(self, tmp_path):
        folder = write_folder(tmp_path / "shapes", ROWS[:1])
        schema = pa.schema([("task_id", pa.string()), ("system", pa.string()), ("correct", pa.int8())])
        parquet.write_table(pa.Table.from_pylist([], schema=schema), folder / "outcomes.parquet")
        with pytest.raises(TaskError, match="has no rows"):
            _ = file_source(folder).outcomes
        (folder / "outcomes.parquet").write_text("no parquet")
        with pytest.raises(TaskError, match="is no Parquet file, or is damaged"):
            _ = file_source(folder).outcomes

    def test_a_picture_that_is_not_there_is_told_with_its_line(self, tmp_path, images):
        folder = write_folder(tmp_path / "shapes", ROWS[:4])
        (folder / "images" / "1.png").unlink()
        with pytest.raises(BrokenRows, match=r"line 2, image: no image at"):
            file_source(folder).load("all", None, images)


class TestPlaceholders:
    def test_an_answer_nobody_recorded_is_a_letter_of_the_options_and_told(self, tmp_path, images):
        rows = [task_row(number, answer=None) if number % 2 else task_row(number) for number in range(12)]
        folder = write_folder(tmp_path / "shapes", rows)
        with pytest.warns(TaskWarning, match="gold answer of 6 of 12 questions was not recorded"):
            tasks = file_source(folder).load("all", None, images)
        letters = {task.id: task.references for task in tasks if task.choices}
        assert all(len(found) == 1 and found[0] in "ABC" for found in letters.values())
        assert len(set(letters.values())) > 1
        with pytest.warns(TaskWarning):
            again = file_source(folder).load("test", None, images)
        assert all(task.references == letters[task.id] for task in again if task.choices)
        assert file_source(folder).find("q1", images).references == letters["q1"]

    def test_without_systems_nobody_knows_the_answer(self, tmp_path, images):
        folder = write_folder(tmp_path / "shapes", [task_row(1, answer=None)], [])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            (task,) = file_source(folder).load("all", None, images)
        assert task.references == ()

    def test_without_options_there_is_nothing_to_draw_from(self, tmp_path, images):
        folder = write_folder(tmp_path / "shapes", [task_row(0), task_row(2, answer=None)])
        with pytest.raises(BrokenRows, match="line 2, answer: is missing and there are no options"):
            file_source(folder).load("all", None, images)
