"""Read text: a sign, a line, a number, or the line or word that the question points at."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from maestro.ensembles.playground.procedures.mentions import best_mention
from maestro.ensembles.playground.procedures.numerals import numeral
from maestro.ensembles.playground.procedures.words import Line, Page, Word, least_confidence, mean_confidence, read_page
from maestro.skills.protocol import Caller, SkillRequest, SkillResult

_ORDINALS = {
    "first": 0, "1st": 0, "top": 0, "topmost": 0, "uppermost": 0, "second": 1, "2nd": 1, "third": 2, "3rd": 2, "fourth": 3, "4th": 3,
    "fifth": 4, "5th": 4, "sixth": 5, "6th": 5, "last": -1, "final": -1, "bottom": -1, "lowest": -1,
}  # fmt: skip
_ORDINAL = "|".join(_ORDINALS)
_LINE_ASKED = re.compile(rf"\b({_ORDINAL})[- ](?:text[- ])?(?:line|row|sentence)\b|\bline\s+(?:number\s+|no\.?\s+)?(\d)\b", re.IGNORECASE)
_WORD_ASKED = re.compile(r"\b(first|second|third|fourth|fifth|last|final|1st|2nd|3rd|4th|5th)[- ]word\b", re.IGNORECASE)
_NUMBER_ASKED = re.compile(
    r"\b(?:what|which|the|a|read)\s+(?:\w+\s+){0,2}?(?:numbers?|digits?|numeral|figure|value|amount|price)\b"
    r"|\bhow (?:much|many|old|far|long|high|fast)\b",
    re.IGNORECASE,
)
_CODE_ASKED = re.compile(
    r"\b(?:code|serial|plate|identifier|reference|alphanumeric|licen[cs]e|id)\b|letters? and (?:digits?|numbers?)", re.IGNORECASE
)
_CODE = re.compile(r"(?=[^\s]*\d)(?=[^\s]*[A-Za-z])[A-Za-z0-9]+(?:[-/._][A-Za-z0-9]+)*")
"""Letters and digits in one run."""
_BESIDE = re.compile(
    r"\b(after|follows|following|next to|beside|right of|under|below|beneath|above|before|left of|precedes)\b(.*)", re.IGNORECASE
)
_SIDE = re.compile(r"\b(left|right|top|bottom|upper|lower|middle|cent(?:er|re))(?:most)?\b", re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """Words that answer, and how sure it is that they are the ones asked for (0 to 1)."""

    words: Sequence[Word]
    text: str
    fit: float
    evidence: str


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """The asked text as read; None when nothing was read."""
    page = _without_specks(await read_page(request, caller))
    found = pick(request.text, page)
    if found is None:
        return SkillResult(None, 0.0, "no text seen")
    sure = 0.5 * mean_confidence(found.words) + 0.5 * least_confidence(found.words)
    return SkillResult(found.text, round(sure * found.fit, 2), found.evidence)


def _without_specks(page: Page) -> Page:
    """The page less punctuation that stands alone, except where it was surely read between two words ("8 am - 6 pm")."""
    kept = []
    for line in page.lines:
        solid = [index for index, word in enumerate(line.words) if not word.stray]
        kept += [
            word
            for index, word in enumerate(line.words)
            if not word.stray
            or (solid and solid[0] < index < solid[-1] and word.confidence > 0.6 and word.text in {"-", "/", "&", "+", "=", ":"})
        ]
    return page.where(kept)


def pick(question: str, page: Page) -> Found | None:
    """What the question asks to be read from the page; None when the page has no words."""
    if not page.words:
        return None
    steps = (_numbered, _code, _neighbour, _by_side, _number)
    found = next((found for step in steps if (found := step(question, page)) is not None), None) or _all(page)
    if _CODE_ASKED.search(question) and not any(character.isdigit() for character in found.text):
        return replace(found, fit=0.3 * found.fit, evidence="no word of letters and digits")
    return replace(found, fit=0.5 * found.fit) if _CODE_ASKED.search(question) and " " in found.text else found


def _all(page: Page) -> Found:
    text = " ".join(line.text for line in page.lines)
    return Found(page.words, text, 1.0, f"{len(page.words)} words on {len(page.lines)} lines")


def _numbered(question: str, page: Page) -> Found | None:
    """What stands in a place counted from the top: the second line, line 3, the last word."""
    if match := _LINE_ASKED.search(question):
        index = _ORDINALS[match[1].lower()] if match[1] else int(match[2]) - 1
        if index >= len(page.lines):
            return Found(page.words, page.lines[-1].text, 0.3, f"only {len(page.lines)} lines seen")
        line = page.lines[index]
        return Found(line.words, line.text, 1.0, f"line {index + 1 if index >= 0 else len(page.lines)} of {len(page.lines)}")
    if match := _WORD_ASKED.search(question):
        index = _ORDINALS[match[1].lower()]
        words = [word for line in page.lines for word in line.words]
        if index >= len(words):
            return Found(words, words[-1].text, 0.3, f"only {len(words)} words seen")
        return Found([words[index]], words[index].text, 1.0, f"word {index + 1 if index >= 0 else len(words)} of {len(words)}")
    return None


def _code(question: str, page: Page) -> Found | None:
    """The word of letters and digits when a code is asked for; pieces of it that were read apart are joined."""
    if not _CODE_ASKED.search(question):
        return None
    found: list[Sequence[Word]] = []
    for line in page.lines:
        words = line.words
        for index, word in enumerate(words):
            pair = words[index : index + 2]
            if _CODE.fullmatch(_bare(word.text)):
                found.append((word,))
            elif len(pair) == 2 and pair[1].left - pair[0].right < 0.6 * word.height and _split_code(pair):
                found.append(pair)
    if not found:
        return None
    # Of several the likeliest is the one with most digits and capitals: an ordinary word with one misread letter has few.
    chosen = max(found, key=lambda words: (sum(c.isdigit() or c.isupper() for word in words for c in word.text), mean_confidence(words)))
    text = _code_case(_bare("".join(word.text for word in chosen)))
    return Found(chosen, text, 1.0 if len(found) == 1 else 0.75, f"{len(found)} code-like of {len(page.words)} words")


def _bare(text: str) -> str:
    """The word less punctuation around it."""
    return text.strip(" .,:;'\"`()[]{}|!_~*=<>-") or text


def _split_code(pair: Sequence[Word]) -> bool:
    """Whether two neighbours are the halves of a code: capitals with a hyphen or digits on one side, digits on the other."""
    left, right = pair[0].text, pair[1].text
    joint = left.endswith("-") or right.startswith("-")
    return joint and _CODE.fullmatch(_bare(left + right)) is not None and left.rstrip("-").isupper()


def _code_case(text: str) -> str:
    """Capitals throughout when most letters are capitals: c, v, w and x are alike in both cases."""
    letters = [character for character in text if character.isalpha()]
    return text.upper() if 2 * sum(character.isupper() for character in letters) > len(letters) else text


def _neighbour(question: str, page: Page) -> Found | None:
    """What stands beside, under or above something that the question names."""
    match = _BESIDE.search(question)
    segments = [segment for line in page.lines for segment in line.segments()]
    if match is None or len(page.words) < 2:
        return None
    relation, rest = match[1].lower(), match[2]
    inside = _inside_line(relation, rest, segments)
    if inside is not None:
        return inside
    named = best_mention(rest, [segment.text for segment in segments])
    if named is None:
        return None
    anchor = segments[named.index]
    found = _nearest(anchor, [segment for segment in segments if segment is not anchor], relation)
    return None if found is None else Found(found.words, found.text, named.score, f"{relation} {anchor.text}"[:40])


def _inside_line(relation: str, rest: str, segments: Sequence[Line]) -> Found | None:
    """The rest of a line after (or before) a word of it that the question names."""
    if relation not in {"after", "follows", "following", "next to", "beside", "before", "precedes"}:
        return None
    words = [(segment, index) for segment in segments for index in range(len(segment.words))]
    named = best_mention(rest, [segment.words[index].text for segment, index in words], 0.85)
    if named is None:
        return None
    segment, index = words[named.index]
    step = -1 if relation in {"before", "precedes"} else 1
    if not 0 <= index + step < len(segment.words):
        return None
    word = segment.words[index + step]
    return Found([word], word.text, named.score, f"{relation} {segment.words[index].text}"[:40])


def _nearest(anchor: Line, others: Sequence[Line], relation: str) -> Line | None:
    """The segment closest to the anchor on the side that the relation says."""
    left, top, right, bottom = anchor.box

    def distance(other: Line) -> float:
        o_left, o_top, o_right, o_bottom = other.box
        across, down = max(o_left - right, left - o_right, 0.0), max(o_top - bottom, top - o_bottom, 0.0)
        side = {
            "under": o_top - bottom, "below": o_top - bottom, "beneath": o_top - bottom, "above": top - o_bottom,
            "right of": o_left - right, "left of": left - o_right, "before": left - o_right, "precedes": left - o_right,
        }.get(relation)  # fmt: skip
        if side is not None and side < -anchor.height:
            return float("inf")
        return across + 2 * down

    nearest = min(others, key=distance, default=None)
    return nearest if nearest is not None and distance(nearest) < float("inf") else None


def _by_side(question: str, page: Page) -> Found | None:
    """What stands on a side of the picture (the word on the left), when there are several pieces to choose from."""
    sides = {side.lower() for side in _SIDE.findall(question)}
    segments = [segment for line in page.lines for segment in line.segments(2.5)]
    if not sides or len(segments) < 2:
        return None

    def distance(segment: Line) -> float:
        left, top, right, bottom = segment.box
        x, y = (left + right) / 2 / page.width, (top + bottom) / 2 / page.height
        total = 0.0
        for side in sides:
            total += {"left": x, "right": 1 - x, "top": y, "upper": y, "bottom": 1 - y, "lower": 1 - y}.get(
                side, abs(x - 0.5) + abs(y - 0.5)
            )
        return total

    nearest = min(segments, key=distance)
    return Found(nearest.words, nearest.text, 0.9, f"at the {' '.join(sorted(sides))}")


def _number(question: str, page: Page) -> Found | None:
    """The number on the page when a number is asked for: the tallest one if there are several."""
    if not _NUMBER_ASKED.search(question):
        return None
    numbers = [word for word in page.words if numeral(word.text) is not None]
    if not numbers:
        return None
    word = max(numbers, key=lambda word: word.height)
    text = word.text.strip(".,:;'\"()[]|")
    alone = 1.0 if len(numbers) == 1 else 0.7
    shown = numeral(text) if not any(sign in text for sign in "$€£%:/") else text
    return Found([word], shown or text, alone, "the only number" if len(numbers) == 1 else f"tallest of {len(numbers)} numbers")


__all__ = ["Found", "pick", "run"]
