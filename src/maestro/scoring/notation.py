"""Mathematics that is typed in characters (², ½, √3, π, ×), rewritten in LaTeX."""

from __future__ import annotations

import re
import unicodedata

_SMALL = "⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹"
_RAISED = re.compile(rf"[{_SMALL}]+")
_LOWERED = str.maketrans(_SMALL, "+-0123456789")
_FRACTION = re.compile("[¼½¾⅐-⅞]")
_ROOT = re.compile(r"√\s?(?:\(([^()]{1,80})\)|(\d{1,60}(?:\.\d{1,60})?|[A-Za-z]|π))")
_SIGNS = str.maketrans(
    {"π": "\\pi ", "×": "\\times ", "·": "\\cdot ", "÷": "\\div ", "∞": "\\infty ", "≤": "\\leq ", "≥": "\\geq ", "≈": "\\approx "}
)
_TYPED = re.compile(f"[{_SMALL}¼½¾⅐-⅞√π×·÷∞≤≥≈]")


def in_latex(text: str) -> str:
    """The text with such characters as LaTeX; all other text is left alone. Linear.

    It goes before any compatibility normalisation, which would make 52 of 5² and 31/2 of 3½.
    """
    if not _TYPED.search(text):
        return text
    text = _RAISED.sub(lambda match: f"^{{{match[0].translate(_LOWERED)}}}", text)
    text = _FRACTION.sub(_as_fraction, text)
    text = _ROOT.sub(lambda match: f"\\sqrt{{{match[1] or match[2]}}}", text)
    return text.translate(_SIGNS)


def _as_fraction(match: re.Match[str]) -> str:
    above, below = unicodedata.normalize("NFKC", match[0]).split("\u2044")
    return f"\\frac{{{above}}}{{{below}}}"
