"""Digests of a folder's files in the format of `sha256sum`, so that `sha256sum -c SHA256SUMS` checks them too."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from pathlib import Path

NAME = "SHA256SUMS"


def write_digests(folder: Path) -> None:
    """Write the digest of every file in the folder, in sorted order."""
    lines = [f"{_digest(path)}  {path.relative_to(folder).as_posix()}" for path in sorted(folder.rglob("*")) if path.is_file()]
    (folder / NAME).write_text("\n".join(lines) + "\n", encoding="utf-8")


def damaged_files(folder: Path, missing: Collection[str] = ()) -> list[str]:
    """What of a folder is not as it was written, in words; empty when all is well. Files named in `missing` may be gone."""
    sums = folder / NAME
    if not sums.is_file():
        return [f"{NAME} is missing"]
    listed: dict[str, str] = {}
    for line in sums.read_text(encoding="utf-8", errors="replace").splitlines():
        digest, _, name = line.partition("  ")
        listed[name] = digest
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {NAME}
    found = [f"{name or 'a line of ' + NAME} is missing" for name in sorted(listed.keys() - present - set(missing))]
    found += [f"{name} is not in {NAME}" for name in sorted(present - listed.keys())]
    return found + [
        f"{name} has other bytes ({(folder / name).stat().st_size} of them) than when it was written"
        for name in sorted(present & listed.keys())
        if _digest(folder / name) != listed[name]
    ]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
