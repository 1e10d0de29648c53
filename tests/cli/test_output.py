import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from maestro.cli import output
from maestro.cli.output import print_json, print_table, progress, warn
from maestro.types import Price, StopReason


@dataclass
class Row:
    name: str
    path: Path


def test_json_of_every_kind_of_value(capsys):
    print_json(
        {
            "row": Row("a", Path("x/y")),
            "price": Price(call_usd=1),
            "set": {2, 1},
            "stop": StopReason.ANSWERED,
            "array": np.arange(3),
            1: None,
        }
    )
    assert json.loads(capsys.readouterr().out) == {
        "row": {"name": "a", "path": "x/y"},
        "price": Price(call_usd=1).model_dump(),
        "set": [1, 2],
        "stop": "answered",
        "array": [0, 1, 2],
        "1": None,
    }


def test_table_is_not_read_as_markup_and_keeps_long_ids_whole(capsys):
    print_table("Title", ("id", "n"), [("[red]x[/red]", 3), ("a-very-long-id-" * 7, 44)], right=("n",))
    out = capsys.readouterr().out
    assert "Title" in out
    assert "[red]x[/red]" in out
    assert "a-very-long-id-" * 7 in out


@pytest.mark.parametrize("width", [30, 50, 80, 120])
def test_no_terminal_is_too_narrow_for_whole_words(width, capsys, monkeypatch):
    monkeypatch.setattr(output, "console", lambda: Console(width=width, highlight=False))
    columns = ("policy", "utility", "cost $/1000", "first call tells")
    cells = [("maestro-mini", "0.890 [0.865, 0.912]", "6.25 [5.01, 7.02]", "3.39 bit"), ("skilled oracle", "1", "[x]", "")]
    print_table("Title", columns, cells, right=columns[1:])
    printed = capsys.readouterr().out
    words = {word for text in ("Title", *columns, *cells[0], *cells[1]) for word in text.split()}
    assert words <= set(printed.split())
    assert max(map(len, printed.splitlines())) <= width


def test_progress_is_silent_where_nobody_watches(capsys):
    with progress("working", total=3) as done:
        done(2)
    assert capsys.readouterr() == ("", "")


def test_warnings_leave_stdout_alone(capsys):
    warn("look out")
    assert capsys.readouterr() == ("", "warning: look out\n")
