"""Runs one program as `__main__`.

Arguments: the descriptors to report to and to read the program from, the process limit, whether a value is wanted (1 or 0).
Reports `ready` once, before anything of the program runs; the clock starts there. When a value is wanted, the value follows.
"""

from __future__ import annotations

import posix
import sys

TYPE_CHECKING = False  # importing typing would cost more than the rest of this file
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

_VALUE = "__maestro_value__"


def main() -> None:
    """Run it; its exit code is this process's."""
    report, source, processes, wanted = (int(argument) for argument in sys.argv[1:5])
    del sys.argv[1:]
    text = read(source).decode()
    limit_processes(processes)
    posix.write(report, b"ready\n")
    if wanted:
        posix.set_inheritable(report, False)
    else:
        posix.close(report)
    main_module = sys.modules["__main__"].__dict__
    for name in ("m", "sys"):  # of the text that started this
        main_module.pop(name, None)
    try:
        exec(compiled(text), main_module)  # noqa: S102  what this process is for
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001  shown as the interpreter shows it, without this file's frames
        show(error)
        sys.stdout.flush()
        sys.exit(1)
    if wanted and main_module.get(_VALUE) is not None:
        tell(report, main_module[_VALUE])


def read(descriptor: int) -> bytes:
    """Everything behind a descriptor, which is closed."""
    parts = []
    while part := posix.read(descriptor, 1 << 20):
        parts.append(part)
    posix.close(descriptor)
    return b"".join(parts)


def limit_processes(processes: int) -> None:
    """Bound processes and threads; with one allowed, the filter of system calls forbids starting any."""
    if processes > 1:
        import resource

        resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))


def compiled(text: str) -> CodeType:
    """The program, keeping the value of a last statement that is an expression."""
    import _ast

    try:
        tree: Any = compile(text, "<program>", "exec", _ast.PyCF_ONLY_AST)
    except (RecursionError, MemoryError):  # deep nesting that only the tree has trouble with
        return compile(text, "<program>", "exec")
    if tree.body and isinstance(tree.body[-1], _ast.Expr):
        last = tree.body[-1]
        place = {name: getattr(last, name) for name in ("lineno", "col_offset", "end_lineno", "end_col_offset")}
        tree.body[-1] = _ast.Assign(targets=[_ast.Name(id=_VALUE, ctx=_ast.Store(), **place)], value=last.value, **place)
    return compile(tree, "<program>", "exec")


def show(error: BaseException) -> None:
    """Print the traceback from the program's first frame on."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != "<program>":
        trace = trace.tb_next
    sys.__excepthook__(type(error), error.with_traceback(trace), trace)


def tell(report: int, value: Any) -> None:
    """Report the value if it is plain data; otherwise there is none."""
    from maestro.sandbox.inside.plain import NotPlain, dumps

    try:
        posix.write(report, dumps(value).encode() + b"\n")
    except (NotPlain, RecursionError, UnicodeError):
        return


if __name__ == "inside":
    main()
