"""Reasoning blocks of thinking models, taken out of what they say."""

from __future__ import annotations

import re

_BLOCK = re.compile(r"<(think|thinking)>(.*?)</\1>", re.DOTALL | re.IGNORECASE)
_OPEN = re.compile(r"<(?:think|thinking)>", re.IGNORECASE)
_CLOSE = re.compile(r"</(?:think|thinking)>", re.IGNORECASE)


def split_thinking(text: str) -> tuple[str, str]:
    """(reply, reasoning) of a message.

    Handles closed blocks anywhere, a block without its opening tag (chat templates that write `<think>` into the prompt) and
    one that was never closed because the tokens ran out: nothing of it is a reply.
    """
    if "<" not in text:
        return text.strip(), ""
    thoughts = [found[2] for found in _BLOCK.finditer(text)]
    reply = _BLOCK.sub("", text)
    if closings := list(_CLOSE.finditer(reply)):
        thoughts.append(_CLOSE.sub("", reply[: closings[-1].start()]))
        reply = reply[closings[-1].end() :]
    if opening := _OPEN.search(reply):
        thoughts.append(reply[opening.end() :])
        reply = reply[: opening.start()]
    return reply.strip(), "\n".join(thought.strip() for thought in thoughts)
