"""Labels with values beside or under them, as forms, receipts and cards have them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from maestro.ensembles.playground.procedures.mentions import best_mention, similarity, tokens
from maestro.ensembles.playground.procedures.words import Line, Page, Word

_SYNONYMS = (
    {"total", "sum", "amount", "due", "pay", "paid", "cost"},
    {"cash", "paid", "tendered", "tender", "given", "handed", "received", "payment"},
    {"date", "day", "dated", "issued"},
    {"phone", "tel", "telephone", "mobile", "call"},
    {"number", "no", "nr", "num", "id"},
    {"name", "customer", "client", "person"},
    {"email", "mail", "e-mail"},
    {"address", "street"},
    {"invoice", "bill", "receipt"},
    {"price", "cost", "costs", "charged"},
    {"qty", "quantity"},
    {"time", "hour", "o'clock"},
    {"seat", "place"},
)
"""Words that stand for each other on forms."""


@dataclass(frozen=True)
class Field:
    """A label and the words of its value."""

    label: str
    value: tuple[Word, ...]
    label_words: tuple[Word, ...]

    @property
    def text(self) -> str:
        """The value as written."""
        return " ".join(word.text for word in self.value).strip(" :;|")


def fields(page: Page) -> list[Field]:
    """Every label-value pair that the layout suggests: across a gap or colon on one line, else the line below."""
    found: list[Field] = []
    lines = page.lines
    for row, line in enumerate(lines):
        pairs = _on_line(line)
        found += pairs
        if not pairs and row + 1 < len(lines):
            found += [_below(segment, lines[row + 1]) for segment in line.segments() if _aligned(segment, lines[row + 1])]
    return found


def find_field(question: str, known: Sequence[Field]) -> tuple[Field, float] | None:
    """The field that the question asks for with how well its label fits (0 to 1), by its own words or by synonyms."""
    labels = [field.label for field in known]
    named = best_mention(question, labels)
    if named is not None:
        return known[named.index], named.score
    scored = [(_related(question, label), -index) for index, label in enumerate(labels)]
    score, index = max(scored, default=(0.0, 0))
    return (known[-index], score) if score >= 0.5 else None


def _on_line(line: Line) -> list[Field]:
    """The pairs on one line: cut at a colon, else at wide gaps, else before a last word that is a value."""
    words = [part for word in line.words if word.text not in {":", "-", ".", "|", "=", "*"} for part in _at_colon(word)]
    pairs: list[Field] = []
    for segment in _halves(words):
        cut = next((index for index, word in enumerate(segment) if word.text.endswith(":")), None)
        if cut is not None and cut + 1 < len(segment):
            pairs.append(_field(segment[: cut + 1], segment[cut + 1 :]))
    if pairs:
        return pairs
    segments = Line(tuple(words)).segments() if words else []
    if len(segments) >= 2:
        return [_field(before.words, after.words) for before, after in pairwise(segments)]
    if len(words) >= 2 and any(character.isdigit() for character in words[-1].text):
        return [_field(words[:-1], words[-1:])]
    return []


def _at_colon(word: Word) -> list[Word]:
    """A word such as `Table:94` as label and value."""
    match = re.fullmatch(r"([A-Za-z][A-Za-z.]*:)([^:/].*)", word.text)
    if match is None:
        return [word]
    middle = word.left + word.width * len(match[1]) / len(word.text)
    return [replace(word, text=match[1], right=middle), replace(word, text=match[2], left=middle)]


def _halves(words: Sequence[Word]) -> list[Sequence[Word]]:
    """The words cut so that every part holds at most one colon ("Name: A  Date: B" is two parts)."""
    colons = [index for index, word in enumerate(words) if word.text.endswith(":")]
    if len(colons) < 2:
        return [words]
    parts: list[Sequence[Word]] = []
    start = 0
    for colon in colons[1:]:
        # The label before a colon starts after the widest gap since the colon before.
        gaps = [(words[index].left - words[index - 1].right, index) for index in range(start + 2, colon + 1)]
        cut = max(gaps)[1] if gaps else colon
        parts.append(words[start:cut])
        start = cut
    parts.append(words[start:])
    return parts


def _field(label: Sequence[Word], value: Sequence[Word]) -> Field:
    return Field(" ".join(word.text for word in label).strip(" :.|-"), tuple(value), tuple(label))


def _aligned(segment: Line, below: Line) -> bool:
    """Whether something on the line below starts near the segment's left edge and close under it."""
    left, _, _, bottom = segment.box
    return any(abs(other.box[0] - left) < 1.5 * segment.height and other.box[1] - bottom < 2 * segment.height for other in below.segments())


def _below(segment: Line, below: Line) -> Field:
    nearest = min(below.segments(), key=lambda other: abs(other.box[0] - segment.box[0]))
    return _field(segment.words, nearest.words)


def _related(question: str, label: str) -> float:
    """Share of the label's words that the question has, letting synonyms stand for each other."""
    asked = [token.casefold() for token in tokens(question)]
    words = [token.casefold() for token in tokens(label)]
    if not words:
        return 0.0
    hits = 0.0
    for word in words:
        direct = max((similarity(word, other) for other in asked), default=0.0)
        synonym = any(word in group and any(other in group for other in asked) for group in _SYNONYMS)
        hits += direct if direct >= 0.8 else 0.75 if synonym else 0.0
    return hits / len(words)


__all__ = ["Field", "fields", "find_field"]
