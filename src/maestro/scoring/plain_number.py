"""Numbers as people write them in answers, read exactly: units, currency, thousands, percent signs, unicode."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

from maestro.scoring.notation import in_latex

_MOST_CHARACTERS = 400
_MOST_EXPONENT = 300
_SPACES = ("\\,", "\\;", "\\!", "\\ ", "~", "{,}")
_COMMANDS = re.compile(r"\\(?:text|mathrm|mbox|operatorname|textbf|mathbf)\s?\{([^{}]*)\}")
_GROUPED = re.compile(r"(?<![\d.,])\d{1,3}(?: \d{3})+(?!\d)")
_CURRENCY = "$€£¥₹₩₽"
_WORDS = re.compile(
    r"(?:degrees?|percent|dollars?|euros?|cents?|units?|square|sq|cubic|per)\b|[a-zµΩ]{1,12}\.?(?:\^?\{?[23]\}?|²|³)?", re.IGNORECASE
)
_SCALES = {"dozen": 12, "hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
"""Words behind a number that are part of it and no unit."""
_POWER_OF_TEN = re.compile(r"(?<=\d)\s?(?:\\times|\\cdot|\*)\s{0,2}10\^(?:\{([-+]?\d{1,4})\}|([-+]?\d{1,4}))(?!\d)")
_DEGREES = re.compile(r"\^?\{?\\(?:circ|degree)\}?|°|º")
_SHAPE = re.compile(r"([-+]?)(?:(\d{1,3}(?:,\d{3})+|\d+)(\.\d*)?|(\.\d+))(?:[eE]([-+]?\d{1,4}))?(?![eE\d.])(.*)", re.DOTALL)
_RATIO = re.compile(r"([-+]?\d{1,60})/(\d{1,60})|([-+]?)\\[dt]?frac\{(\d{1,60})\}\{(\d{1,60})\}")


def tidy(text: str, *, texts: bool = True) -> str:
    r"""One way of writing: NFKC, an ASCII minus, no thin spaces, thousands together, no LaTeX around units and degrees.

    `texts`: words in \text and its like come out of it.
    """
    text = unicodedata.normalize("NFKC", in_latex(text)).replace("\u2212", "-").replace("\u2013", "-").strip()
    for space in _SPACES:
        text = text.replace(space, "" if space in {"{,}", "\\!"} else " ")
    text = _GROUPED.sub(lambda match: match[0].replace(" ", ""), _DEGREES.sub("", text))
    text = _COMMANDS.sub(r" \1", text) if texts else text
    return text.replace("\\%", "%").replace("\\$", "$").strip().rstrip(" .;")


def plain_values(text: str) -> tuple[Fraction, ...]:
    """What `text` can stand for when it is one number and a unit at most: two values with a percent sign, none when it is more.

    Thousands separators have to stand at every third digit.
    """
    if len(text) > _MOST_CHARACTERS:
        return ()
    text = tidy(text).strip(_CURRENCY + " ")
    if ratio := _RATIO.fullmatch(text):
        above, below = (int(ratio[1]), int(ratio[2])) if ratio[1] else (int(ratio[3] + ratio[4]), int(ratio[5]))
        return (Fraction(above, below),) if below else ()
    if text[:1] in "-+" and text[1:2] in _CURRENCY:
        text = text[:1] + text[2:]
    shape = _SHAPE.fullmatch(_POWER_OF_TEN.sub(lambda match: f"e{match[1] or match[2]}", text, count=1))
    if shape is None or abs(int(shape[5] or 0)) > _MOST_EXPONENT:
        return ()
    sign, whole, decimals, bare, exponent, rest = shape.groups()
    value = Fraction(sign + (whole or "0").replace(",", "") + (decimals or bare or "").rstrip(".")) * Fraction(10) ** int(exponent or 0)
    rest = rest.strip()
    if rest.startswith("%") or rest.casefold() in {"percent", "per cent"}:
        return (value, value / 100) if rest.strip("% .").casefold() in {"", "percent", "per cent"} else ()
    words = rest.replace("/", " ").split()
    if words and (scale := _SCALES.get(words[0].casefold().rstrip("s"))):
        value, words = value * scale, words[1:]
    return (value,) if len(words) <= 3 and all(_WORDS.fullmatch(word) for word in words) and not _variable(rest) else ()


def _variable(rest: str) -> bool:
    """Whether what follows the number is a letter of algebra rather than a unit."""
    return rest in {"a", "b", "c", "e", "i", "j", "k", "n", "p", "q", "r", "t", "u", "v", "w", "x", "y", "z"}
