"""Control text: what a policy or a chat template would read as a command, made harmless in text that others wrote."""

from __future__ import annotations

import re
from collections.abc import Iterable

TAGS = ("<think>", "</think>", "<search>", "</search>", "<answer>", "</answer>", "<information>", "</information>")
"""The grammar tags of the dialects `maestro` and `maestro-4b`."""

_WORDS = (
    "think|search|answer|information|tool_call|tool_calls|tool_response|tools|function|parameter|arg_key|arg_value|observation|s|bos|eos|pad"
    "|unk|mask|sop|eop|start_of_turn|end_of_turn|start_of_image|end_of_image|image_soft_token|image|video|img|IMG_CONTEXT|box|ref|quad"
)
"""Names between angle brackets that model families use as control tokens."""
_SQUARE = (
    "INST|TOOL_CALLS|TOOL_RESULTS|AVAILABLE_TOOLS|TOOL_CONTENT|SYSTEM_PROMPT|THINK|ARGS|CALL_ID|IMG|IMG_BREAK|IMG_END|PREFIX|SUFFIX|MIDDLE"
    "|gMASK|sMASK|MASK|CLS|SEP|PAD|UNK|BOS|EOS"
)
"""Names between square brackets that they use."""

_CONTROL = re.compile(
    rf"<(?=\s*/?\s*(?:{_WORDS})\s*>|[|｜]|/?\s*function\s*=|/?\s*parameter\s*=|</?SYS>>)|(?<=[|｜])>|\[(?=/?(?:{_SQUARE})\])", re.IGNORECASE
)
_REPLACED = {"<": "‹", ">": "›", "[": "⟦"}
_BREAKS = ("\u2060", "\u200b", "\u00b7")
"""What a token is broken with, the first of these that is in none: word joiner and zero-width space are invisible, a dot is not."""


def neutralise(text: str) -> str:
    """Text that cannot become a control token, changed visibly and for good: `<answer>` reads `‹answer>`.

    The opening bracket of every grammar tag (misspelt in case or spacing too), of everything like `<|im_end|>` and of the turn and
    tool markers of the common model families, and the closing bracket of `|>`, become other brackets. Neutralising twice changes
    nothing more.
    """
    return _CONTROL.sub(lambda found: _REPLACED[found.group()], text)


class Neutraliser:
    """Neutralises for one tokenizer: besides what everybody escapes, its own special tokens, whatever they look like."""

    def __init__(self, tokens: Iterable[str]) -> None:
        """`tokens` are the texts that the tokenizer turns into a single special id wherever they stand."""
        left = sorted({token for token in tokens if token.strip() and neutralise(token) == token}, key=len, reverse=True)
        self._own = re.compile("|".join(re.escape(token) for token in left)) if left else None
        self._break = next((sign for sign in _BREAKS if not any(sign in token for token in left)), None)

    def __call__(self, text: str) -> str:
        """The text without any control token. Raises nothing; a token of one character is left out."""
        text = neutralise(text)
        while self._own is not None and self._own.search(text):  # what stood over two tokens is one behind a broken one: ^^^^
            text = self._own.sub(self._broken, text)
        return text

    def _broken(self, found: re.Match[str]) -> str:
        """A token that is no longer one: its bracket replaced, or something invisible behind its first character, else nothing at all."""
        token = found.group()
        if token[0] in _REPLACED:
            return _REPLACED[token[0]] + token[1:]
        return token[0] + self._break + token[1:] if len(token) > 1 and self._break else ""
