"""Plain data as JSON and back: the only thing that crosses the border of a sandbox.

Numbers, text, bytes, None and lists, tuples, sets and dicts of them. What JSON has no word for is an object of one key, the kind:
`{"tuple": [...]}`. Values of a subclass travel as their base; no code, no class and no reference to anything can be written.
"""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing, or json before it is needed, would double what starting costs
if TYPE_CHECKING:
    from typing import Any

_EXACT = 1 << 53
_COLLECTIONS: dict[str, Any] = {"tuple": tuple, "set": set, "frozenset": frozenset}


class NotPlain(TypeError):
    """A value that is not plain data."""


def dumps(value: Any) -> str:
    """One line of JSON. Raises NotPlain, and RecursionError for what contains itself."""
    import json

    return json.dumps(encode(value))


def loads(text: str) -> Any:
    """The value of one line. Raises NotPlain, whatever the text is."""
    import json

    try:
        return decode(json.loads(text))
    except NotPlain:
        raise
    except (ValueError, TypeError, KeyError, RecursionError, MemoryError, OverflowError) as error:
        raise NotPlain(f"no plain data: {error}") from error


def encode(value: Any) -> Any:
    """The value as JSON data."""
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        number = int.__int__(value)
        return number if -_EXACT < number < _EXACT else {"int": hex(number)}
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, complex):
        return {"complex": [value.real, value.imag]}
    if isinstance(value, (bytes, bytearray)):
        return {"bytes": value.hex()}
    if isinstance(value, list):
        return [encode(item) for item in value]
    if isinstance(value, dict):
        return {"dict": [[encode(key), encode(item)] for key, item in value.items()]}
    for kind, collection in _COLLECTIONS.items():
        if isinstance(value, collection):
            return {kind: [encode(item) for item in value]}
    raise NotPlain(f"{type(value).__name__} is not plain data (numbers, text, bytes, None, lists, tuples, sets and dicts of them)")


def decode(data: Any) -> Any:
    """The value of JSON data."""
    if isinstance(data, list):
        return [decode(item) for item in data]
    if not isinstance(data, dict):
        return data
    ((kind, content),) = data.items()
    if kind == "int":
        return int(content, 16)
    if kind == "complex":
        return complex(*content)
    if kind == "bytes":
        return bytes.fromhex(content)
    if kind == "dict":
        return {decode(key): decode(item) for key, item in content}
    return _COLLECTIONS[kind](decode(item) for item in content)
