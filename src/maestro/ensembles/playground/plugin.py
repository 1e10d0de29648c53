"""The playground, offered through the same door as anybody's plugin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from maestro.errors import CheckpointError
from maestro.registry.plugins import Registrar

_FOLDER = Path(__file__).parent


def register(registrar: Registrar) -> None:
    """Offer the playground's registry, tasks and shipped policy."""
    registrar.registry("playground", _FOLDER / "registry")
    registrar.tasks("playground", _tasks)
    registrar.policy("maestro-mini", _mini)


def _tasks() -> Any:
    from maestro.ensembles.playground.tasks.source import PlaygroundSource  # drawing libraries load only when asked for

    return PlaygroundSource()


def _mini() -> Path:
    """Folder of the shipped checkpoint. Raises CheckpointError when this installation does not have it."""
    folder = _FOLDER / "maestro-mini"
    if not (folder / "config.json").is_file():
        raise CheckpointError(f"the shipped policy maestro-mini is not in {folder}; train one with: maestro train")
    return folder
