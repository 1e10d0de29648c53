"""Whether a reply names an option only to say that it is not the answer."""

from __future__ import annotations

import re

_WINDOW = 48
"""Characters before and after a mention that are looked at."""
_MOST = 64
"""Mentions that are looked at: a reply of nothing else must not take seconds."""
_BEFORE = re.compile(
    r"(?:\b(?:not|never|neither|nor|cannot|except|excluding|exclude[ds]?|anything but|other than|rather than|instead of|"
    r"rul(?:e|ed|es|ing) out|eliminat(?:e|ed|es|ing))|n['’]t|不是|并非|不选|排除)"
    r"(?:\s+(?:be|is|the|a|an|answer|option|choice|letter)\b){0,4}[\s:(\[*_\"'`“‘]*\Z",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"[)\]}*_.\"'`”’]*\s*(?:"
    r"(?:is|are|was|looks|seems|can|could|would|must|should|do|does)(?:n['’]t|not)?(?:\s+be)?(?:\s+(?:clearly|obviously|definitely|also))?"
    r"(?:(?<=n['’]t)|(?<=cannot)|(?<=n['’]t be)|(?<=cannot be)"
    r"|\s+(?:not|wrong|incorrect|false|invalid|impossible|excluded|eliminated|ruled out))\b"
    r"|不对|不是|错|不正确|是错)",
    re.IGNORECASE,
)


def denied(text: str, start: int, end: int) -> bool:
    """Whether what stands at `start` to `end` is denied right before ("not B") or right after it ("B is wrong")."""
    return _BEFORE.search(text[max(0, start - _WINDOW) : start]) is not None or _AFTER.match(text[end : end + _WINDOW]) is not None


def only_denied(text: str, mentions: list[tuple[int, int]]) -> bool:
    """Whether there are mentions, and each of the last ones is denied."""
    return bool(mentions) and all(denied(text, start, end) for start, end in mentions[-_MOST:])
