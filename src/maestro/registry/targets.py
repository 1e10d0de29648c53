"""Whether the code that cards name is there, found out without running it."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path

from maestro.document import Problem, read_document
from maestro.errors import not_found
from maestro.registry.registry import REGISTRY_FILE, Registry, shown_path
from maestro.registry.skill_file import FILE_NAME, read_skill


def check_targets(registry: Registry) -> list[Problem]:
    """Problems of `target`s whose module or attribute does not exist here.

    Only the packages above a module are imported, never the module itself, so heavy libraries stay out.
    """
    return [*_expert_targets(registry), *_skill_targets(registry)]


def missing_target(target: str) -> str | None:
    """What of `package.module:attribute` is not there, or None."""
    module, _, attribute = target.partition(":")
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError as error:
        return f"target {target}: no module {error.name}"
    if spec is None:
        return f"target {target}: no module {module}"
    if spec.origin is None or not spec.origin.endswith(".py"):
        return None  # compiled or built in: only an import could tell
    names = _top_level_names(Path(spec.origin))
    if names is None or attribute in names:
        return None
    return f"target {target}: " + not_found("attribute", attribute, (name for name in names if not name.startswith("_")))


def _expert_targets(registry: Registry) -> Iterator[Problem]:
    path = registry.folder / REGISTRY_FILE
    document = read_document(path, shown_path(path))
    for index, expert in enumerate(registry.settings.experts):
        if expert.kind == "local" and expert.target and (fault := missing_target(expert.target)):
            yield document.problem(("experts", index, "target"), f"expert {expert.id}: {fault}")


def _skill_targets(registry: Registry) -> Iterator[Problem]:
    for skill in registry.skills.values():
        if skill.target and (fault := missing_target(skill.target)):
            folder = registry.folders[skill.id]
            yield read_skill(folder, skill.parent, shown_path(folder / FILE_NAME)).problem("target", f"skill {skill.id}: {fault}")


def _top_level_names(path: Path) -> set[str] | None:
    """Names that a module's top level defines; None when a star import makes that unknowable."""
    names: set[str] = set()
    for node in ast.parse(path.read_bytes(), filename=str(path)).body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names.add(node.name)
            case ast.Import() | ast.ImportFrom():
                names.update((alias.asname or alias.name).partition(".")[0] for alias in node.names)
            case ast.Assign():
                names.update(target.id for target in node.targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
            case ast.If() | ast.Try() | ast.With():
                return None
            case _:
                pass
    return None if "*" in names else names
