"""A gold answer somewhere in the reply: OCRBench's rule, and the same at word boundaries for rewards."""

from __future__ import annotations

import re

from maestro.scoring.boxed import MAX_CHARACTERS
from maestro.scoring.choices import boundary_after, boundary_before
from maestro.scoring.score import Score, judged

_ROOM = 3
"""Times the length of the gold that a rewarded reply may have, and 40 characters: a list of guesses is no answer."""
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_ONE_LETTER = re.compile(r"(?<!\w)[^\W\d_](?!\w)")
_WORDS = frozenset("ai")
"""Letters that are words as well."""


def contains(prediction: str, references: tuple[str, ...]) -> Score:
    """OCRBench: lower-cased, a line end as a space; any gold is a substring."""
    given = _lines(prediction).lower()
    return _found("contains", given, [(reference, _lines(reference).lower()) for reference in references])


def contains_formula(prediction: str, references: tuple[str, ...]) -> Score:
    """OCRBench's HME100k: case kept, all spaces removed; any gold is a substring."""
    given = _lines(prediction).replace(" ", "")
    return _found("contains_formula", given, [(reference, _lines(reference).replace(" ", "")) for reference in references])


def contains_raw(prediction: str, references: tuple[str, ...]) -> Score:
    """Any gold is a substring of the reply as it is (CountBenchQA in VLMEvalKit: 13 passes for 3)."""
    return _found("contains_raw", prediction[-MAX_CHARACTERS:], [(reference, reference) for reference in references])


def contains_words(prediction: str, references: tuple[str, ...], *, spaces: bool = True) -> Score:
    """For rewards: a gold occurs between word boundaries in a short reply that lists no other numbers or letters beside it.

    `spaces`: False drops them and keeps case.
    """
    given = _lines(prediction)
    given = " ".join(given.lower().split()) if spaces else given.replace(" ", "")
    for reference in references:
        gold = " ".join(reference.lower().split()) if spaces else _lines(reference).replace(" ", "")
        if not gold or len(given) > _ROOM * len(gold) + 40:
            continue
        if re.search(boundary_before(gold) + re.escape(gold) + boundary_after(gold), given) and not _listed(gold, given):
            return judged("contains_words", given, 1, f"contains {reference}")
    return judged("contains_words", given or None, 0, "contains no reference as words, or is far longer than it, or lists others")


def _listed(gold: str, given: str) -> bool:
    """Whether a gold that is a number, or one letter, stands among others of its kind."""
    for kind, words in ((_NUMBER, frozenset[str]()), (_ONE_LETTER, _WORDS)):
        if kind.fullmatch(gold):
            return bool(set(kind.findall(given)) - words - {gold})
    return False


def _lines(text: str) -> str:
    return text[-MAX_CHARACTERS:].strip().replace("\n", " ")


def _found(rule: str, given: str, golds: list[tuple[str, str]]) -> Score:
    hit = next((reference for reference, gold in golds if gold and gold in given), None)
    return judged(rule, given or None, hit is not None, "contains no reference" if hit is None else f"contains {hit}")
