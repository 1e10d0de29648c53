"""A recorded pool as a folder of tables: what ships, and what a training run or a report reads in seconds.

`manifest.json` says of what; every split is one compressed table, `<source>-<split>.jsonl.xz`. A table holds outcomes, so it
neither needs a call store nor runs any skill; `maestro record verify FOLDER` makes a sample of its calls again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from maestro.errors import StoreError, not_found
from maestro.registry.menu import Menu
from maestro.rollout.manifest import Manifest, RecordedSplit, read_manifest
from maestro.rollout.pool import RecordedPool


def table_path(folder: Path, known: RecordedSplit) -> Path:
    """Where the table of a split lies."""
    return folder / f"{known.stem}.jsonl.xz"


def write_tables(folder: Path, manifest: Manifest, pools: Mapping[str, RecordedPool], code: str) -> None:
    """Write the tables of a manifest's splits, `pools` by split. Raises StoreError when the folder has something in it."""
    if folder.exists() and any(folder.iterdir()):
        raise StoreError(f"{folder} is not empty; tables are written to a new folder.")
    folder.mkdir(parents=True, exist_ok=True)
    for known in manifest.splits:
        pools[known.split].save(table_path(folder, known), code)
    manifest.write(folder)


def read_tables(folder: Path, menu: Menu, splits: Sequence[str] = (), cost_weight: float = 20.0) -> RecordedPool:
    """One pool of the tables of these splits, of all when none is named. Raises StoreError for a split that is not there."""
    manifest = read_manifest(folder)
    there = [known.split for known in manifest.splits]
    for split in splits:
        if split not in there:
            raise StoreError(not_found("recorded split", split, there, "Record it with: maestro record."))
    pools = [
        RecordedPool.load(table_path(folder, known), menu, cost_weight, code=None)
        for known in manifest.splits
        if not splits or known.split in splits
    ]
    return RecordedPool((recorded for pool in pools for recorded in pool.tasks.values()), menu, pools[0].name if pools else "", cost_weight)
