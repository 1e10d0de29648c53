"""The options of a multiple-choice question with their letters, and which letters are right."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from string import ascii_uppercase

from maestro.errors import TaskError
from maestro.scoring.forms import MAX_OPTIONS

DEFAULT_COUNT = 4
"""Letters of a question whose options are not given, unless its gold letter lies beyond."""

_GOLD = re.compile(r"\s*\(?([A-Za-z])(?:[).:]+\s*(.*))?\s*", re.DOTALL)
_WIDE = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0x2212: ord("-")}


@dataclass(frozen=True)
class Choices:
    """Option texts by letter; a text is empty where it is not known."""

    texts: tuple[str, ...]

    @property
    def letters(self) -> str:
        """From A, one for each option."""
        return ascii_uppercase[: len(self.texts)]

    def text(self, letter: str) -> str:
        """The option behind a letter."""
        return self.texts[self.letters.index(letter)]

    def letter_of(self, text: str) -> str | None:
        """The letter of the option that reads exactly like `text`, but for case and white space; None for none or several."""
        wanted = folded(text)
        found = [letter for letter, option in zip(self.letters, self.texts, strict=True) if option and folded(option) == wanted]
        return found[0] if wanted and len(found) == 1 else None

    def contained(self, reply: str) -> frozenset[str]:
        """Letters of the options whose text stands in `reply` as whole words; of overlapping ones the longest. Linear."""
        pattern, by_text = self._search
        if pattern is None:
            return frozenset()
        return frozenset(letter for match in pattern.finditer(folded(reply)) for letter in by_text[match[0]])

    @cached_property
    def _search(self) -> tuple[re.Pattern[str] | None, dict[str, list[str]]]:
        by_text: dict[str, list[str]] = {}
        for letter, option in zip(self.letters, self.texts, strict=True):
            if key := folded(option):
                by_text.setdefault(key, []).append(letter)
        if not by_text:
            return None, by_text
        # A number inside a longer number ("3" in "3.5", "-3" or "1,300") is no option either.
        longest_first = sorted(by_text, key=len, reverse=True)
        words = "|".join(rf"{boundary_before(text)}{re.escape(text)}{boundary_after(text)}" for text in longest_first)
        return re.compile(words), by_text


def choices_of(options: tuple[str, ...], references: tuple[str, ...], least: int = DEFAULT_COUNT) -> Choices:
    """The options as given; without any, as many empty ones as the gold letter asks for. Raises TaskError beyond 26."""
    if len(options) > MAX_OPTIONS:
        raise TaskError(f"there are {len(options)} options; letters reach as far as {MAX_OPTIONS}")
    if options:
        return Choices(options)
    golds = [reference.strip() for reference in references]
    letters = [letter for gold in golds if (letter := _letter(gold)) is not None]
    count = max([least, *(ascii_uppercase.index(letter) + 1 for letter in letters)])
    texts = [""] * count
    if len(letters) == 1 and len(golds) == 2:  # [letter, option text], as the original's rows have it
        texts[ascii_uppercase.index(letters[0])] = next((gold for gold in golds if _letter(gold) is None), "")
    return Choices(tuple(texts))


def gold_letters(references: tuple[str, ...], choices: Choices, *, text_first: bool = False, index_first: bool = False) -> frozenset[str]:
    """Letters that are right. A reference is a letter, an option's text, "B. text", or an index from 0.

    `text_first`: an option's text before a letter (MathVista's gold); `index_first`: an index before an option's text (ScienceQA's).
    """
    readings = [_as_letter, _as_text, _as_labelled, _as_index]
    if text_first:
        readings = [_as_text, _as_letter, _as_labelled, _as_index]
    if index_first:
        readings = [_as_letter, _as_index, _as_text, _as_labelled]
    found = set()
    for reference in references:
        found.add(next((letter for read in readings if (letter := read(reference.strip(), choices)) is not None), None))
    return frozenset(letter for letter in found if letter is not None)


def folded(text: str) -> str:
    """Text for comparison: ASCII instead of full width, no case, single spaces, no punctuation at the ends."""
    return " ".join(narrow(text).casefold().split()).strip(" .,;:!?\"'`*")


def narrow(text: str) -> str:
    """Text with full-width characters and the minus sign as ASCII; nothing else changes, and no character becomes several."""
    return text.translate(_WIDE)


def _letter(gold: str) -> str | None:
    match = _GOLD.fullmatch(gold)
    return match[1].upper() if match and not (match[2] or "").strip() else None


def _as_letter(gold: str, choices: Choices) -> str | None:
    letter = _letter(gold)
    return letter if letter is not None and letter in choices.letters else None


def _as_text(gold: str, choices: Choices) -> str | None:
    return choices.letter_of(gold)


def _as_labelled(gold: str, choices: Choices) -> str | None:
    match = _GOLD.fullmatch(gold)
    return match[1].upper() if match and match[2] and match[1].upper() in choices.letters else None


def _as_index(gold: str, choices: Choices) -> str | None:
    if not (gold.isascii() and gold.isdigit() and len(gold) <= 2):
        return None
    return choices.letters[int(gold)] if int(gold) < len(choices.letters) else None


def boundary_before(text: str) -> str:
    """The pattern of what may stand before a text that is a whole word, or a whole number: "3" is none in "1.3" and "-3"."""
    return r"(?<![\w])(?<!\d[.,])(?<![-−])" if text[0].isdigit() else r"(?<!\w)" if text[0].isalnum() else ""


def boundary_after(text: str) -> str:
    """The pattern of what may stand behind it: "3" is none in "3.5" and "3rd"."""
    return r"(?!\w)(?![.,]\d)" if text[-1].isdigit() else r"(?!\w)" if text[-1].isalnum() else ""
