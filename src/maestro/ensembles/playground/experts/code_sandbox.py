"""The `code-sandbox` expert: runs an untrusted Python program and returns what it prints.

A thin layer over `maestro.sandbox`, whose recorded replies it has to go on giving: monty has all of the time here, a program that prints
too much in monty is cut and goes on, and no program has a place to write to.
"""

from __future__ import annotations

import builtins
from dataclasses import dataclass
from typing import Any, Literal

from maestro.errors import MissingDependency
from maestro.experts.protocol import Pixels
from maestro.sandbox import Limits, Refused, bubblewrap, monty

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
        self._limits = Limits(seconds=seconds, memory_mib=memory_mb, output_bytes=output_characters, file_bytes=0)
        no_monty = monty.missing() if tier != "bubblewrap" else "it is switched off (tier: bubblewrap)"
        self._has_monty = not no_monty
        self._bubblewrap, self._no_bubblewrap = bubblewrap.find() if tier != "monty" else (None, "it is switched off (tier: monty)")
        if not self._has_monty and self._bubblewrap is None:
            raise MissingDependency(
                f"no sandbox is there to run code in (tier {tier}): pydantic-monty: {no_monty}; bubblewrap: {self._no_bubblewrap}. "
                "Install one: pip install 'maestro-orchestrator[sandbox]', or apt install bubblewrap libseccomp2."
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
        reply = self._in_monty(code) if self._has_monty else None
        return self._in_bubblewrap(code) if reply is None else reply

    def _in_monty(self, code: str) -> dict[str, Any] | None:
        """Run in monty; None when it lacks something that the program needs."""
        printed = _Printed(self._limits.output_bytes)
        done = monty.interpret(code, self._limits, printed)
        if done is None:
            return None
        raised = done.raised
        if raised is not None and (type(raised) is NotImplementedError or (self._bubblewrap is not None and _may_be_lacking(raised))):
            return None
        error = None if raised is None else monty.told(raised, self._limits)
        return {"output": printed.text, "error": error, "truncated": printed.truncated, "tier": "monty"}

    def _in_bubblewrap(self, code: str) -> dict[str, Any]:
        if self._bubblewrap is None:
            raise MissingDependency(f"the program needs more than pydantic-monty; no bubblewrap: {self._no_bubblewrap}.")
        try:
            outcome = self._bubblewrap.run(code, limits=self._limits, value=False)
        except Refused as error:
            raise MissingDependency(str(error)) from error
        return {
            "output": outcome.stdout,
            "error": outcome.reason or None,
            "truncated": outcome.status != "ok" and len(outcome.stdout.encode()) >= self._limits.output_bytes,
            "tier": "bubblewrap",
        }


def _may_be_lacking(raised: BaseException) -> bool:
    """Whether CPython might do better: monty has no such module, module member, method or builtin."""
    if isinstance(raised, NameError):
        return any(f"'{name}'" in str(raised) for name in dir(builtins))
    return isinstance(raised, (ImportError, AttributeError))
