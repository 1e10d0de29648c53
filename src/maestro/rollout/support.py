"""Whether an expert gave the answer: a policy may also answer in words of its own, and a reader has to be told."""

from __future__ import annotations

import re
import string
from collections.abc import Sequence

from maestro.types import Observation, Turn

_LETTER = re.compile(r"\(?([A-Za-z])[).:]?")


def supported(answer: str, turns: Sequence[Turn], choices: Sequence[str] = ()) -> bool:
    """Whether what a call of these turns gave is the answer, holds it or is held by it, as whole words in any case.

    A region, an expression or code supports only an answer that is the same. A letter of `choices` stands for its choice. It says who
    said the answer, not whether it is right.
    """
    forms = [form for form in (_folded(answer), _folded(_choice(answer, choices))) if form]
    given = [turn.observation for turn in turns if turn.observation is not None and turn.observation.status == "ok"]
    return any(_says(observation, form) for observation in given for form in forms)


def _says(observation: Observation, answer: str) -> bool:
    said = _folded(_said(observation))
    if not said:
        return False
    if said == answer or _number(said) == _number(answer) is not None:
        return True
    return observation.gives == "answer" and (_holds(answer, said) or _holds(said, answer))


def _said(observation: Observation) -> str:
    """The value where the text is laid out in lines; a message counts as a whole, for a policy reads all of it."""
    value = observation.value
    in_lines = observation.text.startswith(f"{observation.gives}: ")
    return (value or "") if in_lines or not observation.text else observation.text


def _holds(text: str, part: str) -> bool:
    """Whether the part stands in the text as whole words; 5 does not stand in 15 or 2.5."""
    return re.search(rf"(?<![\w.]){re.escape(part)}(?!\w|[.,]\d)", text) is not None


def _choice(answer: str, choices: Sequence[str]) -> str:
    found = _LETTER.fullmatch(answer.strip())
    place = string.ascii_uppercase.index(found[1].upper()) if found else len(choices)
    return choices[place] if place < len(choices) else ""


def _folded(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .,;:!\"'")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
