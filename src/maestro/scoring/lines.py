"""Lines of predictions to be scored: what a line may hold, and what comes back.

A line is a JSON object with `benchmark` (a profile), `prediction`, `reference`, and if needed `options` and `params`. Other
fields are kept. It comes back with `score`, `extracted`, `rule` and `reason`, or with `line` and `error`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from maestro.errors import MissingDependency, TaskError
from maestro.scoring.envelope import unwrap
from maestro.scoring.forms import options_of, references_of, text_of
from maestro.scoring.profiles import profile_named, score_response
from maestro.scoring.score import Score
from maestro.scoring.shapes import shapes_of

REQUIRED = ("benchmark", "prediction", "reference")
_SHOWN = 80
_GZIP = b"\x1f\x8b"
Read = TypeVar("Read")


@dataclass(frozen=True)
class ScoredLine:
    """A line with its score, or with what is wrong with it."""

    number: int
    """In the file, from 1."""
    fields: dict[str, Any]
    """Of the line as it was; empty when it could not be read."""
    score: Score | None = None
    error: str | None = None
    answer: str = ""
    """The prediction as text, out of its envelope."""
    references: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    by_rule: Score | None = None
    """What the rule says, when a judge has decided."""
    failure: str = ""
    """Why a judge that was asked decided nothing."""

    @property
    def benchmark(self) -> str:
        """The profile it asks for."""
        return str(self.fields.get("benchmark", ""))

    def as_json(self) -> str:
        """The line that comes back."""
        if self.score is None:
            content = {**self.fields, "line": self.number, "error": self.error}
        else:
            content = {**self.fields, **self.score.model_dump()}
            if self.by_rule is not None:
                content |= {"by_rule": self.by_rule.model_dump(), **({"judge_failure": self.failure} if self.failure else {})}
        text = json.dumps(content, ensure_ascii=False)
        try:
            text.encode()
        except UnicodeEncodeError:  # half a surrogate pair, which JSON can hold and UTF-8 cannot
            return json.dumps(content)
        return text


def score_lines(lines: Iterable[bytes]) -> Iterator[ScoredLine]:
    """Score every line, in order; blank ones are passed over, and a bad one is told and costs no other."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _scored(number, line)


def _scored(number: int, line: bytes) -> ScoredLine:
    fields: dict[str, Any] = {}
    try:
        fields = _read(line)
        return _score(number, fields)
    except (TaskError, MissingDependency) as error:
        return ScoredLine(number, fields, error=str(error))


def _read(line: bytes) -> dict[str, Any]:
    if line.startswith(_GZIP):
        raise TaskError("the file is compressed; unpack it (gunzip) first")
    try:
        found = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise TaskError(f"it is not UTF-8: {error.reason} at byte {error.start}") from error
    except RecursionError as error:
        raise TaskError("its JSON is nested too deeply") from error
    except ValueError as error:
        raise TaskError(f"it is no JSON ({error}): {line[:_SHOWN].decode(errors='replace').strip()}") from error
    if not isinstance(found, dict):
        raise TaskError(f"it is no JSON object but {type(found).__name__}; it needs the fields {', '.join(REQUIRED)}")
    return found


def _score(number: int, fields: dict[str, Any]) -> ScoredLine:
    if missing := [name for name in REQUIRED if name not in fields]:
        raise TaskError(f"it has no field {', '.join(missing)}; a line has {', '.join(REQUIRED)} and may have options and params")
    name, params = fields["benchmark"], fields.get("params")
    if not isinstance(name, str):
        raise TaskError(f"benchmark is the name of a profile, not {name!r:.{_SHOWN}}")
    if not isinstance(params, dict | None):
        raise TaskError(f"params is an object, not {params!r:.{_SHOWN}}")
    profile = profile_named(name)
    reference = fields["reference"]
    if profile.first_item and isinstance(reference, str):
        reference = list(reference)
    prediction = _part("prediction", lambda: _prediction(fields["prediction"]))
    references = _part("reference", lambda: shapes_of(reference) if profile.shapes else references_of(reference))
    options = _part("options", lambda: options_of(fields.get("options")))
    found = score_response(name, prediction, references, options=options, params=params)
    return ScoredLine(number, fields, score=found, answer=unwrap(prediction or ""), references=references, options=options)


def _prediction(value: Any) -> str | None:
    """A reply as text; a list or an object, such as a box or a parsed answer, as its JSON."""
    if value is None:
        return None
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else text_of(value)


def _part(name: str, read: Callable[[], Read]) -> Read:
    """A field read, with its name before whatever is wrong with it."""
    try:
        return read()
    except TaskError as error:
        raise TaskError(f"{name}: {error}") from error
    except RecursionError as error:
        raise TaskError(f"{name}: it is nested too deeply") from error
