import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from textwrap import dedent

import pytest

from maestro.errors import RegistryError
from maestro.registry.plugins import GROUP, Registered, Registrar, load_plugins, registered


class Modules:
    """Writes plugin modules that are importable for one test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def point(self, name: str, code: str | None) -> EntryPoint:
        module = f"test_plugin_{name.replace('-', '_')}"
        if code is not None:
            (self.folder / f"{module}.py").write_text(dedent(code))
        return EntryPoint(name, module, GROUP)


@pytest.fixture
def modules(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    yield Modules(tmp_path)
    for name in [name for name in sys.modules if name.startswith("test_plugin_")]:
        del sys.modules[name]


def offering(name: str) -> str:
    return f"""
        def register(registrar):
            registrar.registry("{name}", "/somewhere/{name}")
            registrar.tasks("{name}", lambda: ["{name} tasks"])
            registrar.policy("{name}", lambda: "{name} policy")
    """


def test_a_plugin_offers_registries_tasks_and_policies(modules):
    known = load_plugins([modules.point("one", offering("one")), modules.point("two", offering("two"))])
    assert dict(known.registries) == {"one": Path("/somewhere/one"), "two": Path("/somewhere/two")}
    assert known.task_source("two") == ["two tasks"]
    assert known.policy("one") == "one policy"
    assert (set(known.origins), known.broken) == ({"one", "two"}, ())


def test_factories_run_only_when_asked_for(modules):
    point = modules.point("lazy", "def register(registrar):\n    registrar.tasks('heavy', lambda: 1 / 0)\n")
    known = load_plugins([point])
    assert known.broken == ()
    with pytest.raises(ZeroDivisionError):
        known.task_source("heavy")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (None, "ModuleNotFoundError: No module named 'test_plugin_bad'"),
        ("import nothing_like_this", "ModuleNotFoundError"),
        ("def register(registrar):\n    raise KeyError('gone')\n", "KeyError: 'gone'"),
        ("syntax error here", "SyntaxError"),
        ("import sys\nsys.exit(3)\n", "SystemExit: 3"),
        ("register = 3\n", "has no function register(registrar)"),
        ("", "has no function register(registrar)"),
        ("def register():\n    pass\n", "TypeError"),
        ("def register(registrar):\n    registrar.tasks('a', list)\n    registrar.tasks('a', list)\n", "the task source name 'a' is taken"),
        ("def register(registrar):\n    registrar.registry('a/b', '.')\n", "is no name for a registry"),
    ],
)
def test_a_broken_plugin_is_named_and_hides_nobody(modules, code, words):
    known = load_plugins([modules.point("bad", code), modules.point("good", offering("good"))])
    assert set(known.registries) == {"good"}
    (broken,) = known.broken
    assert broken.name == "bad"
    assert words in broken.error
    assert str(broken).startswith("plugin 'bad' is broken and was left out: ")
    with pytest.raises(RegistryError, match=r"no task source 'bad'.*\nplugin 'bad' is broken and was left out"):
        known.task_source("bad")


def test_a_plugin_that_takes_a_taken_name_is_left_out_whole(modules):
    thief = modules.point("thief", offering("own") + '\n            registrar.policy("one", list)\n')
    known = load_plugins([thief, modules.point("one", offering("one"))])
    assert known.policy("one") == "one policy"
    assert set(known.registries) == {"one"}
    assert [plugin.name for plugin in known.broken] == ["thief"]
    assert "the policy name 'one' is taken" in known.broken[0].error


def test_two_plugins_of_one_name(modules):
    first, other = modules.point("same", offering("same")), modules.point("other", offering("other"))
    known = load_plugins([first, EntryPoint("same", other.value, GROUP)])
    assert len(known.broken) == 1
    assert "the plugin name 'same' is taken" in known.broken[0].error


def test_the_same_entry_point_listed_twice_is_one(modules):
    point = modules.point("one", offering("one"))
    assert load_plugins([point, point]).broken == ()


def test_duplicate_names_raise():
    registrar = Registrar()
    registrar.registry("a", ".")
    registrar.tasks("a", list)
    registrar.policy("a", list)
    for again in (lambda: registrar.registry("a", "."), lambda: registrar.tasks("a", list), lambda: registrar.policy("a", list)):
        with pytest.raises(RegistryError, match="'a' is taken"):
            again()


@pytest.mark.parametrize("name", ["", " a", "a/b", "a\\b"])
def test_bad_names_raise(name):
    with pytest.raises(RegistryError, match="is no name for a task source"):
        Registrar().tasks(name, list)


def test_lookups_say_what_exists():
    known = Registered({}, {"playground": list}, {"maestro-mini": list})
    with pytest.raises(RegistryError, match="no task source 'playgroud'; did you mean playground"):
        known.task_source("playgroud")
    with pytest.raises(RegistryError, match="no policy 'maestro'; did you mean maestro-mini"):
        known.policy("maestro")


def test_what_ships_comes_through_the_same_door():
    known = registered()
    assert known is registered()
    assert "playground" in known.registries
    assert "playground" in known.task_sources
    assert "maestro-mini" in known.policies
    assert known.origins["playground"] == "maestro-orchestrator"
