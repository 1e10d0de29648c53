"""The playground, offered through the same door as anybody's plugin."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from maestro.errors import CheckpointError
from maestro.registry.plugins import Registrar

_FOLDER = Path(__file__).parent
POLICIES = {"maestro-mini": "features.json", "maestro-reading": "reading.json", "maestro-mini-vl": "config.json"}
"""Shipped policies, and the file by which each is known."""


def register(registrar: Registrar) -> None:
    """Offer the playground's registry, tasks and shipped policies."""
    registrar.registry("playground", _FOLDER / "registry")
    registrar.tasks("playground", _tasks)
    for name, card in POLICIES.items():
        registrar.policy(name, partial(_shipped, name, card))


def _tasks() -> Any:
    from maestro.ensembles.playground.tasks.source import PlaygroundSource  # drawing libraries load only when asked for

    return PlaygroundSource()


def _shipped(name: str, card: str) -> Path:
    """Folder of a shipped policy. Raises CheckpointError when this installation does not have it."""
    folder = _FOLDER / name
    if not (folder / card).is_file():
        raise CheckpointError(f"the shipped policy {name} is not in {folder}; the recipes/ of the source tree train one.")
    return folder
