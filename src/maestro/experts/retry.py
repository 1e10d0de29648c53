"""How long to wait before another attempt; `ExpertPool` is the only layer that retries."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from maestro.errors import InfrastructureFault


@dataclass(frozen=True)
class Backoff:
    """Exponential backoff with jitter; all times in seconds."""

    first_seconds: float = 0.25
    """Before the second attempt; doubles with every further one."""
    most_seconds: float = 20.0
    """No wait is longer, unless the server asks for more (Retry-After)."""
    jitter: random.Random = field(default_factory=random.Random)
    """Waits are drawn between half and all of the computed one, so that many callers do not return together."""

    def wait_seconds(self, failures: int, fault: InfrastructureFault) -> float:
        """The wait after `failures` failed attempts, of which `fault` was the last."""
        wait = min(self.most_seconds, self.first_seconds * 2.0 ** (failures - 1)) * self.jitter.uniform(0.5, 1.0)
        return max(wait, fault.retry_after_seconds or 0.0)
