"""Parameters of profiles as they come from data: what each of them can be, whoever's rule takes it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from maestro.errors import TaskError


def require_usable(params: Mapping[str, Any]) -> None:
    """Raise TaskError, naming the parameter, when one is of a kind that no rule can use.

    Those that are one of a few words, or a shape, their rules check themselves.
    """
    for name, value in params.items():
        usable, wanted = _KINDS.get(name, (_anything, ""))
        if not usable(value):
            raise TaskError(f"{name} is {wanted}, not {value!r:.80}. Mend params.")


def _anything(value: Any) -> bool:
    del value
    return True


def _amount(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0


def _duration(value: Any) -> bool:
    return _amount(value) and value > 0


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _text(value: Any) -> bool:
    return isinstance(value, str)


_AMOUNT = (_amount, "a finite number, 0 or more")
_TEXT = (_text, "text")
_KINDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "absolute": _AMOUNT,
    "coords": _TEXT,
    "fbox": (_flag, "true or false"),
    "metric": _TEXT,
    "relative": _AMOUNT,
    "seconds": (_duration, "a finite number above 0"),
    "signature": _TEXT,
    "tolerance": _AMOUNT,
}
