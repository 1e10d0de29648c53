"""Read an equation with one unknown, as text that can be solved."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Sequence

from maestro.ensembles.playground.procedures.words import Line, least_confidence, read_page
from maestro.skills.protocol import Caller, SkillRequest, SkillResult

_ASKED = re.compile(r"(?<![\w'])([a-z])(?![\w'])")
"""A letter that stands alone."""
_SIGNS = str.maketrans(
    {
        "×": "*",
        "÷": "/",
        "−": "-",
        "–": "-",
        "—": "-",
        "_": "-",
        "~": "-",
        "·": "*",
        "•": "*",
        "[": "(",
        "]": ")",
        "{": "(",
        "}": ")",
        "≈": "=",
        ":": "=",
    }
)
_DIGITS = {
    "O": "0",
    "o": "0",
    "Q": "0",
    "D": "0",
    "l": "1",
    "I": "1",
    "i": "1",
    "|": "1",
    "!": "1",
    "S": "5",
    "s": "5",
    "B": "8",
    "Z": "2",
    "z": "2",
    "g": "9",
    "G": "6",
    "A": "4",
    "T": "7",
}


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """An equation such as `3*x+4=19`; None when no line reads as one."""
    page = await read_page(request, caller)
    asked = _ASKED.findall(request.text.lower())
    best: tuple[float, str, str] | None = None
    for line in page.lines:
        equation = normalised(line.text, asked)
        if equation is None:
            continue
        weak = least_confidence([word for word in line.words if not word.stray] or line.words)
        if re.search(r"(?<![\d.])[01]\*", equation):
            weak *= 0.5  # nobody writes 1x or 0x: a digit is misread
        if best is None or weak > best[0]:
            best = (weak, equation, _shown(line))
    if best is None:
        return SkillResult(None, 0.0, "no equation seen" if page.words else "no text seen", "expression")
    return SkillResult(best[1], round(best[0], 2), best[2], "expression")


def _shown(line: Line) -> str:
    return f"read {line.text}"[:40]


def normalised(text: str, asked: Sequence[str] = ()) -> str | None:
    """The equation in a text with explicit multiplication, `**` for powers and one lower-case unknown; None if it is none.

    `asked` are letters that the question may mean as the unknown.
    """
    compact = re.sub(r"\s+", " ", text.translate(_SIGNS)).strip(" .,;'\"`")
    unknown = _unknown(compact, asked)
    if unknown is None:
        return None
    compact = re.sub(r"(?<=\d)\s*[xX]\s*(?=\d)", "*", compact) if unknown not in {"x", "X"} else compact
    mended = "".join(_mend(character, unknown) for character in compact).replace(" ", "")
    mended = re.sub(r"(?<!\d)\.|\.(?!\d)", "", mended)
    mended = re.sub(r"(?<=[\d)x])t(?=[\dx(])", "+", mended)
    mended = re.sub(r"=+", "=", mended)
    mended = re.sub(r"-+", "-", mended)  # a long dash is read as two
    if mended.count("=") != 1 or re.search(r"[^\dx+\-*/().=^]", mended):
        return None
    mended = mended.replace("^", "**")
    if re.search(r"x(?=[\dx])", mended):
        return None  # a sign was lost between the unknown and what follows
    mended = re.sub(r"(?<=\d)(?=[x(])|(?<=x)(?=\()|(?<=\))(?=[\dx(])", "*", mended)
    sides = mended.split("=")
    if any(not _is_expression(side) for side in sides) or "x" not in mended:
        return None
    return mended.replace("x", unknown.lower())


def _unknown(text: str, asked: Sequence[str]) -> str | None:
    """The letter that stands for the unknown: one that the question has alone, else x, else one that is no usual misread digit."""
    letters = Counter(character for character in text if character.isalpha())
    if not letters or "=" not in text:
        return None
    for letter in asked:
        for form in (letter, letter.upper()):
            if letters[form] and (letter != "a" or letters[form] == max(letters.values())):
                return form
    for usual in "xXyYnNaAbBtTkKmMpPzZwWcChH":
        if letters[usual]:
            return usual
    return letters.most_common(1)[0][0]


def _mend(character: str, unknown: str) -> str:
    """The unknown as `x`, other letters as the digit they look like."""
    if character.lower() == unknown.lower():
        return "x"
    return _DIGITS.get(character, character)


def _is_expression(text: str) -> bool:
    try:
        ast.parse(text, mode="eval")
    except SyntaxError:
        return False
    return bool(text)


__all__ = ["normalised", "run"]
