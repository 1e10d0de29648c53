"""How a policy of token rows decides: temperature, limits, and the seed of every draw."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from maestro.errors import ConfigError


@dataclass(frozen=True)
class SamplingSettings:
    """How a policy decides."""

    temperature: float = 1.0
    """Of the distribution that is drawn from, and whose log-probs are reported."""
    seed: int = 0
    """With the task, the sample number and the turn, all that a draw depends on."""
    max_new_tokens: int = 96
    """Of one decision."""
    greedy: bool = False
    """Take the likeliest token instead of drawing."""

    def __post_init__(self) -> None:
        if self.temperature <= 0 or self.max_new_tokens < 1:
            raise ConfigError(
                f"temperature {self.temperature} must be above 0 (set greedy for the likeliest token) "
                f"and max_new_tokens {self.max_new_tokens} at least 1."
            )

    def draw_seed(self, task: str, sample: int, turn: int) -> int:
        """The seed of one decision, 63 bits."""
        key = f"{self.seed}/{task}/{sample}/{turn}".encode()
        return int.from_bytes(hashlib.sha256(key).digest()[:8], "big") >> 1
