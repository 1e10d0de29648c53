r"""Multiple choice: the letter that a reply settles on.

In this order: the whole reply is a letter, in any of the usual wrappers, or an option's text; the last explicit statement
("the answer is B", "答案是B"), else "B is the answer"; a letter at the start ("B.", "B)", "(B)"); the only capital letter that
stands alone; the only option whose text occurs. A reply that names several and does not settle on one has no letter: nothing is
guessed. Nor has one that names an option only to deny it ("not B", "B is wrong", "I doubt the answer is B").

The article "A" and the pronoun "I" are no letters where a word follows that no letter stands before ("A dog runs"). Public
extractors read option A there; this is the one deviation.
"""

from __future__ import annotations

import re
from collections import deque
from functools import partial
from typing import NamedTuple

from maestro.scoring.boxed import MAX_CHARACTERS
from maestro.scoring.choices import Choices, choices_of, folded, gold_letters, narrow
from maestro.scoring.denial import denied, denied_before, only_denied
from maestro.scoring.score import Score, judged

_COMMANDS = re.compile(r"\\(?:boxed|fbox|text(?:bf|it|rm)?|math(?:rm|bf|sf))\b")
_WRAPPERS = " \t\r\n()[]{}<>*.:,;!$'\"`_~#“”‘’"
_BARE_LENGTH = 80
_TAIL = 240
"""Characters after "the answer is" in which the letter or option has to begin."""
_STATEMENTS = 64
"""The last ones that are looked at: a reply of nothing but "the answer is" must not take seconds."""

_SUBJECT = r"\b(?:answers?|(?:correct|right|best|final)\s+(?:option|choice))\b"
_STATEMENT = re.compile(rf"(?i:{_SUBJECT}[*_\"']*\s*+(?:(?:is|are|was|would be|should be|must be)\b|[:=]))|答案|选|選")
_OPEN = r"[\s:=*_$\"'`“”‘’(\[{<#]*"
_NOUN = rf"(?:(?i:the\s+)?(?i:\boption|\bchoice|\bletter|\bis\b|选项|選項|项|項|是|为|為|应为|择|擇){_OPEN})*"
_STATED = re.compile(rf"{_OPEN}{_NOUN}([A-Za-z])(?![A-Za-z0-9_])(?!['’\-][A-Za-z])")
_CLOSED = re.compile(r"[)\]}>*_$\"'`”’]*\s*(?:[.,;:]|\n|\Z)")
"""No word stands behind a letter."""
_NAMED_FIRST = re.compile(
    r"(?<![A-Za-z0-9_])([A-Z])[)\]}*_]{0,4}\s{1,3}(?i:is|would be|must be|should be)\s{1,3}the\s{1,3}"
    r"(?i:(?:only|most|one|correct|right|best|final|likely)\s{1,3}){0,2}(?i:answer|option|choice)\b"
)
_JOINED = re.compile(
    r"[\s)\]}*_.$\"'`]*(?:(?:[,/&|、或和及]|\bor\b|\band\b|\band/or\b)\s*)+(?:(?i:option|choice)\s+)?[(\[*_$\"'`]*([A-Z])(?![A-Za-z0-9_'’])"
)
_MARK = re.compile(r"(?<![A-Za-z0-9_])(?:\(([A-Z])\)|([A-Z])[.):])(?![A-Za-z0-9])")
_JOINTS = ("or", "and", "/", ",", "&", "或", "和", "、", "及")
_ALONE = re.compile(r"(?<![A-Za-zÀ-ɏ0-9_°\-])(?<![A-Za-z]['’.])([A-Z])(?![A-Za-zÀ-ɏ0-9_])(?!['’\-][A-Za-z])")
_WORD_NEXT = re.compile(r"['’]?[ \t]+([a-z]+)")
_AFTER_A_LETTER = frozenset(
    re.findall(
        r"\w+",
        "is was are isn because since as and or for given based seems looks appears matches fits has would must should can could may might "
        "will but with by in from not if when due then vs versus also",
    )
)
_DENIED = "the only option named is denied"
_SENTENCE_ENDS = ".!?:;\n\"'“([*-"


class Reading(NamedTuple):
    """What a reply settles on."""

    letter: str | None
    reason: str


def choice(
    prediction: str, references: tuple[str, ...], *, options: tuple[str, ...] = (), lower_case: bool = False, least: int = 4
) -> Score:
    """1 when the reply settles on a right letter. `lower_case`: a bare lower-case letter counts; `least`: letters without options."""
    choices = choices_of(options, references, least)
    right = gold_letters(references, choices)
    if not right:
        return judged("choice", None, 0, "the reference is no letter, text or index of an option")
    letter, reason = read_choice(prediction, choices, lower_case=lower_case)
    return judged("choice", letter, letter in right, reason)


def read_choice(reply: str, choices: Choices, *, lower_case: bool = False, figures: bool = False) -> Reading:
    """The letter a reply settles on, by the order above. Linear in the reply's length.

    `figures`: the question is about a drawing. Then a capital in a reply with numbers in it is a point as often as an option, and an
    option's text may be any number on the way, so that neither counts there unless it is stated.
    """
    reply = narrow(reply[-MAX_CHARACTERS:]).strip()
    if (letter := _bare(reply, choices, lower_case=lower_case)) is not None:
        return Reading(letter, "the whole reply is a letter")
    if (letter := choices.letter_of(_COMMANDS.sub("", reply[:2000]).strip(_WRAPPERS))) is not None and len(reply) < 2000:
        return Reading(letter, "the whole reply is an option")
    working = figures and any(map(str.isdigit, reply))
    stated = partial(_stated, lower_case=lower_case)
    for read in (stated, _named_first, _at_start) if working else (stated, _named_first, _at_start, _alone, _by_text):
        if (reading := read(reply, choices)) is not None:
            return reading
    return Reading(None, "no option can be read")


