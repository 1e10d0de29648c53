"""What one public benchmark is: where its files come from, which file is which split, and how a row becomes a task."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from maestro.errors import TaskError
from maestro.tasks.formats import Format
from maestro.tasks.row import Columns, Place, Row

_SHOWN = 30
"""Columns of a file that a message repeats."""


@dataclass(frozen=True)
class Hub:
    """Where a benchmark lies on the Hugging Face Hub."""

    dataset: str
    """`organisation/name`."""
    revision: str | None = None
    """Its pinned commit, which is downloaded unless another revision is asked for; None where no good one is known."""
    files: tuple[str, ...] = ()
    """Patterns of the files that are downloaded; all of them by default."""
    mirrors: Mapping[str, str | None] = field(default_factory=dict)
    """Other data sets whose rows are read here too, with the pinned commit of each."""

    def pin(self, dataset: str) -> str | None:
        """The pinned commit of this data set or of a mirror; None where there is none, and for every other data set."""
        return self.revision if dataset == self.dataset else self.mirrors.get(dataset)


@dataclass(frozen=True)
class Part:
    """A split that is some of the rows of another one."""

    of: str
    column: str
    keep: Callable[[object], bool]
    """Asked of the column's value."""


@dataclass(frozen=True)
class Benchmark:
    """A public benchmark: data about its files, and the one function that makes a task of a row."""

    name: str
    """What it is asked for by, and how ids and sources of its tasks begin."""
    title: str
    measured: str
    """The split that published numbers are of."""
    splits: Mapping[str, tuple[str, ...]]
    """Patterns of the names of each split's files, in lower case, without ending and shard number."""
    layouts: tuple[frozenset[str], ...]
    """Columns by which the known layouts of its rows are told; one of them must be there completely."""
    profiles: tuple[str, ...]
    """Names of the scoring profiles of its tasks."""
    parse: Callable[[Columns, Place], Row]
    """The task of one row; raises RowFault with every problem. `Place.split` is always given."""
    hub: Hub
    licence: str = ""
    """As its card on the hub says; empty when we do not know."""
    note: str = ""
    """What one has to know about it, in a sentence."""
    folder: str = ""
    """Folder inside the data set that holds it, where the data set holds others too."""
    hidden: tuple[str, ...] = ()
    """Splits whose answers its authors keep."""
    parts: Mapping[str, Part] = field(default_factory=dict)
    packed: Mapping[str, str] = field(default_factory=dict)
    """Archives of pictures, and the folder that unpacking each one makes."""
    objects: tuple[str, ...] = ()
    """Patterns of files that hold one row each, for a layout of which every picture has its own file."""

    @property
    def profile(self) -> str:
        """Its first profile, by which it is usually called."""
        return self.profiles[0]

    @property
    def offered(self) -> tuple[str, ...]:
        """All splits, the measured one first and those with hidden answers last."""
        names = [self.measured, *self.splits, *self.parts]
        ordered = sorted(dict.fromkeys(names), key=lambda name: name in self.hidden)
        return tuple(ordered)

    def form(self, path: Path, columns: Iterable[str]) -> Format:
        """How rows with these columns are read. Raises TaskError naming the columns of every known layout."""
        there = set(columns)
        if not any(layout <= there for layout in self.layouts):
            known = "; or ".join(", ".join(sorted(layout)) for layout in self.layouts)
            shown = ", ".join(sorted(there)[:_SHOWN]) or "none"
            raise TaskError(f"{path} has the columns {shown}, which is no known layout of {self.title}. Needed are {known}.")
        return Format(self.name, frozenset(), "split", self.parse)

    def no_answers(self, split: str) -> str:
        """The message for a split whose answers are missing."""
        return (
            f"the answers of {self.title}'s split {split!r} are not in these files: its authors keep them. "
            f"Questions without answers cannot be scored; use the split {self.measured!r}."
        )
