"""The checkpoint that a run starts from, by what `policy.load` calls it."""

from __future__ import annotations

from pathlib import Path

from maestro.errors import ConfigError
from maestro.policy.loading import CHECKPOINT_CARD, cached_checkpoint
from maestro.registry.plugins import registered


def starting_folder(name: str) -> Path:
    """A registered policy's folder, a checkpoint or run folder, or a model of the hub in the local cache. Raises ConfigError."""
    if name in registered().policies:
        made = registered().policy(name)
        if isinstance(made, Path) and (made / CHECKPOINT_CARD).is_file():
            return made
        raise ConfigError(f"policy.load: {name} is no checkpoint that can be trained further; only Qwen3-VL folders can.")
    folder = Path(name).expanduser()
    for place in (folder, folder / "policy"):
        if (place / CHECKPOINT_CARD).is_file():
            return place
    if folder.is_dir():
        raise ConfigError(f"policy.load: the folder {folder} holds no checkpoint (no {CHECKPOINT_CARD}, there or in policy/).")
    if (cached := cached_checkpoint(name)) is not None:
        return cached
    known = ", ".join(sorted(registered().policies))
    raise ConfigError(
        f"policy.load: there is no folder {name}, no registered policy of that name ({known}), and no such model in the local cache of the "
        f"hub. A model of the hub is fetched first: hf download {name if name.count('/') == 1 else 'ORGANISATION/MODEL'}"
    )
