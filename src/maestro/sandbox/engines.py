"""Which engines are there, and what stands in the way of the others."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata

from maestro.sandbox import bubblewrap, monty, seccomp
from maestro.sandbox.outcome import Engine

_PIP = "pip install 'maestro-orchestrator[sandbox]'"


@dataclass(frozen=True)
class Availability:
    """One engine on this machine."""

    engine: Engine
    usable: bool
    reason: str
    """What was found, or why it does not work."""
    remedy: str = ""
    """What to do about it; empty when it works."""


def available() -> list[Availability]:
    """Both engines, in the order in which they are used. Bubblewrap is tried with a program, not guessed: containers often forbid it."""
    return [_monty(), _bubblewrap()]


def _monty() -> Availability:
    if lacking := monty.missing():
        return Availability("monty", usable=False, reason=lacking, remedy=_PIP)
    return Availability("monty", usable=True, reason=f"pydantic-monty {metadata.version('pydantic-monty')}")


def _bubblewrap() -> Availability:
    engine, reason = bubblewrap.look()
    if engine is not None:
        return Availability("bubblewrap", usable=True, reason=reason)
    if seccomp.missing():
        return Availability("bubblewrap", usable=False, reason=reason, remedy=f"apt install libseccomp2, then {_PIP}")
    if reason.endswith("not found"):
        return Availability("bubblewrap", usable=False, reason=reason, remedy="apt install bubblewrap util-linux")
    remedy = "allow user namespaces to this user; in Docker: --security-opt seccomp=unconfined --security-opt apparmor=unconfined"
    return Availability("bubblewrap", usable=False, reason=reason, remedy=remedy)
