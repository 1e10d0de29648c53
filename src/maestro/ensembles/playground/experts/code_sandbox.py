"""The `code-sandbox` expert: runs an untrusted Python program and returns what it prints.

Two tiers, never this process: pydantic-monty (an interpreter of a Python subset with no way out, under a millisecond), and,
when a program needs what monty lacks, CPython under bubblewrap (`BubblewrapSandbox`). With neither installed it refuses.
"""

from __future__ import annotations

import builtins
from dataclasses import dataclass
from typing import Any, Literal

from maestro.ensembles.playground.experts.bubblewrap import BubblewrapSandbox, Run, missing_parts
from maestro.errors import MissingDependency
from maestro.experts.protocol import Pixels

MAX_CODE_CHARACTERS = 20_000
Tier = Literal["auto", "monty", "bubblewrap"]


@dataclass
class _Printed:
    """Collects what a program prints, up to a limit."""

    limit: int
    text: str = ""
    truncated: bool = False

    def __call__(self, _stream: str, text: str) -> None:
        """Keep what still fits; the time limit ends a program that goes on printing."""
        room = self.limit - len(self.text)
        self.truncated = self.truncated or len(text) > room
        self.text += text[: max(0, room)]


class CodeSandbox:
    """One operation, `run`.

    `seconds` and `memory_mb` bound a program, `output_characters` what is kept of its output; `tier` names the one to use
    (`auto`: monty, then bubblewrap). Raises MissingDependency when the tier is not there.
    """

    def __init__(self, seconds: float = 2.0, memory_mb: int = 256, output_characters: int = 4000, tier: Tier = "auto") -> None:
        self._seconds = seconds
        self._memory_mb = memory_mb
        self._output_characters = output_characters
        self._monty = _start_monty() if tier in {"auto", "monty"} else None
        missing = missing_parts() if tier != "monty" else "it is switched off (tier: monty)"
        self._bubblewrap = None if missing else BubblewrapSandbox(seconds, memory_mb, output_characters)
        self._no_bubblewrap = missing
        if self._monty is None and self._bubblewrap is None:
            raise MissingDependency(
                f"no sandbox is there to run code in (tier {tier}): pydantic-monty: {'off' if tier == 'bubblewrap' else 'not installed'}; "
                f"bubblewrap: {missing}. Install one: pip install 'maestro-orchestrator[sandbox]', or apt install bubblewrap libseccomp2."
            )

    def do_run(self, images: list[Pixels], code: str) -> dict[str, Any]:
        """Run a program: `{"output", "error", "truncated", "tier"}`; `error` is `Type: message`, or null when it ended well.

        Raises ValueError for what is no program text, MissingDependency when only an absent tier could run it.
        """
        del images
        if not isinstance(code, str) or not code.strip():
            raise ValueError("there is no code to run")
        if len(code) > MAX_CODE_CHARACTERS:
            raise ValueError(f"the code has {len(code)} characters; at most {MAX_CODE_CHARACTERS} are run")
        run, tier = (self._in_monty(code) if self._monty is not None else None), "monty"
        if run is None:
            if self._bubblewrap is None:
                raise MissingDependency(f"the program needs more than pydantic-monty; no bubblewrap: {self._no_bubblewrap}.")
            run, tier = self._bubblewrap.run(code), "bubblewrap"
        return {"output": run.output, "error": run.error, "truncated": run.truncated, "tier": tier}

    def _in_monty(self, code: str) -> Run | None:
        """Run in monty; None when it lacks something that the program needs."""
        import pydantic_monty

        assert self._monty is not None
        printed = _Printed(self._output_characters)
        limits = {
            "max_feed_duration_secs": self._seconds,
            "max_memory": self._memory_mb << 20,
            "max_recursion_depth": 900,
            "max_suspensions": 100,
            "max_total_sleep_secs": self._seconds,
        }
        try:
            with self._monty.checkout(limits=limits, os_policy={"random_start": {"seed": 0}}) as session:
                session.feed_run(code, print_callback=printed)
        except pydantic_monty.MontyCrashedError as error:
            if error.timed_out:
                return Run(printed.text, self._told("TimeoutError", "limit exceeded"), printed.truncated)
            return None
        except pydantic_monty.MontyError as error:
            raised = error.exception()
            name = type(raised).__name__
            if name == "NotImplementedError" or (self._bubblewrap is not None and _may_be_lacking(raised)):
                return None
            return Run(printed.text, self._told(name, str(raised)), printed.truncated)
        return Run(printed.text, None, printed.truncated)

    def _told(self, name: str, message: str) -> str:
        """Return an error as it is reported: the same for the same program, so without monty's measured microseconds and bytes."""
        if name == "TimeoutError" and "limit exceeded" in message:
            message = f"the program did not end within {self._seconds:g} s"
        if name == "MemoryError" and "limit exceeded" in message:
            message = f"the program needs more than {self._memory_mb} MB"
        return f"{name}: {message}"[:300]


def _may_be_lacking(raised: BaseException) -> bool:
    """Whether CPython might do better: monty has no such module, module member, method or builtin."""
    if isinstance(raised, NameError):
        return any(f"'{name}'" in str(raised) for name in dir(builtins))
    return isinstance(raised, (ImportError, AttributeError))


def _start_monty() -> Any:
    """Start monty's own worker process; None when the package is not installed."""
    try:
        import pydantic_monty
    except ImportError:
        return None
    pool = pydantic_monty.Monty(max_processes=1, request_timeout=60.0)
    pool.__enter__()
    return pool
