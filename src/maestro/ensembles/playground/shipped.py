"""What ships with the playground besides code: a small recorded pool and the demo's training config."""

from __future__ import annotations

import shutil
from pathlib import Path

from maestro.errors import StoreError

_FOLDER = Path(__file__).parent
POOL = _FOLDER / "pool" / "calls.jsonl.xz"
"""Recorded calls, exported; `calls.json` beside it says of what."""
POOL_MANIFEST = _FOLDER / "pool" / "calls.json"


def unpack_pool(target: Path) -> Path:
    """Write the shipped pool as a call store with its manifest and return its path. Raises StoreError when it is not shipped."""
    from maestro.experts.archive import import_store
    from maestro.experts.store import CallStore

    if not POOL.is_file() or not POOL_MANIFEST.is_file():
        raise StoreError(
            "this installation has no recorded pool; make one with: maestro record playground --store pool.sqlite --limit 400, "
            "and give it with --store pool.sqlite"
        )
    with CallStore(target) as store:
        import_store(store, POOL)
    shutil.copyfile(POOL_MANIFEST, target.with_name(target.name + ".json"))
    return target


def demo_config() -> Path:
    """The training config of the demo."""
    return _FOLDER / "demo.yaml"
