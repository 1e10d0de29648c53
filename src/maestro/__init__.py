"""Maestro: train, evaluate and serve an orchestrator over frozen expert models.

from maestro import Maestro
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maestro.facade import Maestro

__all__ = ["Maestro"]


def __getattr__(name: str) -> Any:
    """`Maestro`, imported when it is asked for: the command line's help must not pay for it."""
    if name == "Maestro":
        from maestro.facade import Maestro

        return Maestro
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
