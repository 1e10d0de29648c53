"""The door for plugins: modules named by entry points of the group `maestro`, each with `register(registrar)`.

What ships uses the same door. In a plugin's pyproject.toml:

    [project.entry-points."maestro"]
    my-plugin = "my_package.plugin"

and in `my_package/plugin.py`:

    def register(registrar):
        registrar.registry("my-registry", Path(__file__).parent / "registry")
        registrar.tasks("my-tasks", make_source)
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from maestro.errors import RegistryError, not_found

GROUP = "maestro"
_OURS = "maestro-orchestrator"

TaskFactory = Callable[[], Any]
"""Called without arguments, returns a `TaskSource` (maestro.tasks.source)."""
PolicyFactory = Callable[[], Any]
"""Called without arguments, returns the folder of a checkpoint (Path) or a ready `Policy` (maestro.policy.protocol)."""


class Registrar:
    """What a plugin's `register` is handed. A name that is taken raises RegistryError."""

    def __init__(self) -> None:
        self.registries: dict[str, Path] = {}
        self.task_sources: dict[str, TaskFactory] = {}
        self.policies: dict[str, PolicyFactory] = {}

    def registry(self, name: str, folder: str | Path) -> None:
        """Offer the registry in `folder` (it holds registry.yaml) under `name`."""
        _add("registry", self.registries, name, Path(folder))

    def tasks(self, name: str, factory: TaskFactory) -> None:
        """Offer a task source; `factory` is called when somebody asks for it, so import heavy modules inside."""
        _add("task source", self.task_sources, name, factory)

    def policy(self, name: str, factory: PolicyFactory) -> None:
        """Offer a policy; `factory` is called when somebody asks for it."""
        _add("policy", self.policies, name, factory)

    def absorb(self, other: Registrar) -> None:
        """Take over everything of another registrar, or nothing when a name of it is taken (RegistryError)."""
        pairs: list[tuple[str, Mapping[str, Any], Mapping[str, Any]]] = [
            ("registry", self.registries, other.registries),
            ("task source", self.task_sources, other.task_sources),
            ("policy", self.policies, other.policies),
        ]
        for noun, mine, theirs in pairs:
            for name in theirs:
                if name in mine:
                    raise RegistryError(_taken(noun, name))
        self.registries |= other.registries
        self.task_sources |= other.task_sources
        self.policies |= other.policies


@dataclass(frozen=True)
class BrokenPlugin:
    """A plugin that could not be used. The others work without it."""

    name: str
    distribution: str
    error: str

    def __str__(self) -> str:
        origin = f" of {self.distribution}" if self.distribution else ""
        return f"plugin {self.name!r}{origin} is broken and was left out: {self.error}"


@dataclass(frozen=True)
class Registered:
    """Everything that plugins offer, by name."""

    registries: Mapping[str, Path]
    task_sources: Mapping[str, TaskFactory]
    policies: Mapping[str, PolicyFactory]
    broken: tuple[BrokenPlugin, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict)
    """Plugin name to the distribution it came from."""

    def task_source(self, name: str) -> Any:
        """The task source of this name, made now. Raises RegistryError naming what exists."""
        if name not in self.task_sources:
            raise RegistryError(self.missing("task source", name, self.task_sources))
        return self.task_sources[name]()

    def policy(self, name: str) -> Any:
        """What the policy's factory gives, made now. Raises RegistryError naming what exists."""
        if name not in self.policies:
            raise RegistryError(self.missing("policy", name, self.policies))
        return self.policies[name]()

    def missing(self, noun: str, asked: str, existing: Iterable[str], next_step: str = "") -> str:
        """The message of a failed lookup; it mentions broken plugins, which may be why."""
        broken = "".join(f"\n{plugin}" for plugin in self.broken)
        return not_found(noun, asked, existing, next_step) + broken


@functools.cache
def registered() -> Registered:
    """What the installed plugins offer; loaded once per process."""
    return load_plugins(entry_points(group=GROUP))


def load_plugins(points: Iterable[EntryPoint]) -> Registered:
    """Load plugins, ours first, then by name. A broken one is recorded, whatever it raised, and the rest go on."""
    everything = Registrar()
    broken: list[BrokenPlugin] = []
    origins: dict[str, str] = {}
    for point in sorted(set(points), key=lambda point: (_distribution(point) != _OURS, point.name, point.value)):
        try:
            everything.absorb(_register(point, origins))
        except (Exception, SystemExit) as error:  # noqa: BLE001 (other people's code: recorded, shown, never hidden)
            reason = str(error) if isinstance(error, RegistryError) else f"{type(error).__name__}: {error}"
            broken.append(BrokenPlugin(point.name, _distribution(point), reason))
        else:
            origins[point.name] = _distribution(point)
    return Registered(everything.registries, everything.task_sources, everything.policies, tuple(broken), origins)


def _register(point: EntryPoint, origins: Mapping[str, str]) -> Registrar:
    """What one plugin offers. `origins` are the plugins before it."""
    if point.name in origins:
        raise RegistryError(f"the plugin name {point.name!r} is taken by {origins[point.name] or 'another plugin'}")
    module = point.load()
    register = getattr(module, "register", None)
    if not callable(register):
        raise RegistryError(f"{point.value} has no function register(registrar)")
    registrar = Registrar()
    register(registrar)
    return registrar


def _distribution(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else ""


def _add(noun: str, known: dict[str, Any], name: str, value: Any) -> None:
    if not name or name != name.strip() or "/" in name or "\\" in name:
        raise RegistryError(f"{name!r} is no name for a {noun}: use text without slashes or surrounding blanks")
    if name in known:
        raise RegistryError(_taken(noun, name))
    known[name] = value


def _taken(noun: str, name: str) -> str:
    return f"the {noun} name {name!r} is taken; names are exact and unique, choose another"
