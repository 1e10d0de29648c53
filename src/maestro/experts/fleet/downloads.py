"""What has to be downloaded before services can start, and what is here already. Sizes are the cards' (estimates)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from maestro.experts.fleet.memory import GIB
from maestro.experts.fleet.services import Service


@dataclass(frozen=True)
class Download:
    """One model, however many replicas use it."""

    model: str
    gib: float
    """Of the whole model."""
    here_gib: float
    """What of it lies in the hub's cache."""

    @property
    def missing_gib(self) -> float:
        """What is still to come; a model that is here but for a tenth counts as here, for sizes are estimates."""
        return 0.0 if self.here_gib >= 0.9 * self.gib else self.gib - self.here_gib


def downloads_of(services: Iterable[Service], cache: Path | None = None) -> list[Download]:
    """The models of the hub that these services load; folders and commands without a model need none."""
    cache = cache or hub_cache()
    found: dict[str, Download] = {}
    for service in services:
        model = service.serve.model
        if model is not None and not is_folder(model) and model not in found:
            found[model] = Download(model, service.need.download_gib, _cached_gib(model, cache))
    return list(found.values())


def is_folder(model: str) -> bool:
    """Whether a model is given as a folder rather than a hub id."""
    return model.startswith(("/", "./", "../", "~")) or Path(model).is_dir()


def hub_cache() -> Path:
    """Where the hub's client keeps models, by the variables it reads."""
    if given := os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE"):
        return Path(given)
    home = os.environ.get("HF_HOME")
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return (Path(home) if home else Path(cache) / "huggingface") / "hub"


def free_gib(folder: Path) -> float:
    """Free space where `folder` is, or would be made."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free / GIB


def _cached_gib(model: str, cache: Path) -> float:
    blobs = cache / f"models--{model.replace('/', '--')}" / "blobs"
    if not blobs.is_dir():
        return 0.0
    return sum(path.stat().st_size for path in blobs.iterdir() if not path.name.endswith(".incomplete")) / GIB
