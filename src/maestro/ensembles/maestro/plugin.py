"""The ensemble that the Maestro-4B checkpoint was trained with, offered through the same door as anybody's plugin."""

from __future__ import annotations

from pathlib import Path

from maestro.registry.plugins import Registrar


def register(registrar: Registrar) -> None:
    """Offer the registry `maestro`."""
    registrar.registry("maestro", Path(__file__).parent / "registry")
