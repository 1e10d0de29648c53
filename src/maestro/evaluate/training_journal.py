"""What `metrics.jsonl` says about a training run, read for a report: one time line over all stages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from maestro.errors import CheckpointError

Record = dict[str, Any]


@dataclass
class Journal:
    """A run's records on one time line: steps of later stages are counted on from the stages before."""

    name: str
    records: list[Record]
    """Each with `at`, its place on the time line."""
    stages: list[tuple[float, str]] = field(default_factory=list)
    """Where each stage begins, and its kind."""

    @classmethod
    def read(cls, run: Path) -> Journal:
        """Read a run folder. Raises CheckpointError when it holds no metrics."""
        path = run / "metrics.jsonl"
        if not path.is_file():
            raise CheckpointError(f"{run} holds no metrics.jsonl, so no training to report; give the run folder of maestro train.")
        journal = cls(run.name, [])
        begin, end, stage = 0.0, 0.0, None
        for record in _records(path):
            if record["stage"] != stage:
                stage, begin = record["stage"], end
                journal.stages.append((begin, record["name"]))
            record["at"] = begin + record["step"] if record["kind"] != "round" else end
            end = max(end, record["at"])
            journal.records.append(record)
        return journal

    def of(self, *kinds: str) -> list[Record]:
        """Records of these kinds in order."""
        return [record for record in self.records if record["kind"] in kinds]

    def sampled(self) -> list[Record]:
        """Records that sum up sampled episodes: GRPO's steps and expert iteration's rounds."""
        return [record for record in self.of("step", "round") if "episodes" in record]

    def series(self, *path: str, records: Sequence[Record] | None = None) -> list[tuple[float, float]]:
        """(place, value) of a number, named by its path, wherever it was measured."""
        found = ((record["at"], _down(record, path)) for record in (self.sampled() if records is None else records))
        return [(at, float(value)) for at, value in found if isinstance(value, int | float)]

    def names(self, key: str, most: int = 8) -> list[str]:
        """The keys of a table of shares, those with the largest sum first."""
        total: dict[str, float] = {}
        for record in self.sampled():
            for name, share in (record.get(key) or {}).items():
                total[name] = total.get(name, 0.0) + share
        return sorted(total, key=lambda name: -total[name])[:most]

    def bands(self) -> list[tuple[float, float, str]]:
        """(from, to, experts) of every stretch with experts out, reaching half-way to the records before and after it."""
        stretches = self.outages()
        found = []
        for place, one in enumerate(stretches):
            before = stretches[place - 1].end if place else one.begin
            after = stretches[place + 1].begin if place + 1 < len(stretches) else one.end
            if one.experts:
                found.append(((before + one.begin) / 2, (one.end + after) / 2, f"out: {', '.join(one.experts)}"))
        return found

    def outages(self) -> list[Outage]:
        """Stretches in which the same experts were out on purpose."""
        found: list[Outage] = []
        for record in self.sampled():
            out = tuple(record.get("out") or ())
            if found and found[-1].experts == out:
                found[-1].records.append(record)
            else:
                found.append(Outage(out, [record]))
        return found


@dataclass
class Outage:
    """A stretch of sampled records with the same experts out (none, too)."""

    experts: tuple[str, ...]
    records: list[Record]

    @property
    def begin(self) -> float:
        """Place of the first record."""
        return float(self.records[0]["at"])

    @property
    def end(self) -> float:
        """Place of the last record."""
        return float(self.records[-1]["at"])

    def mean(self, *path: str) -> float | None:
        """Mean of a number over the stretch."""
        values = [value for record in self.records if isinstance(value := _down(record, path), int | float)]
        return sum(values) / len(values) if values else None

    def total(self, *path: str) -> int:
        """Sum of a count over the stretch."""
        return sum(value for record in self.records if isinstance(value := _down(record, path), int))


def smooth(points: Sequence[tuple[float, float]], width: int) -> list[tuple[float, float]]:
    """Means of each point and up to `width` - 1 before it."""
    found: list[tuple[float, float]] = []
    for index, (at, _) in enumerate(points):
        lately = [value for _, value in points[max(0, index - width + 1) : index + 1]]
        found.append((at, sum(lately) / len(lately)))
    return found


def _down(record: Mapping[str, Any], path: Sequence[str]) -> Any:
    value: Any = record
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _records(path: Path) -> Iterator[Record]:
    """Whole lines of the file; one that a crash cut short is left out."""
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield orjson.loads(line)
