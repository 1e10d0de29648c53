"""The chat protocol of OpenAI-compatible servers: a request as bytes, a message out of a reply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from maestro.errors import InfrastructureFault, NothingSaid, PolicyFault
from maestro.experts.protocol import ExpertRequest, Reply
from maestro.experts.thinking import split_thinking
from maestro.types import Expert

_IMAGE_HEAD, _IMAGE_TAIL = b'{"type":"image_url","image_url":{"url":"', b'"}},'


def chat_head(card: Expert, sampling: Mapping[str, Any]) -> bytes:
    """A request's JSON up to its messages: the card's sampling, overlaid by the call's; None leaves a field to the server.

    A bound on the reply is always there, under the name that `extra` gives it when it has `max_completion_tokens`.
    """
    own = card.sampling
    fields = {"model": card.target, "temperature": own.temperature, "top_p": own.top_p, **own.extra, **sampling}
    bound = fields.pop("max_tokens", None) or fields.get("max_completion_tokens") or own.max_tokens
    fields["max_completion_tokens" if "max_completion_tokens" in fields else "max_tokens"] = bound
    sent = {name: value for name, value in fields.items() if value is not None and name != "keep_thinking"}
    return orjson.dumps(sent)[:-1] + b',"messages":['


def chat_body(card: Expert, head: bytes, request: ExpertRequest, urls: Sequence[bytes]) -> list[bytes]:
    """The request's JSON in parts that are sent one after the other; `urls` are data URLs, which need no escaping.

    Images go in order in front of the text of the last user message. The parts share the encoded images with every other
    request that carries them: a picture is neither copied nor escaped again. Raises PolicyFault when the request is no chat.
    """
    messages = request.arguments.get("messages")
    if request.operation != "chat" or not isinstance(messages, list) or not all(isinstance(one, dict) for one in messages):
        raise PolicyFault(f"{card.id} cannot do {request.operation}: it is a served model and does chat, with a list of messages")
    last = max((index for index, one in enumerate(messages) if one.get("role") == "user"), default=None)
    if last is None and urls:
        raise PolicyFault(f"{card.id} cannot do chat: there are images but no user message to put them in")
    if not urls or last is None:
        return [head + b",".join(map(orjson.dumps, messages)) + b"]}"]
    before = b"".join(orjson.dumps(one) + b"," for one in messages[:last])
    after = b"".join(b"," + orjson.dumps(one) for one in messages[last + 1 :])
    parts = [head + before + _opening(messages[last]) + _IMAGE_HEAD]
    for url in urls:
        parts += [url, _IMAGE_TAIL + _IMAGE_HEAD]
    parts[-1] = _IMAGE_TAIL + _text_parts(messages[last]) + b"]}" + after + b"]}"
    return parts


def _opening(message: Mapping[str, Any]) -> bytes:
    """A user message up to its list of contents."""
    others = {name: value for name, value in message.items() if name != "content"}
    return orjson.dumps(others)[:-1] + b',"content":['


def _text_parts(message: Mapping[str, Any]) -> bytes:
    """What stands behind the images: the message's text, or its parts."""
    content = message.get("content")
    parts = content if isinstance(content, list) else [{"type": "text", "text": content or ""}]
    return orjson.dumps(parts)[1:-1]


def chat_reply(card: Expert, request: ExpertRequest, body: bytes, latency_seconds: float) -> Reply:
    """What a server said. Raises InfrastructureFault when it is no chat completion or there is nothing in it."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InfrastructureFault(f"{card.id} replied with something that is no JSON ({shown(body)})", retryable=True) from error
    try:
        choice = answer["choices"][0]
        message = choice["message"]
        content = message.get("content")
        text = content if isinstance(content, str) else _odd_text(content, message)
        reasoning = str(message.get("reasoning_content") or message.get("reasoning") or "")
        usage = answer.get("usage") or {}
        spent = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise InfrastructureFault(f"{card.id} replied with JSON that is no chat completion ({shown(body)})", retryable=True) from error
    if spent == (0, 0) and (card.price.input_mtok_usd or card.price.output_mtok_usd):
        raise InfrastructureFault(f"{card.id} is priced by the token, but its server reports no usage; price it by call_usd instead")
    if not request.sampling.get("keep_thinking", card.sampling.keep_thinking):
        text, thought = split_thinking(text)
        reasoning = f"{reasoning}\n{thought}".strip() if thought else reasoning
    if not text.strip():
        raise _nothing(card, str(choice.get("finish_reason")), bool(reasoning), spent[1])
    return Reply(text=text, input_tokens=spent[0], output_tokens=spent[1], latency_seconds=latency_seconds, reasoning=reasoning)


def _odd_text(content: Any, message: Mapping[str, Any]) -> str:
    """The text of a message whose content is in parts, or is nothing; a refusal is an answer too. Raises TypeError."""
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content)
    if content is not None:
        raise TypeError(f"content is {type(content).__name__}")
    return str(message.get("refusal") or "")


def _count(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _nothing(card: Expert, finish_reason: str, thought: bool, tokens: int) -> NothingSaid:
    """The fault of a reply without text. One that ran out of tokens would do so again."""
    if finish_reason == "length":
        doing = "thinking" if thought else "on nothing that is text"
        return NothingSaid(f"{card.id} spent all its {tokens or ''} tokens {doing} and said nothing; raise sampling.max_tokens")
    return NothingSaid(f"{card.id} said nothing (finish_reason {finish_reason}{', after thinking' if thought else ''})", retryable=True)


def shown(body: bytes, limit: int = 160) -> str:
    """The beginning of what a server sent, in one line, for a message."""
    text = " ".join(body[: 4 * limit].decode(errors="replace").split())
    return (text[:limit] + "…" if len(text) > limit else text) or "nothing"
