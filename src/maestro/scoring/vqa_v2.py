"""VQA v2: its normalisation of punctuation, articles, number words and contractions, and its agreement with ten annotators."""

from __future__ import annotations

import re

from maestro.scoring.boxed import MAX_CHARACTERS
from maestro.scoring.score import Score, judged

_PUNCTUATION = ';/[]"{}()=+\\_-><@`,?!'
_COMMA_IN_NUMBER = re.compile(r"\d,\d")
_FULL_STOP = re.compile(r"\.(?!\d)")
"""Also behind a number: the official pattern means to spare it there, but its look-behind is misspelt."""
_ARTICLES = frozenset({"a", "an", "the"})
_NUMBERS = {word: str(value) for value, word in enumerate(re.findall(r"\w+", "zero one two three four five six seven eight nine ten"))} | {
    "none": "0"
}
_CONTRACTED = re.findall(
    r"[\w']+",
    "ain't aren't can't could've couldn't didn't doesn't don't hadn't hasn't haven't he'd he's how'd how'll how's i'd i'm i've isn't it'd "
    "it'll let's ma'am might've mightn't must've mustn't needn't not've o'clock oughtn't shan't she'd she's should've shouldn't somebody'd "
    "somebody'll somebody's someone'd someone'll someone's something'd something'll that'd that's there'd there're there's they'd they'll "
    "they're they've 'twas wasn't we'd we've weren't what'll what're what's what've when's where'd where's where've who'd who'll who's "
    "who've why'll why're why's won't would've wouldn't y'all you'd you'll you're you've",
)
_CONTRACTIONS = {word.replace("'", ""): word for word in _CONTRACTED if word.replace("'", "") not in {"id", "hed", "shed", "wed", "well"}}
_NEEDED = 3
"""Annotators who say the same for full marks."""
_ANNOTATORS = 10


def vqa_v2(prediction: str, references: tuple[str, ...]) -> Score:
    """With fewer than ten references equality with any; with ten the mean of min(1, matches / 3), leaving each annotator out in turn."""
    given = normalise(prediction)
    if not given:
        return judged("vqa_v2", None, 0, "no answer")
    same = [given == normalise(reference) for reference in references]
    if len(references) < _ANNOTATORS:
        return judged("vqa_v2", given, any(same), "equal" if any(same) else "no reference is equal")
    matches = sum(same)
    value = sum(min(1.0, (matches - one) / _NEEDED) for one in same) / len(same)
    return judged("vqa_v2", given, value, f"{matches} of {len(same)} annotators")


def normalise(text: str) -> str:
    """The form in which answers are compared."""
    text = text[-MAX_CHARACTERS:].replace("\n", " ").replace("\t", " ").strip()
    has_number = _COMMA_IN_NUMBER.search(text) is not None
    original = text
    for mark in _PUNCTUATION:
        removed = has_number or f"{mark} " in original or f" {mark}" in original
        text = text.replace(mark, "" if removed else " ")
    words = (_NUMBERS.get(word, word) for word in _FULL_STOP.sub("", text).lower().split())
    return " ".join(_CONTRACTIONS.get(word, word) for word in words if word not in _ARTICLES)
