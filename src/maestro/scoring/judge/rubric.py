"""What a judge is told for each benchmark: data, read from `rubrics.yaml`."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from maestro.errors import TaskError, not_found
from maestro.scoring.score import Score


class Rubric(BaseModel):
    """Instructions of one kind of question."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    source: str
    """Whose rule it words, and where it departs from it."""
    instructions: str = Field(min_length=1)
    needed: Literal["always", "unread", "open"] = "always"
    """Which answers need the judge: all of them, those in which the rule reads nothing, or those of open questions."""

    @property
    def digest(self) -> str:
        """Changes with every word; part of every cached verdict's key."""
        return hashlib.sha256(self.model_dump_json(exclude={"needed"}).encode()).hexdigest()

    def needs(self, by_rule: Score) -> bool:
        """Whether an answer that the rule scored like this goes to the judge."""
        match self.needed:
            case "unread":
                return by_rule.extracted is None
            case "open":
                return by_rule.rule.startswith("open")
            case _:
                return True


def _load() -> dict[str, Rubric]:
    text = files("maestro.scoring.judge").joinpath("rubrics.yaml").read_text(encoding="utf-8")
    return {one.id: one for one in TypeAdapter(list[Rubric]).validate_python(yaml.safe_load(text))}


RUBRICS = _load()


def rubric(name: str) -> Rubric:
    """The rubric of this name. Raises TaskError naming what exists."""
    if name not in RUBRICS:
        raise TaskError(not_found("rubric", name, RUBRICS, "They are data: src/maestro/scoring/judge/rubrics.yaml."))
    return RUBRICS[name]
