"""Files and folders of tasks, wherever a verb takes a task source."""

import json

import pytest
from pyarrow import parquet

from maestro.errors import ConfigError, TaskError
from maestro.tasks.opening import task_source
from tests.tasks.rows import SYSTEM, original_row, picture, write_jsonl, write_parquet


@pytest.fixture(autouse=True)
def own_place(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def tasks(tmp_path):
    picture().save(tmp_path / "a.png")
    rows = [
        {"id": f"q{number}", "question": f"Question {number}?", "image": "a.png", "answer": "The sign says 42.", "split": "dev"}
        for number in range(3)
    ]
    return str(write_jsonl(tmp_path / "mine.jsonl", rows))


class TestShowAndList:
    def test_paths_are_mentioned(self, maestro):
        assert "The path of a .parquet or .jsonl file" in maestro("tasks", "list")[1].out

    def test_rows_and_other_splits(self, maestro, tmp_path):
        path = write_jsonl(tmp_path / "t.jsonl", [{"question": "One?", "answer": "1", "split": "a"}, {"question": "Two?", "split": "b"}])
        code, printed = maestro("tasks", "show", str(path))
        assert code == 0
        assert "One?" in printed.out
        assert "other splits: b" in printed.out

    def test_one_task_with_its_picture(self, maestro, tasks, tmp_path):
        code, printed = maestro("tasks", "show", tasks, "q1", "--image", str(tmp_path / "out"))
        assert code == 0
        assert "Question 1?" in printed.out
        assert "12x8" in printed.out
        assert (tmp_path / "out" / "q1.png").exists()
        code, printed = maestro("tasks", "show", tasks, "q9")
        assert code == 1
        assert "has the id 'q9'" in printed.err

    def test_broken_rows_for_people_and_machines(self, maestro, tmp_path):
        path = str(write_jsonl(tmp_path / "t.jsonl", [{"question": "Q", "choices": 1}, "{"]))
        code, printed = maestro("tasks", "show", path)
        assert code == 1
        assert "line 1, choices: must be a list of texts" in printed.err
        code, printed = maestro("tasks", "show", path, "--json")
        problems = json.loads(printed.out)["error"]["problems"]
        assert [(problem["path"], problem["line"]) for problem in problems] == [(path, 1), (path, 2)]

    def test_a_warning_is_a_line_on_stderr(self, maestro, tmp_path):
        picture("blue").save(tmp_path / "1.png")
        row = original_row()
        row["images"][0]["path"] = "1.png"
        code, printed = maestro("tasks", "show", str(write_parquet(tmp_path / "t.parquet", [row])))
        assert code == 0
        assert printed.err.startswith("warning: ")
        assert "everybody sees the bytes" in printed.err


class TestBuild:
    @pytest.mark.parametrize(("form", "name"), [("original", "o.parquet"), ("trl", "t.parquet"), ("jsonl", "j.jsonl")])
    def test_every_format_from_a_file(self, maestro, tasks, tmp_path, images, form, name):
        code, printed = maestro("tasks", "build", tasks, "--out", name, "--format", form, "--limit", "2", "--json")
        assert code == 0, printed.err
        assert json.loads(printed.out) == {"file": name, "format": form, "splits": ["dev"], "tasks": 2}
        expected = task_source(tasks).load("dev", 2, images)
        assert task_source(name).load("dev", None, images) == expected

    def test_from_the_playground(self, maestro, tmp_path, images):
        code, printed = maestro("tasks", "build", "playground", "--out", "p.parquet", "--split", "val", "--limit", "5")
        assert code == 0, printed.err
        assert "p.parquet: 5 tasks of val" in printed.out
        assert "no system message" in printed.err
        assert task_source("p.parquet").load("val", None, images) == task_source("playground").load("val", 5, images)

    def test_the_system_message_comes_from_the_users_rows(self, maestro, tasks, tmp_path):
        theirs = write_parquet(tmp_path / "theirs.parquet", [original_row()])
        assert maestro("tasks", "build", tasks, "--out", "o.parquet", "--system", str(theirs))[0] == 0
        assert parquet.read_table("o.parquet").to_pylist()[0]["prompt"][0] == {"role": "system", "content": SYSTEM}

    @pytest.mark.parametrize(
        ("arguments", "told", "code"),
        [
            (["--out", "x.csv"], "give --format, or a file that ends in", 2),
            (["--out", "x.jsonl", "--format", "trl"], "does not end in .parquet", 1),
            (["--out", "x.jsonl", "--system", "y"], "--system is for the prompts of --format original", 2),
            (["--out", "mine.jsonl"], "nothing is overwritten", 1),
            (["--out", "x.jsonl", "--split", "nope"], "no split", 1),
            ([], "Missing option '--out'", 2),
        ],
    )
    def test_mistakes_are_told(self, maestro, tasks, arguments, told, code):
        got, printed = maestro("tasks", "build", tasks, *arguments)
        assert got == code
        assert told in printed.err

    def test_splits_of_a_drawing_source_have_to_be_named(self, maestro):
        code, printed = maestro("tasks", "build", "playground", "--out", "p.jsonl")
        assert code == 1
        assert "name those to write with --split" in printed.err


class TestOtherVerbs:
    def test_eval_takes_the_only_split(self, maestro, tasks, sound_registry):
        arguments = ("eval", "-p", "fixed:reader@read", "-r", sound_registry, "--limit", "2", "--out", "run", "--json")
        code, printed = maestro(*arguments, "-t", tasks)
        assert code == 0, printed.err
        assert json.loads(printed.out)["rows"]["fixed:reader@read"]["accuracy"]["mean"] == 1.0

    def test_eval_asks_before_it_spends(self, maestro, sound_registry, tmp_path):
        rows = [{"question": "A?", "answer": "x", "profile": "magic"}, {"question": "B?"}]
        path = str(write_jsonl(tmp_path / "t.jsonl", rows))
        code, printed = maestro("eval", "-p", "fixed:reader@read", "-r", sound_registry, "-t", path, "--out", "run")
        assert code == 1
        assert "1 of 2 tasks ask for one that is not there: no scoring profile 'magic'" in printed.err
        assert "1 of 2 tasks have no reference answer" in printed.err
        assert not (tmp_path / "run").exists()

    def test_eval_with_several_splits_asks_which(self, maestro, sound_registry, tmp_path):
        path = str(write_jsonl(tmp_path / "t.jsonl", [{"question": "A?", "split": "a"}, {"question": "B?", "split": "b"}]))
        code, printed = maestro("eval", "-p", "fixed:reader@read", "-r", sound_registry, "-t", path)
        assert code == 1
        assert "no split 'test'; name one of a, b with --split" in printed.err

    def test_record_and_verify(self, maestro, tasks, sound_registry, tmp_path):
        code, printed = maestro("record", tasks, "-r", sound_registry, "-s", "calls.sqlite", "--json")
        assert code == 0, printed.err
        assert json.loads(printed.out)["splits"]["dev"]["tasks"] == 3
        assert maestro("record", "pack", "calls.sqlite", "packed")[0] == 0
        assert [path.name for path in (tmp_path / "packed").iterdir() if "mine" in path.name]

    def test_a_record_of_other_rows_is_not_taken_for_these(self, maestro, tasks, sound_registry, tmp_path):
        from maestro.cli.replay import replay
        from maestro.rollout.manifest import read_manifest

        store = tmp_path / "calls.sqlite"
        assert maestro("record", tasks, "-r", sound_registry, "-s", str(store))[0] == 0
        assert {recorded.task.references for recorded in replay(store, read_manifest(store), "dev").tasks.values()} == {
            ("The sign says 42.",)
        }
        text = (tmp_path / "mine.jsonl").read_text()
        (tmp_path / "mine.jsonl").write_text(text.replace("says 42", "says 43"))
        assert {recorded.task.references for recorded in replay(store, read_manifest(store), "dev").tasks.values()} == {
            ("The sign says 43.",)
        }


class TestTrain:
    def test_what_a_source_lacks_is_told_before_anything_is_loaded(self, tasks, sound_registry, images):
        from maestro.registry.registry import Registry
        from maestro.train.config.run import TrainConfig
        from maestro.train.questions import check_source

        source, menu = task_source(tasks), Registry.load(sound_registry).menu()
        config = TrainConfig.model_validate({"tasks": {"source": tasks}})
        with pytest.raises(ConfigError, match="cannot teach"):
            check_source(config, source, images, menu)
        config = TrainConfig.model_validate({"tasks": {"source": tasks}, "stages": [{"kind": "grpo"}]})
        with pytest.raises(ConfigError, match=r"tasks\.train: .*: no split 'train'; there is dev"):
            check_source(config, source, images, menu)
        config = TrainConfig.model_validate({"tasks": {"source": tasks, "train": "dev", "validation": "dev"}, "stages": [{"kind": "grpo"}]})
        check_source(config, source, images, menu)

    def test_materials_are_loaded_from_a_file(self, tasks, sound_registry, images):
        from maestro.train.config.run import TrainConfig
        from maestro.train.materials import load_materials

        settings = {
            "tasks": {"source": tasks, "train": "dev", "validation": "dev", "validation_limit": 1},
            "ensemble": {"registry": sound_registry},
            "stages": [{"kind": "grpo"}],
        }
        loaded = load_materials(TrainConfig.model_validate(settings), images)
        assert [len(loaded.materials.train), len(loaded.materials.validation), len(loaded.materials.scenes)] == [3, 1, 0]

    def test_tasks_that_cannot_be_scored_are_not_trained_on(self, sound_registry, images, tmp_path):
        from maestro.train.config.run import TrainConfig
        from maestro.train.materials import load_materials

        path = str(write_jsonl(tmp_path / "t.jsonl", [{"question": "A?"}]))
        settings = {
            "tasks": {"source": path, "train": "all", "validation": "all"},
            "ensemble": {"registry": sound_registry},
            "stages": [{"kind": "grpo"}],
        }
        with pytest.raises(TaskError, match="1 of 1 tasks have no reference answer"):
            load_materials(TrainConfig.model_validate(settings), images)


@pytest.fixture
def images():
    from maestro.images import ImageStore

    return ImageStore()
