"""MathVision's official rule: what its script reads in a reply, cleaned and compared at two decimals."""

from __future__ import annotations

from maestro.scoring.algebra import compute
from maestro.scoring.algebra.latex_text import braced_fractions, leading_zero, slash_fraction
from maestro.scoring.boxed import tail
from maestro.scoring.score import Score

_LETTERS = "ABCDE"
_PHRASES = ("the final answer is", "the answer is", "the correct answer is", "the answer should be")
_BOX = "oxed{"
_RULE = "mathvision"


def mathvision(prediction: str, references: tuple[str, ...], *, options: tuple[str, ...] = ()) -> Score:
    """1 when the cleaned answer equals a reference or, for a reference that is a letter, the option it stands for.

    Two decimals: 3.142 is pi and 0.333 a third; a unit behind a number makes it wrong. A comparison that takes too long is 0.
    """
    answer = read_answer(tail(prediction))
    wanted = list(references)
    for reference in references:
        letter = reference.strip().upper()
        if len(letter) == 1 and 0 <= (place := ord(letter) - ord("A")) < len(options):
            wanted.append(options[place])
        elif reference in options:  # a gold that is the option's value: its letter is right too
            wanted.append(chr(ord("A") + options.index(reference)))
    if not answer.strip():
        return Score(score=0.0, rule=_RULE, reason="nothing is left of the reply")
    if any(answer.strip() == one.lower().strip() for one in wanted):
        return Score(score=1.0, extracted=answer[:500], rule=_RULE, reason="equal as text")
    return _same(answer, tuple(wanted))


def read_answer(reply: str) -> str:
    """The answer that the official script reads, in lower case; the whole reply, squeezed together, when nothing marks one."""
    answer = reply.strip()
    for letter in _LETTERS:
        ends = answer.endswith((f" {letter}.", f" ({letter})."))
        if ends or answer.startswith((f"{letter}\n", f"({letter})\n", f"({letter}) {letter}\n")):
            answer = letter
    behind = answer.rsplit("is ", 1)[-1].rstrip(".")
    if _is_number(behind):
        answer = behind
    boxes = answer.count(_BOX)
    if boxes == 0:
        answer = _behind_phrases(answer)
    elif boxes > 1:
        answer = "\\b" + _BOX + answer.rsplit(_BOX, 1)[-1]
    answer = cleaned(answer)
    for letter in _LETTERS.lower():
        answer = answer.replace(f"({letter})", letter)
    for letter in _LETTERS.lower():
        answer = answer.replace(f"{{{letter}}}", letter)
    return answer.rstrip(".").lstrip(":").strip()


def _behind_phrases(answer: str) -> str:
    """What follows the last of each phrase, up to the end of its line and sentence."""
    for phrase in _PHRASES:
        for written in (phrase, phrase.replace("the", "The")):
            found = written in answer
            answer = answer.rsplit(written, 1)[-1].strip()
            if found:
                answer = answer.split("\n", 1)[0].split(". ", 1)[0]
    return answer


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def cleaned(text: str) -> str:
    """The content of the box, or the whole text, in lower case without what the official script strips."""
    text = text.lower().replace("{}", "")
    start, end = text.find(_BOX), text.rfind("}")
    answer = text[start + len(_BOX) : end] if start >= 0 and start + len(_BOX) <= end else text
    closing = answer.find("}")
    if closing >= 0 and not 0 <= answer.find("{") < closing:
        answer = answer[:closing]
    answer = answer.rsplit("=", 1)[-1].rsplit("\\approx", 1)[-1]
    for old, new in _CLEANING:
        answer = answer.replace(old, new)
    return _stripped(answer)


_CLEANING = (
    (" ", ""),
    ("\\,", ""),
    ("∞", "\\infty"),
    ("+\\infty", "\\infty"),
    ("\\\\", "\\"),
    ("\n", ""),
    ("\\text", ""),
    ("\\mbox", ""),
    ("bmatrix", "pmatrix"),
    *((gone, "") for gone in ("\\left", "\\right", "^{\\circ}", "^\\circ", "{m}^3", "m^3", "{units}", "units", "{km}", "km")),
)
_STRIPPING = (
    ("\\!", ""),
    ("\\\\", "\\"),
    ("tfrac", "frac"),
    ("dfrac", "frac"),
    *((gone, "") for gone in ("\\left", "\\right", "^{\\circ}", "^\\circ", "\\$", "$")),
)


def _stripped(text: str) -> str:
    """The second half of the cleaning, which the MATH data set's scripts share. Spaces are gone already."""
    for old, new in _STRIPPING:
        text = text.replace(old, new)
    text = leading_zero(text.replace("\\%", ""))
    for mark in ("=", "\\approx"):
        if text.count(mark) == 1:
            text = text.partition(mark)[2]
    if "sqrt" in text:
        text = _fractions_by_hand(_roots_by_hand(text))
    return slash_fraction("\\frac{1}{2}" if text == "0.5" else text)


def _roots_by_hand(text: str) -> str:
    """Roots in braces; one with nothing behind it stays."""
    head, *pieces = text.split("\\sqrt")
    return head + "".join("\\sqrt" + (f"{{{piece[0]}}}{piece[1:]}" if piece and piece[0] != "{" else piece) for piece in pieces)


def _fractions_by_hand(text: str) -> str:
    try:
        return braced_fractions(text)
    except IndexError:
        return text


def _same(answer: str, wanted: tuple[str, ...]) -> Score:
    reply = compute("mathvision", prediction=answer, references=wanted)
    if reply.error or reply.value is None:
        return Score(score=0.0, extracted=answer[:500], rule=_RULE, reason=reply.error or "no reference is equal at two decimals")
    return Score(score=1.0, extracted=answer[:500], rule=_RULE, reason=f"equals {wanted[reply.value]} at two decimals"[:300])
