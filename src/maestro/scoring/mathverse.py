"""MathVerse without its two judges: an approximation by rule, which is not the published score and says so in its name."""

from __future__ import annotations

from maestro.scoring.boxed import last_box, tail
from maestro.scoring.choice import read_choice
from maestro.scoring.choices import Choices, choices_of
from maestro.scoring.mathematics import math
from maestro.scoring.score import Score

_RULE = "mathverse (rule-only)"


def mathverse(prediction: str, references: tuple[str, ...], *, options: tuple[str, ...] = ()) -> Score:
    """1 when the reply is a reference word for word (the project's quick match), states the right letter, or is equal as mathematics."""
    text = tail(prediction).strip()
    if text and text in {reference.strip() for reference in references}:
        return Score(score=1.0, extracted=text[:500], rule=_RULE, reason="quick match")
    choices = choices_of(options, references)
    right = {letter for one in references if (letter := _letter(one.strip(), choices)) is not None}
    if right:
        box = last_box(text)
        letter, reason = read_choice(text if box is None else box, choices, lower_case=True, figures=True)
        if letter is not None:
            return Score(score=float(letter in right), extracted=letter, rule=_RULE, reason=reason)
    values = tuple(one for one in references if one.strip() not in right)
    values += tuple(option for letter in sorted(right) if (option := choices.text(letter)) and option not in values)
    if not values:
        return Score(score=0.0, rule=_RULE, reason="no letter is stated")
    return math(prediction, values).model_copy(update={"rule": _RULE})


def _letter(gold: str, choices: Choices) -> str | None:
    """The option that a reference means: a capital letter or an option's text. A number is an answer here, never an index."""
    return gold if len(gold) == 1 and gold in choices.letters else choices.letter_of(gold)
