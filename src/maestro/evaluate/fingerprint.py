"""A hash of the code that outcomes depend on, so that a table made by other code is never taken for the present one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from maestro.tasks.source import ContentSource, TaskSource
from maestro.types import Skill


def code_digest(skills: Iterable[Skill], source: TaskSource) -> str:
    """SHA-256 over the Python files of every folder that holds a skill's target or the task source, and over a source that is data."""
    modules = {skill.target.partition(":")[0] for skill in skills if skill.target}
    modules.add(type(source).__module__)
    folders = {Path(spec.origin).parent for module in modules if (spec := find_spec(module)) is not None and spec.origin is not None}
    found = hashlib.sha256()
    for folder in sorted(folders):
        for path in sorted(folder.glob("*.py")):
            found.update(f"{path.name}:".encode() + hashlib.sha256(path.read_bytes()).digest())
    if isinstance(source, ContentSource):
        found.update(source.content_digest.encode())
    return found.hexdigest()
