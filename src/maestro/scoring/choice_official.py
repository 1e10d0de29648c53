"""Multiple choice as some benchmarks' own scripts read it, where that differs from `maestro.scoring.choice`."""

from __future__ import annotations

import json
import re

from maestro.scoring.boxed import MAX_CHARACTERS
from maestro.scoring.choices import Choices, choices_of, gold_letters
from maestro.scoring.edit_distance import edit_distance
from maestro.scoring.score import Score, judged

_MMMU_ENDS = (",", ".", "!", "?", ";", ":", "'")
_MMMU_WORDS = 5
"""Replies of more words than this are searched for option texts."""
_TRIGGER = re.compile(r"(?i:therefore, among [A-Z] through [A-Z], the answer is)| answer is ")
_RANGE = re.compile(r"\b[A-Z] (?:through|thru|to) [A-Z]\b")
_GPT3_STATEMENT = re.compile(r"The answer is ([A-Z])\.")
_QUOTED = 'The answer is "'
_LETTER_IN_PARENTHESES = re.compile(r"\(([a-zA-Z])\)")
_NO_GOLD = "the reference is no letter, text or index of an option"


def mmmu(prediction: str, references: tuple[str, ...], *, options: tuple[str, ...] = ()) -> Score:
    """MMMU's `parse_multi_choice_response`: "(A)" forms, then " A ", then option texts; of several the last one; none scores 0."""
    choices = choices_of(options, references)
    text = prediction[-MAX_CHARACTERS:]
    for mark in _MMMU_ENDS:
        text = text.strip(mark)
    text = f" {text} "
    lowered = text.lower()
    places = {letter: text.rfind(f"({letter})") for letter in choices.letters}
    if max(places.values()) < 0:
        places = {letter: text.rfind(f" {letter} ") for letter in choices.letters}
    if max(places.values()) < 0 and len(text.split()) > _MMMU_WORDS:
        places = {
            letter: lowered.rfind(option.lower()) if option else -1 for letter, option in zip(choices.letters, choices.texts, strict=True)
        }
    last = max(places, key=lambda letter: places[letter])
    if places[last] < 0:
        return judged("mmmu", None, 0, "no option can be read")
    several = sum(place >= 0 for place in places.values()) > 1
    return _by_letter("mmmu", last, references, choices, "the last of several options" if several else "the only option")


def medxpertqa(prediction: str, references: tuple[str, ...], *, options: tuple[str, ...] = (), least: int = 5) -> Score:
    """MedXpertQA: what follows the trigger sentence or " answer is ", without "A through E", its first letter that stands alone."""
    choices = choices_of(options, references, least)
    text = prediction[-MAX_CHARACTERS:]
    triggers = list(_TRIGGER.finditer(text))
    if triggers:
        text = text[triggers[-1].end() :]
    found = re.search(rf"\b([{choices.letters}])\b", _RANGE.sub(" ", text))
    if found is None:
        return judged("medxpertqa", None, 0, "no letter of an option stands alone")
    return _by_letter("medxpertqa", found[1], references, choices, "the first letter that stands alone")


def scienceqa(prediction: str, references: tuple[str, ...], *, options: tuple[str, ...] = ()) -> Score:
    """ScienceQA in LLaVA's style: the whole reply is the letter, in any case, or it starts with "X."."""
    choices = choices_of(options, references, 5)
    text = prediction.strip()
    letter = text.upper() if len(text) == 1 else text[0] if text[1:2] == "." and text[0].isupper() else None
    if letter is None:
        return judged("scienceqa", None, 0, 'the reply is no letter and does not start with "X."')
    return _by_letter("scienceqa", letter, references, choices, "the reply is or starts with the letter", index_first=True)


def scienceqa_gpt3(prediction: str, references: tuple[str, ...], *, options: tuple[str, ...] = ()) -> Score:
    """ScienceQA's first script: exactly one "The answer is X."; anything else, a random option there, scores 0."""
    choices = choices_of(options, references, 5)
    found = _GPT3_STATEMENT.findall(prediction[-MAX_CHARACTERS:])
    if len(found) != 1:
        return judged("scienceqa_gpt3", None, 0, f'{len(found)} times "The answer is X."')
    return _by_letter("scienceqa_gpt3", found[0], references, choices, "stated once", index_first=True)


def msearth(prediction: str, references: tuple[str, ...], *, options: tuple[str, ...] = ()) -> Score:
    """MSEarth: the "answer" of a JSON reply; a leading letter and a non-word, compared in its case, else the whole text."""
    choices = choices_of(options, references)
    right = gold_letters(references, choices)
    answer = _json_answer(prediction[-MAX_CHARACTERS:]).strip()
    if not answer:
        return judged("msearth", None, 0, "no answer")
    if re.match(rf"[{choices.letters}{choices.letters.lower()}](?:\W|$)", answer):
        small = {one.strip() for one in references} & set(choices.letters.lower())
        hit = answer[0] in (small or right)  # a gold that is no letter stands for its capital
        return judged("msearth", answer[0], hit, "the leading letter, in its case")
    accepted = {reference.strip() for reference in references} | {choices.text(letter).strip() for letter in right}
    return judged("msearth", answer, answer in accepted - {""}, "the whole text")


def mathvista(prediction: str, references: tuple[str, ...], *, options: tuple[str, ...] = ()) -> Score:
    """MathVista's choices: "(X)" or a bare capital letter, else the option at the least edit distance; texts are compared.

    Raises MissingDependency without rapidfuzz.
    """
    choices = choices_of(options, references)
    right = gold_letters(references, choices, text_first=True)
    text = quoted_answer(prediction[-MAX_CHARACTERS:]).strip()
    if not text:
        return judged("mathvista", None, 0, "no answer")
    if not any(choices.texts):
        match = _LETTER_IN_PARENTHESES.search(text)
        text = match[1].upper() if match else text
        return judged("mathvista", text, text in right, "the letter, as there are no options")
    letter, reason = _mathvista_letter(text, choices)
    option = choices.text(letter)
    accepted = {choices.text(one) for one in right} | set(references)
    return judged("mathvista", option, option in accepted, reason)


def quoted_answer(text: str) -> str:
    """What stands in quotes in MathVista's sentence `The answer is "…".`, else the whole text. Linear."""
    for line in text.splitlines():
        start = line.find(_QUOTED)
        end = line.rfind('".') if start >= 0 else -1
        if end >= start + len(_QUOTED):
            return line[start + len(_QUOTED) : end]
    return text


def _mathvista_letter(text: str, choices: Choices) -> tuple[str, str]:
    match = _LETTER_IN_PARENTHESES.search(text)
    extracted = match[1].upper() if match else text
    if len(extracted) == 1 and extracted in choices.letters:
        return extracted, "the letter"
    nearest = min(choices.letters, key=lambda letter: edit_distance(extracted, choices.text(letter)))
    return nearest, "the option at the least edit distance"


def _json_answer(text: str) -> str:
    """The value of "answer" of the JSON object in a reply, else the reply."""
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        return text
    try:
        found = json.loads(text[start : end + 1])
    except (ValueError, RecursionError):
        return text
    answer = found.get("answer") if isinstance(found, dict) else None
    return str(answer) if isinstance(answer, str | int | float) else text if answer is None else ""


def _by_letter(rule: str, letter: str, references: tuple[str, ...], choices: Choices, reason: str, *, index_first: bool = False) -> Score:
    right = gold_letters(references, choices, index_first=index_first)
    return judged(rule, letter, letter in right, reason if right else _NO_GOLD)
