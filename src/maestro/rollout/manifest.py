"""What a recorded store was made from, kept beside it, so that a record can be replayed and verified by its path alone."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from maestro.errors import StoreError


class RecordedSplit(BaseModel):
    """The first `tasks` tasks of one split of one source."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    """Registered name, or path of a file or folder, as it was given."""
    split: str
    tasks: int

    @property
    def stem(self) -> str:
        """What files about this split are called; a path, which is no file name, becomes one with a digest of its own."""
        name = f"{self.source}-{self.split}"
        safe = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")
        return name if safe == name else f"{safe[-80:]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


class Manifest(BaseModel):
    """`<store>.json`: registry, depth and the splits that are recorded."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = 1
    registry: str
    """Name or folder the registry was loaded by."""
    depth: int
    splits: tuple[RecordedSplit, ...] = ()

    def with_split(self, added: RecordedSplit) -> Manifest:
        """The manifest with this split, in place of a shorter or longer record of the same one."""
        kept = [known for known in self.splits if (known.source, known.split) != (added.source, added.split)]
        return self.model_copy(update={"splits": (*kept, added)})

    def find(self, split: str, source: str | None = None) -> RecordedSplit | None:
        """The record of a split, if there is one."""
        return next((known for known in self.splits if known.split == split and source in {None, known.source}), None)

    def write(self, store: Path) -> None:
        """Keep it beside the store."""
        path = manifest_path(store)
        partial = path.with_name(path.name + ".part")
        partial.write_bytes(orjson.dumps(self.model_dump(mode="json"), option=orjson.OPT_INDENT_2))
        partial.replace(path)


def manifest_path(store: Path) -> Path:
    """Where a store's manifest lies: beside a store file, inside a folder of tables."""
    return store / "manifest.json" if store.is_dir() else store.with_name(store.name + ".json")


def read_manifest(store: Path) -> Manifest:
    """The manifest of a store. Raises StoreError when store or manifest is missing or damaged."""
    path = manifest_path(store)
    if not store.exists():
        raise StoreError(f"there is no recorded store at {store}; make one with: maestro record playground --store {store}")
    try:
        return Manifest.model_validate(orjson.loads(path.read_bytes()))
    except FileNotFoundError as error:
        raise StoreError(f"{store} has no manifest {path.name} beside it; record it again with: maestro record … --resume") from error
    except (orjson.JSONDecodeError, ValidationError) as error:
        raise StoreError(f"{path} is damaged: {error}") from error
