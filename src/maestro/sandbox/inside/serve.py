"""Defines one program and answers calls of its functions.

Arguments: the descriptors to report to, to read the program from, to read calls from and to write answers to. Reports `ready` once.
The first answer names what the program defines: `{"callables": [...], "values": {...}}`, or `{"failed": reason}`.
Then one line in, `[name, args, kwargs]`, and one line out, `{"value": ...}` or `{"raised": [type, message]}`. Nothing said here is
believed to be more than the program's answer.
"""

from __future__ import annotations

import builtins
import os
import sys

from maestro.sandbox.inside.plain import NotPlain, dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TextIO


def main() -> None:
    """Define, then answer until nobody asks."""
    report, source, calls, answers = (int(argument) for argument in sys.argv[1:5])
    del sys.argv[1:]
    with os.fdopen(source, "rb") as stream:
        text = stream.read().decode()
    os.write(report, b"ready\n")
    os.close(report)
    sys.modules["program"] = module = type(sys)("program")
    names = module.__dict__
    with os.fdopen(answers, "w", encoding="utf-8") as out, os.fdopen(calls, encoding="utf-8") as asked:
        try:
            exec(compile(text, "<program>", "exec"), names)  # noqa: S102  what this process is for
        except BaseException as error:  # noqa: BLE001  a program may end in any way; the tests are told
            say(out, {"failed": f"{type(error).__name__}: {error}"[:500]})
            return
        say(out, offered(names))
        for line in asked:
            say(out, answer(names, line))


def offered(names: dict[str, Any]) -> dict[str, Any]:
    """What tests may use: everything callable, and the plain values; nothing that hides a builtin."""
    found: dict[str, Any] = {"callables": [], "values": {}}
    for name, value in names.items():
        if name.startswith("__") or hasattr(builtins, name):
            continue
        if callable(value):
            found["callables"].append(name)
            continue
        try:
            dumps(value)
        except (NotPlain, RecursionError):
            continue
        found["values"][name] = value
    return found


def answer(names: dict[str, Any], line: str) -> dict[str, Any]:
    """What one call comes to."""
    name, args, kwargs = loads(line)
    try:
        value = names[name](*args, **kwargs)
        dumps(value)
    except BaseException as error:  # noqa: BLE001  as above
        return {"raised": [type(error).__name__, str(error)[:500]]}
    return {"value": value}


def say(out: TextIO, content: dict[str, Any]) -> None:
    """Write one line."""
    out.write(dumps(content) + "\n")
    out.flush()


if __name__ == "inside":
    main()
