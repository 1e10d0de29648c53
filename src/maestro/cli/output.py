"""What every verb prints with: JSON for machines on stdout, tables and progress for people."""

from __future__ import annotations

import functools
import math
import re
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

PIPE_WIDTH = 160
"""A pipe or file has no width of its own; 80 columns would break ids apart."""
_GAP = 3
"""Characters between two cells of a table."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
Command = TypeVar("Command", bound=Callable[..., Any])


class Finite(click.FloatRange):
    """A number of an option within bounds, and neither infinite nor NaN."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number. Raises BadParameter."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


def json_option(command: Command) -> Command:
    """The option `--json`, handed to the command as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")(command)


@functools.cache
def console(*, stderr: bool = False) -> Console:
    """The rich console of stdout or stderr; rich is imported by the first call."""
    from rich.console import Console

    width = None if (sys.stderr if stderr else sys.stdout).isatty() else PIPE_WIDTH
    return Console(stderr=stderr, highlight=False, width=width)


def print_json(value: Any) -> None:
    """One JSON document on stdout: plain data, pydantic models, dataclasses and paths."""
    click.echo(as_json_bytes(value).decode())


def as_json_bytes(value: Any) -> bytes:
    """The document that `print_json` prints, for a file."""
    import orjson

    return orjson.dumps(value, default=_plain, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = ()) -> None:
    """A table on stdout; columns named in `right` are aligned there. Text is shown as it is, never read as markup.

    Cells are folded at spaces; in a terminal too narrow for that a row becomes a list of its cells, a line each.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    cells = [[cell if isinstance(cell, Text) else Text(str(cell)) for cell in row] for row in rows]
    room = console().width - 2 - _GAP * (len(columns) - 1)
    widths = _widths([[Text(name), *(row[at] for row in cells)] for at, name in enumerate(columns)], room)
    if widths is None and console().width < PIPE_WIDTH:
        _print_rows(title, columns, cells)
        return
    table = Table(title=title or None, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for at, column in enumerate(columns):
        side: Literal["left", "right"] = "right" if column in right else "left"
        # Rich would narrow the widest column first and then break its words.
        table.add_column(column, justify=side, overflow="fold", width=widths[at] if widths is not None else None)
    for row in cells:
        table.add_row(*row)
    console().print(table)


def _widths(columns: Sequence[Sequence[Text]], room: int) -> list[int] | None:
    """A width for every column so that no word breaks, the widest one narrowed first; None where there is no room for that."""
    from rich.cells import cell_len

    widths = [max(cell_len(line) for text in column for line in text.plain.split("\n")) for column in columns]
    least = [max(cell_len(word) for text in column for word in text.plain.split() or [""]) for column in columns]
    if sum(least) > room:
        return None
    while sum(widths) > room:
        widest = max((at for at in range(len(widths)) if widths[at] > least[at]), key=widths.__getitem__)
        widths[widest] -= 1
    return widths


def _print_rows(title: str, columns: Sequence[str], cells: Sequence[Sequence[Text]]) -> None:
    from rich.text import Text

    if title:
        console().print(Text(title, style="italic"))
    width = max(len(column) for column in columns)
    for row in cells:
        console().print()
        for name, cell in zip(columns, row, strict=True):
            console().print(Text.assemble((f"  {name:<{width}}  ", "dim"), cell))


def printable(text: str) -> str:
    """Text without control characters but line ends and tabs: what an expert says may not steer the terminal."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def warn(message: str) -> None:
    """A line on stderr, where it does not disturb output that is piped on."""
    click.echo(f"warning: {message}", err=True)


@contextmanager
def warnings_told() -> Iterator[None]:
    """Python warnings raised inside become lines on stderr, as ours are."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for one in caught:
        warn(str(one.message))


@contextmanager
def progress(description: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr; the value is a function that says how many are done. Silent where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console(stderr=True)) as bars:
        bar = bars.add_task(description, total=total)
        yield lambda done: bars.update(bar, completed=done)


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    return str(value)
