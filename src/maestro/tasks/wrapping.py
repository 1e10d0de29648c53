"""What the prompts of the user's own copy of the original's rows put around each question.

The released checkpoint was trained with one system message, which is not ours to ship. Who has the rows has the message: it is read from
there and checked to be the very one.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from maestro.errors import TaskError
from maestro.tasks.folder import ENDINGS
from maestro.tasks.original import Wrapping, split_wrapping
from maestro.tasks.row import Columns, RowFault

SYSTEM_SHA256 = "844432145eac0571d0deef362fb1289412322d82deb55b9570b808139f1280ac"
"""Of the system message that the released checkpoint was trained with: 7892 characters."""
_READ = frozenset({"prompt", "extra_info"})


def system_prompt(path: Path, sha256: str | None = SYSTEM_SHA256) -> str:
    """The system message of the rows in a `.parquet` or `.jsonl` file, byte for byte.

    Raises TaskError when the first row has none, when rows differ in it, or when it has another SHA-256 than asked for (None takes
    any); MissingDependency without pyarrow.
    """
    system = wrapping_of(path).system
    if system is None:
        raise TaskError(f"{path}: the rows have no system message in their prompt.")
    found = hashlib.sha256(system.encode()).hexdigest()
    if sha256 is not None and found != sha256.lower():
        raise TaskError(
            f"{path}: the system message has {len(system)} characters and SHA-256 {found}, not {sha256}. "
            "The released checkpoint was trained with that one, byte for byte."
        )
    return system


def wrapping_of(path: Path) -> Wrapping:
    """What every prompt of a file puts around its question. Raises TaskError when rows differ in it or have no such prompt."""
    if path.suffix not in ENDINGS:
        raise TaskError(f"{path} does not end in {' or '.join(ENDINGS)}, so it has no rows to take a system message from.")
    rows = ENDINGS[path.suffix](path)
    if "prompt" not in rows.columns:
        raise TaskError(f"{path} has no column prompt; its columns are {', '.join(rows.columns)}.")
    numbers = [number for number, _ in rows.splits("extra_info.split")]
    first: Wrapping | None = None
    for number, values in rows.read(numbers, _READ):
        try:
            if isinstance(values, RowFault):
                raise values
            wrapping = split_wrapping(Columns(values))
        except RowFault as fault:
            raise TaskError(f"{path}: {rows.unit} {number}, {fault}") from fault
        first = first or wrapping
        if wrapping != first:
            raise TaskError(f"{path}: {rows.unit} {number} has another system message or reminder than {rows.unit} {numbers[0]}.")
    if first is None:
        raise TaskError(f"{path} has no rows.")
    return first
