"""The documents say what the code says: generated references, examples, links and the tree of the README."""

import importlib
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from scripts.write_reference import FOLDER, references

from maestro.bench.benchmarks import BENCHMARKS
from maestro.cli import init
from maestro.registry.registry import Registry
from maestro.registry.targets import check_targets

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
EXAMPLE = re.compile(r"`(?P<path>[\w./-]+)`:\n\n```\w+\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?P<target>[^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("name", ["config.md", "cli.md"])
def test_the_references_are_up_to_date(name):
    written = (FOLDER / name).read_text(encoding="utf-8")
    assert written == references()[name], "the code has changed; run: python scripts/write_reference.py"


@pytest.fixture
def examples(tmp_path, monkeypatch):
    """The files of docs/registry.md, written out."""
    for found in EXAMPLE.finditer((ROOT / "docs" / "registry.md").read_text(encoding="utf-8")):
        path = tmp_path / found["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(found["text"], encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_the_example_registries_are_valid(examples):
    written = Registry.load(examples)
    assert (set(written.experts), set(written.skills)) == (
        {"wide-model", "echo-expert"},
        {"read", "read-sign", "read-table", "answer"},
    )
    coded = Registry.load(examples / "my_plugin" / "registry")
    assert check_targets(written) == []
    assert check_targets(coded) == []
    assert coded.skill("day-or-night").target == "my_plugin.day_or_night:run"


def test_the_example_plugin_registers_its_registry(examples):
    from maestro.registry.plugins import Registrar

    registrar = Registrar()
    importlib.import_module("my_plugin.plugin").register(registrar)
    assert registrar.registries == {"daylight": examples / "my_plugin" / "registry"}


async def test_the_example_skill_tells_day_from_night(examples):
    from PIL import Image

    from maestro.images import ImageStore
    from maestro.skills.ensemble import Ensemble
    from maestro.types import Call, Task

    images = ImageStore()
    call = Call(expert="light-meter", skill="day-or-night")
    async with Ensemble.load(examples / "my_plugin" / "registry", images, workers=0) as ensemble:
        for grey, expected in ((230, "day"), (20, "night")):
            task = Task(id=expected, question="Day or night?", images=(images.put(Image.new("RGB", (32, 24), (grey,) * 3)),))
            observation = await ensemble.perform(call, task)
            assert (observation.status, observation.value) == ("ok", expected), observation.text


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document):
    targets = [found["target"] for found in LINK.finditer(document.read_text(encoding="utf-8"))]
    missing = [target for target in targets if not target.startswith("http") and not (document.parent / target).exists()]
    assert missing == []


def test_the_tree_of_the_readme_is_that_of_the_repository():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    tree = text.partition("```text tree\n")[2].partition("```")[0]
    above: list[tuple[int, str]] = []
    named = set()
    for line in tree.splitlines():
        indent, name = len(line) - len(line.lstrip()), line.split()[0]
        above = [(column, folder) for column, folder in above if column < indent]
        path = "".join(folder for _, folder in above) + name
        named.add(path)
        if name.endswith("/"):
            above.append((indent, name))
    assert named, "the README has no tree"
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
    packages = {f"src/maestro/{path.name}/" for path in (ROOT / "src" / "maestro").iterdir() if (path / "__init__.py").exists()}
    files = {f"src/maestro/{path.name}" for path in (ROOT / "src" / "maestro").glob("*.py") if not path.name.startswith("__")}
    assert (packages | files) - named == set()


def test_every_benchmark_is_a_script_of_its_own_too():
    assert {path.stem for path in (ROOT / "benchmarks").glob("*.py")} == set(BENCHMARKS)


def test_the_pictures_of_the_readme_are_in_the_repository_or_made_by_its_commands(tmp_path):
    made = "my-registry"
    assert CliRunner().invoke(init.command, [str(tmp_path / made)]).exit_code == 0
    named = re.findall(r"--image (\S+)|images=\[\"([^\"]+)\"\]", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert named
    places = [(tmp_path if path.startswith(made) else ROOT) / path for pair in named for path in pair if path]
    assert [place for place in places if not place.is_file()] == []


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 120