def _bare(reply: str, choices: Choices, *, lower_case: bool) -> str | None:
    if len(reply) > _BARE_LENGTH:
        return None
    core = _COMMANDS.sub("", reply).strip(_WRAPPERS)
    core = core.upper() if lower_case else core
    return core if len(core) == 1 and core in choices.letters else None


def _stated(reply: str, choices: Choices, *, lower_case: bool) -> Reading | None:
    """The last explicit statement that names an option. `lower_case`: "the answer is b" does, where no word follows."""
    for statement in reversed(deque(_STATEMENT.finditer(reply), maxlen=_STATEMENTS)):
        tail = _COMMANDS.sub("", reply[statement.end() : statement.end() + _TAIL])
        if denied_before(reply, statement.end()):
            continue
        match = _STATED.match(tail)
        letter = match[1] if match else ""
        if match and lower_case and _CLOSED.match(tail, match.end()):
            letter = letter.upper()
        if match and letter and letter in choices.letters and not _is_word(tail, match, choices):
            other = _JOINED.match(tail, match.end())
            if other and other[1] in choices.letters and other[1] != letter:
                return Reading(None, "the answer is stated as several letters")
            return Reading(letter, "stated as the answer")
        if (by_text := _stated_text(tail, choices)) is not None:
            return Reading(by_text, "its text is stated as the answer")
    return None


def _named_first(reply: str, choices: Choices) -> Reading | None:
    """The one letter that is called the answer."""
    named: dict[str, list[tuple[int, int]]] = {}
    for match in _NAMED_FIRST.finditer(reply):
        if match[1] in choices.letters:
            named.setdefault(match[1], []).append(match.span(1))
    found = [letter for letter, mentions in named.items() if not only_denied(reply, mentions)]
    return Reading(found.pop(), "called the answer") if len(found) == 1 else None


def _stated_text(tail: str, choices: Choices) -> str | None:
    """The option whose text begins a statement and is the only one in its sentence."""
    sentence = re.split(r"\n|\.\s", tail.lstrip(_WRAPPERS), maxsplit=1)[0]
    sentence = re.sub(r"^(?:the|a|an)\s+", "", sentence, flags=re.IGNORECASE)
    found = choices.contained(sentence)
    if len(found) != 1:
        return None
    letter = next(iter(found))
    return letter if narrow(sentence).casefold().startswith(choices.text(letter).casefold().strip()) else None


def _at_start(reply: str, choices: Choices) -> Reading | None:
    """A marked letter at the very start, unless others are listed beside it."""
    text = _COMMANDS.sub("", reply).lstrip(" \t\r\n*_#>`$\"'{[-")
    first = _MARK.match(text)
    if first is None or (letter := first[1] or first[2]) not in choices.letters or denied(text, first.start(), first.end()):
        return None
    joined = _JOINED.match(text, first.end())
    if joined and joined[1] in choices.letters and joined[1] != letter:
        return Reading(None, "several letters, none stated as the answer")
    marked, unsaid = {letter}, ("", folded(choices.text(letter)))
    for mark in _MARK.finditer(text, first.end()):
        other = mark[1] or mark[2]
        if other == letter or other not in choices.letters:
            continue
        marked.add(other)
        before = text[max(0, mark.start() - 16) : mark.start()].rstrip(" \t*_>-#\"'`$([")
        if before.endswith(("\n", *_JOINTS)) or len(marked) == len(choices.letters) or folded(text[first.end() : mark.start()]) in unsaid:
            return Reading(None, "options are listed, none stated as the answer")
    return Reading(letter, "the reply starts with the letter")


def _alone(reply: str, choices: Choices) -> Reading | None:
    """The only capital letter that stands alone."""
    text = _COMMANDS.sub(" ", reply)
    mentions = [match for match in _ALONE.finditer(text) if match[1] in choices.letters and not _is_word(text, match, choices)]
    found = {match[1] for match in mentions}
    if len(found) == 1:
        if only_denied(text, [match.span(1) for match in mentions]):
            return Reading(None, _DENIED)
        return Reading(found.pop(), "the only letter that stands alone")
    return Reading(None, "several letters, none stated as the answer") if found else None


def _by_text(reply: str, choices: Choices) -> Reading | None:
    """The only option whose text occurs, unless the reply is far longer than the options."""
    limit = max(48, 2 * sum(map(len, choices.texts)))
    if len(reply) > limit:
        return Reading(None, "no letter, and too long to be read as an option")
    found = choices.contained(reply)
    if len(found) == 1:
        letter, text = next(iter(found)), folded(reply)
        own = re.escape(folded(choices.text(letter)))
        if only_denied(text, [match.span() for match in re.finditer(own, text)]):
            return Reading(None, _DENIED)
        return Reading(letter, "the only option whose text occurs")
    return Reading(None, "several options occur") if found else None


def _is_word(text: str, match: re.Match[str], choices: Choices) -> bool:
    """Whether the letter is the article "A" or the pronoun "I": a word follows that does not follow a letter."""
    letter = match[1]
    if letter not in "AI":
        return False
    if letter == "I" and text[match.end() : match.end() + 1] in ("'", "’"):
        return True
    following = _WORD_NEXT.match(text, match.end())
    if following is None or following[1] in _AFTER_A_LETTER:
        return False
    own = choices.text(letter).casefold()
    if own and text[match.end() : match.end() + len(own) + 8].strip().casefold().startswith(own):
        return False
    before = text[max(0, match.start(1) - 4) : match.start(1)].rstrip(" \t")
    return letter == "I" or not before or before[-1] in _SENTENCE_ENDS
