"""Whether a reply names an option only to say that it is not the answer."""

from __future__ import annotations

import re

_WINDOW = 72
"""Characters before and after a mention that are looked at."""
_MOST = 64
"""Mentions that are looked at: a reply of nothing else must not take seconds."""
_NEGATION = (
    r"\b(?:not|never|neither|nor|cannot|except|excluding|exclude[ds]?|(?:anything|all|everything) but|"
    r"other than|rather than|instead of|rul(?:e|ed|es|ing) out|eliminat(?:e|ed|es|ing))|n['’]t|不是|并非|不选|不選|排除"
)
_DISBELIEF = (
    r"(?:n['’]t|\bnot|\bnever|\bcannot)\s+(?:(?:really|even|honestly)\s+)?"
    r"(?:think|believe|suppose|agree|choose|pick|select|see (?:how|why))\b"
    r"|\b(?:would|could|can)(?:n['’]t|\s?not)\s+(?:say|go (?:with|for))\b"
    r"|(?<!\bno )(?<!\ba )(?<!\bany )(?<!\bbeyond )\bdoubt(?:s|ed|ful)?\b|\bunlikely\b|\bno way\b"
)
"""Words that deny the whole clause behind them."""
_WRONG_ONE = r"\b(?:wrong|incorrect|false)\s+(?:answer|option|choice|letter)\b:?"
_CLAUSE = r"(?:\s+(?!(?:but|so|because|since|as|if|hence|thus|and|therefore)\b)[\w'’]+){0,7}"
"""The rest of a clause: no punctuation, nothing that begins another."""
_FILLING = r"(?:\s+(?:be|is|the|a|an|answer|option|choice|letter|possibly|really|actually|even)\b){0,4}"
_BEFORE = re.compile(rf"(?:(?:{_NEGATION}|{_WRONG_ONE}){_FILLING}|(?:{_DISBELIEF}){_CLAUSE})[\s:(\[*_\"'`“‘]*\Z", re.IGNORECASE)
_AFTER = re.compile(
    r"[)\]}*_.\"'`”’]*(?:,?\s*which)?\s*(?:"
    r"(?:is|are|was|looks|seems|can|could|would|must|should|do|does)(?:n['’]t|not)?(?:\s+be)?(?:\s+(?:clearly|obviously|definitely|also))?"
    r"(?:(?<=n['’]t)|(?<=cannot)|(?<=n['’]t be)|(?<=cannot be)"
    r"|\s+(?:not|wrong|incorrect|false|invalid|impossible|unlikely|excluded|eliminated|ruled out))\b"
    r"|不对|不是|错|不正确|是错)",
    re.IGNORECASE,
)


def denied(text: str, start: int, end: int) -> bool:
    """Whether what stands at `start` to `end` is denied before it ("not B", "I doubt it is B") or right after it ("B is wrong")."""
    return denied_before(text, start) or _AFTER.match(text[end : end + _WINDOW]) is not None


def denied_before(text: str, place: int) -> bool:
    """Whether what stands before `place` denies what comes there."""
    return _BEFORE.search(text[max(0, place - _WINDOW) : place]) is not None


def only_denied(text: str, mentions: list[tuple[int, int]]) -> bool:
    """Whether there are mentions, and each of the last ones is denied."""
    return bool(mentions) and all(denied(text, start, end) for start, end in mentions[-_MOST:])
