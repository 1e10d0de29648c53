import json
import shlex

import pytest
import yaml
from click.testing import CliRunner

from maestro.cli.main import cli
from maestro.registry.registry import Registry


def run(*arguments: object, code: int = 0):
    result = CliRunner().invoke(cli, list(map(str, arguments)))
    assert result.exit_code == code, result.output
    return result


def test_what_is_written_works(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("init", "My first_registry")
    assert "maestro registry validate ./My first_registry" in result.stdout
    registry = Registry.load("./My first_registry")
    assert registry.name == "my-first-registry"
    assert [(skill.id, skill.level, skill.dispatch) for skill in registry.skills.values()] == [
        ("answer", 1, "none"),
        ("read", 1, "retrieval"),
        ("read-sign", 2, "none"),
    ]
    assert [expert.kind for expert in registry.experts.values()] == ["scripted"]
    assert run("registry", "validate", "./My first_registry").stderr == ""


def test_the_commented_served_expert_is_valid_once_uncommented(tmp_path):
    folder = tmp_path / "new"
    run("init", folder)
    path = folder / "registry.yaml"
    head, served = path.read_text().split("  # - id: vision-expert\n")
    lines = ["  - id: vision-expert", *(line.replace("  # ", "  ", 1) for line in served.splitlines())]
    path.write_text(head + "\n".join(lines) + "\n")
    assert Registry.load(folder).expert("vision-expert").kind == "openai"


def test_the_scripted_expert_is_built_and_the_run_config_is_read(tmp_path):
    from maestro.config import load_config
    from maestro.experts.scripted import scripted_from_card
    from maestro.train.config.run import TrainConfig

    folder = tmp_path / "new"
    run("init", folder)
    assert scripted_from_card(Registry.load(folder).expert("echo-expert")).card.id == "echo-expert"
    config = load_config(TrainConfig, folder / "train.yaml")
    assert Registry.load(config.ensemble.registry).name == "new"


@pytest.mark.parametrize(("folder", "registry"), [("new", "./new"), ("./new", "./new"), ("a/new", "./a/new")])
def test_the_run_config_names_the_folder_so_that_it_is_found(tmp_path, monkeypatch, folder, registry):
    monkeypatch.chdir(tmp_path)
    run("init", folder)
    assert yaml.safe_load((tmp_path / folder / "train.yaml").read_text())["ensemble"]["registry"] == registry


def test_json(tmp_path):
    content = json.loads(run("init", tmp_path / "new", "--json").stdout)
    assert content["files"] == [
        "images/bus.png",
        "registry.yaml",
        "skills/answer/SKILL.md",
        "skills/read/SKILL.md",
        "skills/read/read-sign/SKILL.md",
        "tasks.jsonl",
        "train.yaml",
    ]


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    result = run("init", tmp_path, code=1)
    assert "is not empty (it has notes.txt); name a new folder" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    result = run("init", tmp_path / "notes.txt", code=1)
    assert "is a file" in result.stderr


def test_an_empty_folder_is_fine(tmp_path):
    run("init", tmp_path)
    assert Registry.load(tmp_path).level_one


def test_a_folder_is_needed():
    assert "Missing argument 'DIR'" in run("init", code=2).stderr


def test_a_newcomer_gets_from_init_to_a_record_and_a_run(tmp_path, monkeypatch):
    """Everything that init suggests works on what init wrote."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    suggested = [shlex.split(line)[1:] for line in run("init", "mine").stdout.splitlines() if line.startswith("  maestro ")]
    assert [arguments[0] for arguments in suggested] == ["registry", "registry", "ask", "tasks", "eval", "train"]
    for arguments in suggested:
        run(*arguments)
    run("record", "./mine/tasks.jsonl", "--registry", "./mine", "--store", "calls.sqlite")
    assert "oracle" in run("headroom", "calls.sqlite").stdout


def test_what_init_asks_can_be_seen_and_scored(tmp_path):
    from maestro.images import ImageStore
    from maestro.scoring.scorable import require_scorable
    from maestro.tasks.opening import task_source

    run("init", tmp_path / "mine")
    source, images = task_source(str(tmp_path / "mine" / "tasks.jsonl")), ImageStore()
    assert source.splits == ("train", "val", "test")
    tasks = [task for split in source.splits for task in source.load(split, None, images)]
    require_scorable(tasks)
    assert {images.pixels(name).getpixel((40, 110)) for task in tasks for name in task.images} == {(255, 0, 0)}
