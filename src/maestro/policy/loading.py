"""From the name of a policy to the policy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from maestro.errors import CheckpointError, ConfigError, MissingDependency
from maestro.images import ImageStore
from maestro.policy.protocol import Policy
from maestro.registry.menu import Menu
from maestro.registry.plugins import registered

CHECKPOINT_CARD = "config.json"
"""A folder with this is a Transformers checkpoint."""
FEATURES_CARD = "features.json"
"""A folder with this is a feature policy."""
FEATURES_TEMPERATURE = 0.05
"""Of a feature policy that is sampled rather than greedy, in units of utility."""
BASELINES = ("random", "fixed:EXPERT@SKILL[>EXPERT@SKILL...]")
"""Policies that need neither checkpoint nor record."""


def load_policy(name: str, menu: Menu, images: ImageStore, *, greedy: bool = True, seed: int = 0) -> Policy:
    """A policy by registered name, checkpoint or run folder, or as a baseline (`random`, `fixed:ROUTE`).

    Raises ConfigError, CheckpointError or RegistryError saying what exists.
    """
    from maestro.policy.baselines import FixedPolicy, RandomPolicy, read_route
    from maestro.policy.dialect_maestro import MaestroDialect

    if name == "random":
        return RandomPolicy(MaestroDialect(), seed)
    if name.startswith("fixed:"):
        return FixedPolicy(read_route(name.removeprefix("fixed:"), menu), MaestroDialect())
    if name in registered().policies:
        made: Policy | Path = registered().policy(name)
        return _checkpoint(made, menu, images, greedy=greedy, seed=seed, name=name) if isinstance(made, Path) else made
    folder = Path(name).expanduser()
    for place in (folder / "policy", folder):
        if any((place / card).is_file() for card in (CHECKPOINT_CARD, FEATURES_CARD)):
            return _checkpoint(place, menu, images, greedy=greedy, seed=seed, name=folder.name)
    if folder.is_dir():
        raise CheckpointError(f"the folder {folder} holds no policy (no {CHECKPOINT_CARD} or {FEATURES_CARD}, there or in policy/).")
    existing = sorted(registered().policies)
    step = f"A checkpoint folder works too, and so do the baselines {', '.join(BASELINES)}."
    raise ConfigError(registered().missing("policy", name, existing, step))


def _checkpoint(folder: Path, menu: Menu, images: ImageStore, *, greedy: bool, seed: int, name: str) -> Policy:
    """A policy in this process. Raises MissingDependency when torch and transformers are not installed."""
    if (folder / FEATURES_CARD).is_file():
        from maestro.policy.features.policy import FeaturePolicy

        valuing = FeaturePolicy.load(folder, images, temperature=0.0 if greedy else FEATURES_TEMPERATURE, seed=seed)
        if not any(menu.allows(expert, skill) for expert, skill in valuing.space.pairs):
            raise ConfigError(
                f"{name} was trained on other experts and skills than those on offer here, and knows none of them. Name a policy for this "
                f"registry with --policy: one trained on it, random, or a route such as fixed:{'@'.join(menu.pairs[0])}."
            )
        return valuing
    try:
        from maestro.policy.local import LocalPolicy, Sampling
    except ModuleNotFoundError as error:
        message = f"the policy in {folder} needs {error.name}; install it with: pip install 'maestro-orchestrator[train]'"
        raise MissingDependency(message) from error
    policy: Any = LocalPolicy.load(folder, images, Sampling(greedy=greedy, seed=seed), name=name)
    loaded: Policy = policy
    return loaded
