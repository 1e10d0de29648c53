"""`maestro` with the experts and skills that its checkpoint has not seen."""

from __future__ import annotations

from pathlib import Path

from maestro.registry.plugins import Registrar


def register(registrar: Registrar) -> None:
    """Offer the registry `maestro-extended`."""
    registrar.registry("maestro-extended", Path(__file__).parent / "registry")
