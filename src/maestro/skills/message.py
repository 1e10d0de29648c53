"""Messages of served models: what they say once the thinking is taken off, and the JSON or code in them."""

from __future__ import annotations

import re
from typing import Any

import orjson

_FENCED = re.compile(r"^[ \t]*```(?P<language>[\w+-]*)[ \t]*\n(?P<inside>.*?)^[ \t]*```[ \t]*$", re.DOTALL | re.MULTILINE)
_MOST_CHARACTERS = 200_000


def final_text(reply: str) -> str:
    """A reply without its thinking.

    Everything up to the last `</think>` goes, also when the template and not the model wrote the opening tag. A thought that is
    never closed was cut off: what stands before it is all there is.
    """
    spoken = reply.rpartition("</think>")[2]
    return spoken.partition("<think>")[0].strip()


def last_line(text: str) -> str | None:
    """The last line that is not blank."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), None)


def fenced_blocks(text: str, language: str) -> list[str]:
    """What stands in closed code fences of a language (in any case)."""
    return [found["inside"].rstrip() for found in _FENCED.finditer(text) if found["language"].casefold() == language]


def json_value(text: str) -> Any:
    """The JSON value that a message is, or has in its first code fence. Nothing is evaluated or repaired.

    Raises ValueError saying why there is none.
    """
    if len(text) > _MOST_CHARACTERS:
        raise ValueError(f"{len(text)} characters are too many for a list of boxes")
    fence = next((found for found in _FENCED.finditer(text) if found["language"].casefold() in {"", "json"}), None)
    try:
        return orjson.loads(fence["inside"] if fence else text.strip())
    except orjson.JSONDecodeError as error:
        raise ValueError(f"no JSON: {error}") from None


def quoted(text: str) -> str:
    """Foreign text for a prompt: chat markers such as `<|im_end|>` in it become harmless."""
    return text.replace("<|", "‹|").strip()
