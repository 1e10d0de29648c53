"""What a policy reads of a call: a skill's result, cut to the registry's measure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from maestro.skills.protocol import SkillResult
from maestro.types import ObservationSettings

_CUT_AFTER = {"line": re.compile(r"\n"), "sentence": re.compile(r"[.!?](?=\s)|\n"), "word": re.compile(r"\s+")}


def observed(result: SkillResult, settings: ObservationSettings, lost: Sequence[str] = ()) -> str:
    """The text of an observation. Evidence that could not be had (`lost`) is named in a last line, which is never cut away."""
    text = result.message if settings.form == "message" and result.message is not None else result.text
    if not lost:
        return clipped(text, settings)
    note = f"note: answered without {'; '.join(dict.fromkeys(lost))}"[: settings.max_characters]
    left = settings.max_characters - len(note) - 1
    return f"{clipped(text, settings, left)}\n{note}" if left > 0 else note


def clipped(text: str, settings: ObservationSettings, limit: int | None = None) -> str:
    """The first or last `limit` characters (the settings' by default), cut at a boundary when there is one in them."""
    most = settings.max_characters if limit is None else limit
    if len(text) <= most:
        return text
    boundary = _CUT_AFTER.get(settings.boundary)
    if settings.side == "head":
        return _head(text, most, boundary)
    return _tail(text, most, boundary)


def _head(text: str, most: int, boundary: re.Pattern[str] | None) -> str:
    """Whole lines, sentences or words at the beginning."""
    kept = text[:most]
    if boundary is None:
        return kept
    # The character behind the cut decides whether a sentence ends right there.
    ends = [found for found in boundary.finditer(text[: most + 1]) if found.start() <= most]
    return kept[: ends[-1].end()].rstrip() if ends else kept


def _tail(text: str, most: int, boundary: re.Pattern[str] | None) -> str:
    """Whole lines, sentences or words at the end."""
    start = len(text) - most
    if boundary is None:
        return text[start:]
    begin = next((found.end() for found in boundary.finditer(text, max(0, start - 1)) if found.end() >= start), None)
    return text[begin:].lstrip() if begin is not None and text[begin:].strip() else text[start:]
