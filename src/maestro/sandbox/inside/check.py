"""Runs tests of a program that lives in another sandbox.

Arguments: the descriptors to report to, to read the tests from, to write calls to and to read answers from. Reports `ready`, and at
the end one line: `{"passed": true}`, `{"passed": false, "reason": ...}` or, when the tests themselves are at fault, `{"unusable": ...}`.
No code of the program runs in this process: its functions are stand-ins that send their arguments and get plain data back, so there is
nothing here for the program to patch, compare equal to or walk away from.
"""

from __future__ import annotations

import builtins
import os
import sys

from maestro.sandbox.inside.plain import NotPlain, dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn, TextIO

_LONGEST_ANSWER = 8 << 20
_NOT_HANDED_ON = (StopIteration, StopAsyncIteration, UnicodeError, ExceptionGroup)
"""The first two would end a loop of the tests early, as if all were well; the others cannot be made from a message."""


class ProgramFailed(BaseException):
    """The program is no use to the tests: it did not define itself, ended, or talks nonsense. `except Exception` does not hide it."""


class UnusableArgument(BaseException):
    """The tests pass something that is not plain data."""


class Program:
    """The other side."""

    def __init__(self, calls: TextIO, answers: TextIO) -> None:
        self._calls = calls
        self._answers = answers
        self.called = False
        self.failure = ""
        """Why it is no use any more, even where the tests catch everything."""
        self.unusable = ""

    def definitions(self) -> dict[str, Any]:
        """Stand-ins and values by name. Raises ProgramFailed."""
        said = self._hear()
        if "failed" in said:
            self._give_up(f"the program does not load: {said['failed']}")
        found: dict[str, Any] = {name: value for name, value in said["values"].items() if self._may_be(name)}
        found.update({name: self._stand_in(name) for name in said["callables"] if self._may_be(name)})
        return found

    @staticmethod
    def _may_be(name: object) -> bool:
        return isinstance(name, str) and name.isidentifier() and not name.startswith("__") and not hasattr(builtins, name)

    def _stand_in(self, name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                line = dumps([name, args, kwargs])
            except (NotPlain, RecursionError) as error:
                self.unusable = f"the tests call {name} with what is no plain data: {error}"
                raise UnusableArgument(self.unusable) from error
            self.called = True
            self._calls.write(line + "\n")
            self._calls.flush()
            said = self._hear()
            if "value" in said:
                return said["value"]
            raise raised(*said["raised"])

        call.__name__ = call.__qualname__ = name
        return call

    def _hear(self) -> dict[str, Any]:
        line = self._answers.readline(_LONGEST_ANSWER)
        if not line.endswith("\n"):
            self._give_up("the program's answer is too long" if line else "the program ended before the tests did")
        try:
            said = loads(line)
        except NotPlain as error:
            self._give_up(f"the program's answer is no answer: {error}")
        if not isinstance(said, dict):
            self._give_up("the program's answer is no answer")
        return said

    def _give_up(self, failure: str) -> NoReturn:
        self.failure = failure
        raise ProgramFailed(failure)


def raised(name: object, message: object) -> Exception:
    """The exception that stands for one of the program: the builtin of that name, or a plain one; never one that ends this process."""
    kind = getattr(builtins, str(name), None)
    if isinstance(kind, type) and issubclass(kind, Exception) and not issubclass(kind, _NOT_HANDED_ON):
        return kind(str(message))
    return Exception(f"{name}: {message}")


def main() -> None:
    """Run the tests and report."""
    report, source, calls, answers = (int(argument) for argument in sys.argv[1:5])
    del sys.argv[1:]
    with os.fdopen(source, "rb") as stream:
        text = stream.read().decode()
    with (
        os.fdopen(report, "w", encoding="utf-8") as out,
        os.fdopen(calls, "w", encoding="utf-8") as asking,
        os.fdopen(answers, encoding="utf-8", errors="replace") as told,
    ):
        out.write("ready\n")
        out.flush()
        out.write(dumps(verdict(text, Program(asking, told))) + "\n")


def verdict(text: str, program: Program) -> dict[str, Any]:
    """Run the tests against the program."""
    try:
        code = compile(text, "<tests>", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return {"unusable": f"the tests are no Python: {type(error).__name__}: {error}"}
    main_module = sys.modules["__main__"].__dict__
    for name in ("m", "sys"):  # of the text that started this
        main_module.pop(name, None)
    failure = ""
    try:
        main_module.update(program.definitions())
        exec(code, main_module)  # noqa: S102  what this process is for
    except SystemExit as ending:  # how unittest.main ends; the program's own never arrive as such
        failure = "" if ending.code in (None, 0, False) else f"the tests ended with code {ending.code}"
    except ProgramFailed:
        failure = program.failure
    except BaseException as error:  # noqa: BLE001  whatever a test fails with
        failure = f"{where(error)}{type(error).__name__}: {error}"[:500]
    if program.unusable:
        return {"unusable": program.unusable}
    if failure or program.failure:
        return {"passed": False, "reason": program.failure or failure}
    if not program.called:
        return {"passed": False, "reason": "the tests called nothing that the program defines"}
    return {"passed": True}


def where(error: BaseException) -> str:
    """Which line of the tests it came from."""
    trace, line = error.__traceback__, 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<tests>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return f"line {line} of the tests: " if line else ""


if __name__ == "inside":
    main()
