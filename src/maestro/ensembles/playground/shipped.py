"""What ships with the playground besides code: a recorded pool and the demo's training config."""

from __future__ import annotations

from pathlib import Path

from maestro.errors import StoreError

_FOLDER = Path(__file__).parent
POOL = _FOLDER / "pool"
"""Recorded outcomes as tables, made by `make pool`."""


def shipped_pool() -> Path:
    """The folder of the shipped tables. Raises StoreError when this installation has none."""
    if not (POOL / "manifest.json").is_file():
        raise StoreError(
            "this installation has no recorded pool; make one with: maestro record playground --store pool.sqlite --limit 400, "
            "and give it with --store pool.sqlite"
        )
    return POOL


def demo_config() -> Path:
    """The training config of the demo."""
    return _FOLDER / "demo.yaml"
