"""Average normalised Levenshtein similarity (ANLS), per question; the mean is the caller's."""

from __future__ import annotations

from maestro.scoring.boxed import MAX_CHARACTERS
from maestro.scoring.edit_distance import edit_distance
from maestro.scoring.score import Score, judged

THRESHOLD = 0.5


def anls(prediction: str, references: tuple[str, ...], *, threshold: float = THRESHOLD, inclusive: bool = True) -> Score:
    """The best similarity to any reference, 0 below the threshold.

    `inclusive`: a similarity of exactly the threshold counts (the harnesses); otherwise it scores 0 (the paper). Raises
    MissingDependency without rapidfuzz.
    """
    given = prediction[-MAX_CHARACTERS:]
    if not given.strip():
        return judged("anls", None, 0, "no answer")
    golds = [reference for reference in references if reference.strip()]  # a blank gold is nobody's answer
    best = max((similarity(given, gold, threshold=threshold, inclusive=inclusive) for gold in golds), default=0.0)
    return judged("anls", _tidy(given), best, f"threshold {threshold:g}, {'inclusive' if inclusive else 'exclusive'}")


def similarity(given: str, gold: str, *, threshold: float, inclusive: bool) -> float:
    """1 - distance / length: the distance between lower-cased texts with single spaces, the length of the longer one as it was given."""
    length = max(len(given), len(gold))
    if not length:
        return 1.0
    far = int(length * (1 - threshold)) + 1
    ratio = edit_distance(_tidy(gold), _tidy(given), far) / length
    kept = ratio <= 1 - threshold if inclusive else ratio < 1 - threshold
    return 1 - ratio if kept else 0.0


def _tidy(text: str) -> str:
    return " ".join(text.lower().split())
