"""Write the total resistance of resistors in series or in parallel as an expression."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from maestro.ensembles.playground.procedures.numerals import numeral
from maestro.ensembles.playground.procedures.words import Page, Word, least_confidence, read_page
from maestro.skills.protocol import Caller, SkillRequest, SkillResult

_OHM = re.compile(r"\s*(?:Ω|ohms?|Ohms?)\.?$")
_OHM_LIKE = re.compile(r"(?<=\d)[0QnOo2]$")
_KILO = re.compile(r"(?<=\d)\s*[kK]$")


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """An expression such as `10+20+5` or `1/(1/10+1/20)`; None when fewer than two resistors were read."""
    page = await read_page(request, caller)
    found = resistors(page)
    if len(found) < 2:
        return SkillResult(None, 0.0 if not found else 0.1, f"{len(found)} resistor labels read", "expression")
    words = [word for word, _ in found]
    parallel, fit = in_parallel(request.text, words)
    values = [text for _, text in found]
    expression = f"1/({'+'.join(f'1/{value}' for value in values)})" if parallel else "+".join(values)
    evidence = f"{len(values)} resistors in {'parallel' if parallel else 'series'}"
    return SkillResult(expression, round(least_confidence(words) * fit * _evenness(words, parallel), 2), evidence, "expression")


def resistors(page: Page) -> list[tuple[Word, str]]:
    """Labels that are resistances with their digits, in ohms."""
    marked = any(_OHM.search(word.text) and any(letter.isdigit() for letter in word.text) for word in page.words)
    found = []
    for word in page.words:
        text = word.text.split("=")[-1].strip(" .,:;|")
        bare = _OHM.sub("", text)
        if marked and bare == text and not _ohm_follows(word, page.words):
            # All labels are written alike, so one without the sign had it misread.
            bare = _OHM_LIKE.sub("", text) if len(text) > 1 else text
        kilo = _KILO.search(bare)
        digits = numeral(_KILO.sub("", bare))
        if digits is not None and float(digits) > 0 and not _is_ohm_of_another(word, page.words):
            found.append((word, f"{float(digits) * 1000:g}" if kilo else digits))
    return found


def _ohm_follows(word: Word, words: Sequence[Word]) -> bool:
    """Whether the ohm sign stands as a word of its own right of a number."""
    return any(_beside(word, other) and other.text.strip(".,") in {"Ω", "Q", "O", "0", "n", "o", "ohm", "ohms"} for other in words)


def _is_ohm_of_another(word: Word, words: Sequence[Word]) -> bool:
    """Whether a lone 0 is the ohm sign of the number left of it."""
    return word.text.strip(".,") == "0" and any(_beside(other, word) and numeral(other.text) is not None for other in words)


def _beside(left: Word, right: Word) -> bool:
    """Whether a word stands right after another, a space apart."""
    return (
        left is not right and abs(left.y - right.y) < 0.6 * left.height and -0.2 * left.height < right.left - left.right < 0.7 * left.height
    )


def in_parallel(question: str, labels: Sequence[Word]) -> tuple[bool, float]:
    """Whether the resistors are in parallel, and how sure that is: by the question's word, else by how the labels stand."""
    if re.search(r"\bparallel\b", question, re.IGNORECASE):
        return True, 1.0
    if re.search(r"\bseries\b", question, re.IGNORECASE):
        return False, 1.0
    across = max(word.x for word in labels) - min(word.x for word in labels)
    down = max(word.y for word in labels) - min(word.y for word in labels)
    parallel = down > 1.2 * across
    clear = max(across, down) / (across + down + 1e-9)
    return parallel, min(1.0, 0.4 + 0.7 * clear)


def _evenness(labels: Sequence[Word], parallel: bool) -> float:
    """1 when three or more labels stand at even distances, less when a gap suggests that one was missed."""
    places = sorted(word.y if parallel else word.x for word in labels)
    gaps = [after - before for before, after in pairwise(places)]
    if len(gaps) < 2:
        return 0.8  # with two labels nothing tells whether a third was missed
    return 1.0 if max(gaps) < 1.6 * max(1.0, min(gaps)) else 0.5


__all__ = ["in_parallel", "resistors", "run"]
