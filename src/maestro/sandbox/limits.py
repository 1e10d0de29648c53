"""What a program may use."""

from __future__ import annotations

from dataclasses import dataclass, fields

from maestro.errors import ConfigError

MAX_SOURCE_BYTES = 1 << 20
MAX_STDIN_BYTES = 8 << 20
_LEAST_MEMORY_MIB = 64
"""Below this the interpreter itself does not start."""


@dataclass(frozen=True)
class Limits:
    """Bounds of one run. Raises ConfigError when one makes no sense."""

    seconds: float = 5.0
    """Wall clock, from the moment the interpreter is ready; CPU time is held to the next whole second above it."""
    memory_mib: int = 256
    """Address space of a process."""
    output_bytes: int = 65_536
    """Of each of standard output and standard error; a program that prints more is stopped."""
    file_bytes: int = 16 << 20
    """Size of the private /tmp and of one file in it (at most 4096 files); 0 for no writable place at all."""
    processes: int = 1
    """Processes and threads at a time, the program itself included."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, (int, float) if field.name == "seconds" else int):
                raise ConfigError(
                    f"the sandbox limit {field.name} is {value!r}; it has to be a {'' if field.name == 'seconds' else 'whole '}number."
                )
        if not 0 < self.seconds <= 3600:
            raise ConfigError(f"the sandbox limit seconds is {self.seconds}; it has to be above 0 and at most 3600.")
        if self.memory_mib < _LEAST_MEMORY_MIB:
            raise ConfigError(f"the sandbox limit memory_mib is {self.memory_mib}; Python needs at least {_LEAST_MEMORY_MIB}.")
        if self.output_bytes < 1 or self.file_bytes < 0 or self.processes < 1:
            raise ConfigError(f"{self}: output_bytes and processes have to be at least 1, file_bytes at least 0.")
