"""Profiles of the original system's own reward rules, one for each data source it has rows of."""

from __future__ import annotations

from collections.abc import Callable

from maestro.scoring import compat_original as original
from maestro.scoring.profile import Profile
from maestro.scoring.score import Score

PREFIX = "compat-original:"


def _profile(rule: Callable[..., Score], what: str, *, lists: bool = True) -> Profile:
    first = "; a gold that is one string counts as a list of its characters" if lists else ""
    return Profile(rule, f"the original's reward rule, holes included: {what}{first}", given="response", first_item=lists)


PROFILES: dict[str, Profile] = {
    f"{PREFIX}chartqa": _profile(original.chartqa, "2 decimals or a substring either way"),
    f"{PREFIX}geometry3k": _profile(original.mathematics, "boxed mathematics to 2 decimals, without SymPy", lists=False),
    f"{PREFIX}humaneval_v": _profile(
        original.fallback,
        "not registered there, so the last box; -1 and +1 become 0 and 1; a gold that is a list, always -1 there, counts as its items",
        lists=False,
    ),
    f"{PREFIX}microvqa": _profile(original.choices, "letter, or the option's text as a substring either way"),
    f"{PREFIX}msearthmcq": _profile(original.choices, "letter, or the option's text as a substring either way"),
    f"{PREFIX}slake": _profile(original.slake, "yes and no contained, else a substring either way"),
    f"{PREFIX}tallyqa": _profile(original.mathematics, "boxed mathematics to 2 decimals, without SymPy", lists=False),
    f"{PREFIX}vstar": _profile(original.vstar, "yes and no exactly, else a substring either way"),
    f"{PREFIX}zwz": _profile(original.zwz, "one character exactly, else a substring either way"),
}
