"""Equality of text after normalisation."""

from __future__ import annotations

import unicodedata

from maestro.scoring.score import Score

_TRIM = " \t\r\n.,;:!?\"'`"


def normalise(text: str) -> str:
    """Unicode NFKC, lower case, white space collapsed, quotes and punctuation trimmed at both ends."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split()).strip(_TRIM)


def exact(prediction: str, references: tuple[str, ...]) -> Score:
    """1 when the prediction equals any reference after `normalise`."""
    given = normalise(prediction)
    hit = bool(given) and any(given == normalise(reference) for reference in references)
    return Score(score=float(hit), extracted=given or None, rule="exact", reason="equal" if hit else "no reference is equal")
