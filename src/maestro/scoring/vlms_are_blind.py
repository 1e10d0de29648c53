"""VLMs Are Blind: one rule for each of its nine categories, as VLMEvalKit reads them, and a strict one for rewards."""

from __future__ import annotations

import re
from collections.abc import Callable

from maestro.errors import TaskError, not_found
from maestro.scoring.boxed import MAX_CHARACTERS
from maestro.scoring.contains import contains_raw
from maestro.scoring.count import whole_count
from maestro.scoring.equality import braces
from maestro.scoring.score import Score, judged

_PAIR = re.compile(r"\((\d{1,9}),\s*+(\d{1,9})\)")
_GOLD_PAIR = re.compile(r"\s*\(?\s*(\d{1,9})\s*[,x×]\s*(\d{1,9})\s*\)?\s*")
_BRACE = re.compile(r"[{}]")
_STRICT_PAIR = re.compile(r"\D{0,40}?(\d{1,4})\D{1,40}?(\d{1,4})\D{0,40}")
_COLUMNS_FIRST = re.compile(r"columns?\b.*\brows?\b", re.IGNORECASE | re.DOTALL)
_AROUND = " \t\r\n.{}()[]*$\"'`"


def vlms_are_blind(prediction: str, references: tuple[str, ...], *, task: str = "") -> Score:
    """By category (`task`): `{…}` equals the gold, yes or no is contained, rows and columns are equal, or a count is contained.

    Raises TaskError when the category is missing or unknown.
    """
    return _rule_of(task)[0](prediction, references)


def vlms_are_blind_reward(prediction: str, references: tuple[str, ...], *, task: str = "") -> Score:
    """The same categories without the holes: the reply is the one number, letter, pair, or yes or no, in braces or not."""
    return _rule_of(task)[1](prediction, references)


def row_and_column(prediction: str, references: tuple[str, ...]) -> Score:
    """Rows and columns behind those words in braces, else the first "(rows, columns)", equal the gold pair."""
    text = prediction[-MAX_CHARACTERS:]
    pair = _named_pair(text)
    if pair is None and (match := _PAIR.search(text)):
        pair = (int(match[1]), int(match[2]))
    if pair is None:
        return judged("row_and_column", None, 0, "no pair of rows and columns")
    return judged("row_and_column", f"{pair[0]},{pair[1]}", pair in _gold_pairs(references), "rows and columns")


def yes_or_no_contained(prediction: str, references: tuple[str, ...]) -> Score:
    """The gold occurs in the reply, in any case ("no" in "not" too)."""
    given = prediction[-MAX_CHARACTERS:].lower()
    hit = any(reference.strip() and reference.strip().lower() in given for reference in references)
    return judged("yes_or_no_contained", given, hit, "contains the reference" if hit else "does not contain it")


def row_and_column_strict(prediction: str, references: tuple[str, ...]) -> Score:
    """The reply is one pair of numbers, rows first unless it names columns first, with few words around them, and equals the gold pair."""
    match = _STRICT_PAIR.fullmatch(prediction) if len(prediction) <= 200 else None
    if match is None:
        return judged("row_and_column_strict", None, 0, "the reply is no single pair of numbers")
    pair = (int(match[1]), int(match[2]))
    if _COLUMNS_FIRST.search(prediction):
        pair = (pair[1], pair[0])
    return judged("row_and_column_strict", f"{pair[0]},{pair[1]}", pair in _gold_pairs(references), "rows and columns")


def _yes_or_no_strict(prediction: str, references: tuple[str, ...]) -> Score:
    said = {"yes", "no"} & set(re.findall(r"[a-z]+", prediction[-MAX_CHARACTERS:].lower()))
    given = said.pop() if len(said) == 1 else None
    hit = given is not None and any(given == reference.strip().lower() for reference in references)
    return judged("yes_or_no_strict", given, hit, "says yes or no" if given else "does not say one of yes and no")


def _letter_strict(prediction: str, references: tuple[str, ...]) -> Score:
    given = prediction.strip(_AROUND) if len(prediction) <= 200 else ""
    hit = bool(given) and any(given.lower() == reference.strip().lower() for reference in references)
    return judged("letter_strict", given or None, hit, "the whole reply, in any case")


_Rule = Callable[[str, tuple[str, ...]], Score]
_BY_CATEGORY: dict[str, tuple[_Rule, _Rule]] = {
    "Circled Letter": (braces, _letter_strict),
    "Counting Grid - Blank Grids": (row_and_column, row_and_column_strict),
    "Counting Grid - Word Grids": (row_and_column, row_and_column_strict),
    "Line Plot Intersections": (braces, whole_count),
    "Nested Squares": (braces, whole_count),
    "Olympic Counting - Circles": (contains_raw, whole_count),
    "Olympic Counting - Pentagons": (contains_raw, whole_count),
    "Subway Connections": (braces, whole_count),
    "Touching Circles": (yes_or_no_contained, _yes_or_no_strict),
}
_FOLDED = {name.casefold(): rules for name, rules in _BY_CATEGORY.items()}


def _rule_of(task: str) -> tuple[_Rule, _Rule]:
    rules = _FOLDED.get(str(task).strip().casefold())
    if rules is None:
        raise TaskError(not_found("category of VLMs Are Blind", task, _BY_CATEGORY, "Name it in params.task."))
    return rules


def _named_pair(text: str) -> tuple[int, int] | None:
    """The numbers in braces behind "rows" and "columns"; None when either is missing."""
    rows, columns = _behind(text, re.compile("[Rr]ow")), _behind(text, re.compile("[Cc]olumn"))
    return (rows, columns) if rows is not None and columns is not None else None


def _behind(text: str, word: re.Pattern[str]) -> int | None:
    """The number of the first `{digits}` with the word before it and no other brace between. Linear."""
    start = 0
    for brace in _BRACE.finditer(text):
        if brace[0] == "{" and word.search(text, start, brace.start()) and (number := re.compile(r"(\d{1,9})\}").match(text, brace.end())):
            return int(number[1])
        start = brace.end()
    return None


def _gold_pairs(references: tuple[str, ...]) -> set[tuple[int, int]]:
    """Pairs written as "3,4", "(3, 4)" or "rows={3} columns={4}"; two numbers apart are one pair."""
    texts = [",".join(references)] if len(references) == 2 and all(one.strip().isdecimal() for one in references) else references
    pairs = {(int(match[1]), int(match[2])) for text in texts if (match := _GOLD_PAIR.fullmatch(text))}
    return pairs | {pair for text in texts if (pair := _named_pair(text)) is not None}
