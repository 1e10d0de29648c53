"""Medical questions in LLaVA-Med's way: closed ones by containment, open ones by the share of the gold's words that occur."""

from __future__ import annotations

import string
from collections import Counter

from maestro.errors import TaskError
from maestro.scoring.boxed import MAX_CHARACTERS
from maestro.scoring.score import Score, judged

_TO_SPACE = str.maketrans(dict.fromkeys(string.punctuation, " "))
_KINDS = ("CLOSED", "OPEN")


def closed_or_open(prediction: str, references: tuple[str, ...], *, answer_type: str | None = None) -> Score:
    """A closed question scores 1 when a gold is contained after normalisation, an open one its best token recall, in [0, 1].

    `answer_type` is CLOSED or OPEN; without it a question is closed when its gold is yes or no.
    """
    given = _normal(prediction)
    golds = [_normal(reference) for reference in references]
    if _is_closed(answer_type, golds):
        hit = any(gold and gold in given for gold in golds)
        return judged("closed, containment", given or None, hit, "contains the reference" if hit else "contains no reference")
    best = max((_recall(given, gold) for gold in golds), default=0.0)
    return judged("open, token recall", given or None, best, f"{best:.0%} of the reference's words")


def closed_or_open_reward(prediction: str, references: tuple[str, ...], *, answer_type: str | None = None) -> Score:
    """For rewards: a closed question needs the gold's word and not its opposite, an open one scores token F1, so lists do not pay.

    "Not yes" is no yes.
    """
    given = _normal(prediction)
    golds = [_normal(reference) for reference in references]
    words = given.split()
    if _is_closed(answer_type, golds):
        said = {"yes", "no"} & set(words)
        if "yes" in said and "not" in words[: words.index("yes")]:  # "it is not true that yes"
            said = set()
        hit = any((said == {gold}) if gold in ("yes", "no") else given == gold for gold in golds if gold)
        return judged("closed, one word", given or None, hit, "says the reference alone" if hit else "does not say the reference alone")
    best = max((_f1(given, gold) for gold in golds), default=0.0)
    return judged("open, token F1", given or None, best, "token F1")


def _is_closed(answer_type: str | None, golds: list[str]) -> bool:
    if answer_type is None:
        return any(gold in ("yes", "no") for gold in golds)
    if str(answer_type).upper() not in _KINDS:
        raise TaskError(f"answer_type is CLOSED or OPEN, not {answer_type!r}")
    return str(answer_type).upper() == "CLOSED"


def _normal(text: str) -> str:
    return " ".join(text[-MAX_CHARACTERS:].lower().translate(_TO_SPACE).split())


def _shared(given: str, gold: str) -> int:
    return sum((Counter(given.split()) & Counter(gold.split())).values())


def _recall(given: str, gold: str) -> float:
    return _shared(given, gold) / len(gold.split()) if gold else 0.0


def _f1(given: str, gold: str) -> float:
    shared = _shared(given, gold)
    return 2 * shared / (len(given.split()) + len(gold.split())) if shared else 0.0
