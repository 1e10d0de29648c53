"""Geometry3K: boxed answers through mathruler's grading, verl's reward, and the data set's own four choices."""

from __future__ import annotations

import re
from string import ascii_uppercase

from maestro.scoring.algebra import compute
from maestro.scoring.boxed import last_box, last_number, tail
from maestro.scoring.choice import read_choice
from maestro.scoring.choices import choices_of, gold_letters
from maestro.scoring.plain_number import plain_values
from maestro.scoring.score import Score

_BOX = "\\boxed{"
_WHOLE = re.compile(r"[1-9]\d{0,14}")
_ACCURACY, _FORMAT = 0.9, 0.1
_LARGEST = 10**12
"""A number from here on is no length and no angle; far beyond, a float is as near to one option as to any other."""
_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z']{2,}")
_MOST_WORDS = 3
"""A text of more words is no number, and a second of algebra is saved."""
_OPEN, _CLOSE = "<think>", "</think>"


def geometry3k(prediction: str, references: tuple[str, ...]) -> Score:
    """1 when the content of the last box equals a reference by mathruler's rule; no box is 0, however right the number."""
    right, box, reason = _graded(tail(prediction), references)
    return Score(score=float(right), extracted=box, rule="geometry3k", reason=reason)


def geometry3k_verl(prediction: str, references: tuple[str, ...]) -> Score:
    """Reward of verl: 0.9 for the same plus 0.1 for the format, `<think>` block first and a box behind it. Sees the whole response."""
    response = tail(prediction)
    right, box, reason = _graded(response, references)
    formatted = _well_formed(prediction)
    total = _ACCURACY * right + _FORMAT * formatted
    form = "format kept" if formatted else "format broken"
    return Score(score=total, extracted=box, rule="geometry3k_verl", reason=f"{reason}; {form}")


def geometry3k_choice(prediction: str, references: tuple[str, ...], *, options: tuple[str, ...] = ()) -> Score:
    """Four-way choice: a stated letter, else the option nearest to the stated number. A reference is a letter, an index or an option.

    As in Inter-GPS a number counts only when every option has a value, and is right when no option is nearer than the right one.
    """
    choices = choices_of(options, references)
    right = gold_letters(references, choices)
    text = tail(prediction)
    box = last_box(text)
    answer = box if box is not None else text
    if not right or not answer.strip():
        reason = "no answer" if right else "the reference is no letter, index or option"
        return Score(score=0.0, rule="geometry3k_choice", reason=reason)
    letter, reason = read_choice(answer, choices, lower_case=True, figures=True)
    if letter is not None:
        return Score(score=float(letter in right), extracted=letter, rule="geometry3k_choice", reason=reason)
    return _nearest(answer.strip(), options, right)


def _graded(response: str, references: tuple[str, ...]) -> tuple[bool, str | None, str]:
    """(right, what the last box holds, why)."""
    box = _closed_box(response)
    if box is None:
        return False, None, "no box that is closed"
    if box in references:
        return True, box, "equal as text"
    if _WHOLE.fullmatch(box) and all(map(_WHOLE.fullmatch, references)):
        return False, box, "no reference is equal"
    return _by_mathruler(box, references)


def _closed_box(response: str) -> str | None:
    """The last box as mathruler reads it: every brace counts, also an escaped one."""
    start = response.rfind(_BOX)
    if start < 0:
        return None
    depth = 1
    for position in range(start + len(_BOX), len(response)):
        depth += {"{": 1, "}": -1}.get(response[position], 0)
        if depth == 0:
            return response[start + len(_BOX) : position].strip()
    return None


def _well_formed(response: str) -> bool:
    if not response.startswith(_OPEN):
        return False
    close = response.find(_CLOSE, len(_OPEN))
    box = response.find(_BOX, close + len(_CLOSE)) if close >= 0 else -1
    return box >= 0 and response.rfind("}") >= box + len(_BOX)


def _by_mathruler(box: str, references: tuple[str, ...]) -> tuple[bool, str, str]:
    reply = compute("mathruler", prediction=box, references=references)
    if reply.error or reply.value is None:
        return False, box[:500], reply.error or "no reference is equal"
    return True, box[:500], f"equals {references[reply.value]}"[:300]


def _nearest(answer: str, options: tuple[str, ...], right: frozenset[str]) -> Score:
    """The option that is nearest to the answer's number."""
    numbers = _numbers((answer, *options))
    if numbers and numbers[0] is None and (stated := last_number(answer)) is not None:
        numbers = [*(_numbers((stated,)) or [None]), *numbers[1:]]
    given, values = (numbers[0], numbers[1:]) if numbers else (None, [])
    if given is None or not values or None in values:
        reason = "no letter and no number" if given is None else "an option without a value: the number cannot be placed"
        return Score(score=0.0, extracted=answer[:200], rule="geometry3k_choice", reason=reason)
    distances = [abs(value - given) for value in values if value is not None]
    nearest = [letter for letter, distance in zip(ascii_uppercase, distances, strict=False) if distance == min(distances)]
    hit = bool(right & set(nearest))
    return Score(score=float(hit), extracted=f"{given:g}", rule="geometry3k_choice", reason=f"nearest to {' and '.join(nearest)}")


def _numbers(texts: tuple[str, ...]) -> list[float | None]:
    """The number each text stands for. Those that are not written plainly go through algebra, all in one job."""
    plain = [plain_values(text) for text in texts]
    values: list[float | None] = [float(found[0]) if found and abs(found[0]) < _LARGEST else None for found in plain]
    hard = [text[:500] for text, value in zip(texts, values, strict=True) if value is None]
    asked = [text for text in hard if len(_WORD.findall(text)) <= _MOST_WORDS]
    found = dict(zip(asked, (compute("values", texts=asked).value if asked else None) or [None] * len(asked), strict=True))
    computed = iter([found.get(text) for text in hard])
    values = [next(computed) if value is None else value for value in values]
    return [value if value is not None and abs(value) < _LARGEST else None for value in values]
