"""verl's own reading of overrides: lists of them as JSON on standard input, what came of each as JSON on standard output.

A process of its own, because importing verl changes libraries for everybody.
"""

from __future__ import annotations

import json
import sys

from hydra import compose, initialize_config_module
from omegaconf import OmegaConf
from verl.trainer.ppo.utils import need_critic, need_reference_policy
from verl.utils.config import validate_config


def main() -> None:
    """Compose and validate each list."""
    found = []
    with initialize_config_module("verl.trainer.config", version_base=None):
        for overrides in json.load(sys.stdin):
            try:
                config = compose("ppo_trainer", overrides=overrides)
                validate_config(config, use_reference_policy=need_reference_policy(config), use_critic=need_critic(config))
                found.append({"config": OmegaConf.to_container(config, resolve=True), "reference": need_reference_policy(config)})
            except Exception as error:  # noqa: BLE001 (handed to the test)
                found.append({"error": f"{type(error).__name__}: {error}"})
    sys.stdout.write("\nRESULT " + json.dumps(found, default=str) + "\n")


if __name__ == "__main__":
    main()
