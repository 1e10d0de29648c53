import pytest

from maestro.registry.registry import Registry
from maestro.registry.targets import check_targets, missing_target
from tests.registry.folders import replace, small_registry


@pytest.mark.parametrize(
    "target",
    ["maestro.types:Task", "maestro.types:Value", "maestro.registry.registry:Mapping", "math:pi", "zlib:crc32", "maestro.errors:not_found"],
)
def test_targets_that_exist(target):
    assert missing_target(target) is None


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("maestro.nowhere:x", "no module maestro.nowhere"),
        ("nowhere.at.all:x", "no module nowhere"),
        ("maestro.types:Tusk", "no attribute 'Tusk'; did you mean Task"),
    ],
)
def test_targets_that_do_not(target, words):
    assert words in missing_target(target)


def test_the_module_itself_is_not_run(tmp_path, monkeypatch):
    (tmp_path / "explosive_module.py").write_text("raise SystemExit('imported')\ndef run(): ...\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert missing_target("explosive_module:run") is None
    assert "no attribute 'walk'" in missing_target("explosive_module:walk")


def test_problems_stand_at_the_card(tmp_path):
    folder = small_registry(tmp_path)
    replace(folder / "skills/answer/SKILL.md", "  gives: expression\n", "  target: maestro.types:run\n")
    replace(
        folder / "registry.yaml",
        '    kind: scripted\n    options: {replies: ["42"]}\n',
        "    kind: local\n    target: maestro.nowhere:Reader\n",
    )
    found = [str(problem).removeprefix(f"{folder}/") for problem in check_targets(Registry.load(folder))]
    assert len(found) == 2
    assert found[0].startswith("registry.yaml:7: expert cheap-reader: target maestro.nowhere:Reader: no module maestro.nowhere")
    assert found[1].startswith("skills/answer/SKILL.md:6: skill answer: target maestro.types:run: no attribute 'run'")
