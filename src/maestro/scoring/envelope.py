"""The envelope around an answer: reasoning blocks and answer tags, removed before any metric.

Rule: drop `<think>…</think>` blocks; when only a closing tag is there keep what follows the last one; then, if
`<answer>` blocks exist, keep the last. An unclosed `<think>` is left alone.
"""

from __future__ import annotations

OPEN_THINK, CLOSE_THINK = "<think>", "</think>"
OPEN_ANSWER, CLOSE_ANSWER = "<answer>", "</answer>"


def unwrap(text: str) -> str:
    """The answer inside `text`, stripped of surrounding white space. Linear in the length of `text`."""
    text = _without_thoughts(text)
    close = text.rfind(CLOSE_ANSWER)
    if close >= 0:
        start = text.rfind(OPEN_ANSWER, 0, close)
        if start >= 0:
            text = text[start + len(OPEN_ANSWER) : close]
    return text.strip()


def _without_thoughts(text: str) -> str:
    kept: list[str] = []
    position = 0
    while (start := text.find(OPEN_THINK, position)) >= 0:
        end = text.find(CLOSE_THINK, start)
        if end < 0:
            break
        kept.append(text[position:start])
        position = end + len(CLOSE_THINK)
    kept.append(text[position:])
    rest = "".join(kept)
    stray = rest.rfind(CLOSE_THINK)
    return rest[stray + len(CLOSE_THINK) :] if stray >= 0 else rest
