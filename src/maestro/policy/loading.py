"""From the name of a policy to the policy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maestro.errors import CheckpointError, ConfigError, MissingDependency
from maestro.images import ImageStore
from maestro.policy.options import LocalOptions, read_options, split_name
from maestro.policy.protocol import Policy
from maestro.registry.menu import Menu
from maestro.registry.plugins import registered

CHECKPOINT_CARD = "config.json"
"""A folder with this is a Transformers checkpoint."""
FEATURES_CARD = "features.json"
"""A folder with this is a feature policy."""
READING_CARD = "reading.json"
"""A folder with this is a reading policy."""
CARDS = (CHECKPOINT_CARD, FEATURES_CARD, READING_CARD)
FEATURES_TEMPERATURE = 0.05
"""Of a feature or reading policy that is sampled rather than greedy, in units of utility."""
SERVED, CHAT = "served:", "chat:"
"""How the names of policies behind HTTP begin."""
ANYWHERE = "maestro-reading"
"""The shipped policy that reads any menu, and decides where nobody says."""
BASELINES = ("random", "fixed:EXPERT@SKILL[>EXPERT@SKILL...]")
"""Policies that need neither checkpoint nor record."""


def load_policy(name: str, menu: Menu, images: ImageStore, *, greedy: bool = True, seed: int = 0) -> Policy:
    """The policy of a name, with options behind a question mark: `NAME?option=value&...` (`maestro.policy.options` lists them).

    A name is a registered one; a checkpoint or run folder; an id of the model hub that is in the local cache; `served:URL#MODEL` on
    a vLLM server; `chat:URL#MODEL` behind an OpenAI-compatible chat API; or a baseline (`random`, `fixed:ROUTE`).

    Raises ConfigError, CheckpointError or RegistryError saying what exists, InfrastructureFault when a server does not answer.
    """
    if name.startswith((SERVED, CHAT)):
        from maestro.policy.remote import load_chat, load_served

        load = load_served if name.startswith(SERVED) else load_chat
        return load(name, menu, images, greedy=greedy, seed=seed)
    from maestro.policy.baselines import FixedPolicy, RandomPolicy, read_route
    from maestro.policy.dialect_maestro import MaestroDialect

    if name == "random":
        return RandomPolicy(MaestroDialect(), seed)
    if name.startswith("fixed:"):
        return FixedPolicy(read_route(name.removeprefix("fixed:"), menu), MaestroDialect())
    plain, written = split_name(name)
    settings = _Settings(menu, images, greedy, seed, written)
    made, title = _find(plain)
    return _checkpoint(made, settings, title) if isinstance(made, Path) else made


def check_policy(name: str, menu: Menu) -> None:
    """Raise what `load_policy` raises where there is no policy of a name, without loading it or asking a server."""
    from maestro.policy.baselines import read_route

    if name.startswith("fixed:"):
        read_route(name.removeprefix("fixed:"), menu)
    elif name != "random" and not name.startswith((SERVED, CHAT)):
        _find(split_name(name)[0])


def _find(plain: str) -> tuple[Policy | Path, str]:
    """A policy, or the folder of its checkpoint, and what to call it. Raises ConfigError, CheckpointError."""
    if plain in registered().policies:
        return registered().policy(plain), plain
    folder = Path(plain).expanduser()
    for place in (folder / "policy", folder):
        if any((place / card).is_file() for card in CARDS):
            return place, folder.name
    if (cached := cached_checkpoint(plain)) is not None:
        return cached, plain
    if folder.is_dir():
        raise CheckpointError(f"the folder {folder} holds no policy (no {', '.join(CARDS[:-1])} or {CARDS[-1]}, there or in policy/).")
    existing = sorted(registered().policies)
    step = (
        f"A checkpoint folder works too, and so do served:URL#MODEL, chat:URL#MODEL and the baselines {', '.join(BASELINES)}. A model "
        "of the hub must be in the local cache first (hf download ORGANISATION/MODEL)."
    )
    if "/" in plain or plain.startswith((".", "~")):
        names = ", ".join(existing)
        raise ConfigError(f"there is no folder {plain}, and no model of that name in the local cache of the hub. Policies: {names}. {step}")
    raise ConfigError(registered().missing("policy", plain, existing, step))


@dataclass(frozen=True)
class _Settings:
    """What `load_policy` was told."""

    menu: Menu
    images: ImageStore
    greedy: bool
    seed: int
    written: str
    """Options as written."""


def _checkpoint(folder: Path, settings: _Settings, name: str) -> Policy:
    """A policy in this process. Raises MissingDependency when torch and transformers are not installed."""
    temperature = 0.0 if settings.greedy else FEATURES_TEMPERATURE
    if (folder / READING_CARD).is_file():
        from maestro.policy.reading.policy import ReadingPolicy

        if settings.written:
            raise ConfigError(f"{name} is a reading policy and takes no options; got {settings.written!r}.")
        return ReadingPolicy.load(folder, settings.images, temperature=temperature, seed=settings.seed)
    if (folder / FEATURES_CARD).is_file():
        from maestro.policy.features.policy import FeaturePolicy

        if settings.written:
            raise ConfigError(f"{name} is a feature policy and takes no options; got {settings.written!r}.")
        valuing = FeaturePolicy.load(folder, settings.images, temperature=temperature, seed=settings.seed)
        if not any(settings.menu.allows(expert, skill) for expert, skill in valuing.space.pairs):
            raise ConfigError(
                f"{name} was trained on other experts and skills than those on offer here, and knows none of them. Name a policy for this "
                f"registry with --policy: {ANYWHERE}, which reads any menu, one trained on it, random, or a route such as "
                f"fixed:{'@'.join(settings.menu.pairs[0])}."
            )
        return valuing
    try:
        from maestro.policy.local_checkpoint import load_checkpoint
    except ModuleNotFoundError as error:
        message = f"the policy in {folder} needs {error.name}; install it with: pip install 'maestro-orchestrator[train]'"
        raise MissingDependency(message) from error
    options = read_options(LocalOptions, settings.written)
    loaded: Any = load_checkpoint(folder, settings.menu, settings.images, options, greedy=settings.greedy, seed=settings.seed, name=name)
    policy: Policy = loaded
    return policy


def cached_checkpoint(name: str) -> Path | None:
    """The folder of a model of the hub in the local cache; nothing is downloaded."""
    if name.count("/") != 1 or name.startswith((".", "/", "~")):
        return None
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError
    except ModuleNotFoundError:
        return None
    try:
        return Path(snapshot_download(name, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError):
        return None
