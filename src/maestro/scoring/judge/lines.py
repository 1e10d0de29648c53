"""Lines that a judge scores beside the rule: the rule comes first, and the rubric says which answers need a judgement."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from maestro.errors import TaskError
from maestro.scoring.judge.agreement import Agreement, agreement
from maestro.scoring.judge.judge import Case, LLMJudge
from maestro.scoring.judge.rubric import Rubric, rubric
from maestro.scoring.judge.verdict import Verdict
from maestro.scoring.lines import ScoredLine
from maestro.scoring.profiles import profile_named
from maestro.scoring.score import Score

_AT_ONCE = 256
"""Cases that wait for the judge together; how many of them are calls in flight is up to the pool."""


@dataclass
class JudgedLines:
    """Lines in their order, and how far judge and rule agree on those that both scored."""

    lines: list[ScoredLine]
    pairs: dict[str, list[tuple[Score, Verdict]]] = field(default_factory=dict)
    """By benchmark: the rule's score and the judge's verdict."""

    def agreements(self) -> dict[str, Agreement]:
        """By benchmark, in order of their names."""
        return {name: agreement(pairs) for name, pairs in sorted(self.pairs.items())}

    @property
    def failed(self) -> list[ScoredLine]:
        """Those on which the judge decided nothing, and which score 0 for it."""
        return [line for line in self.lines if line.failure]


async def judge_lines(lines: Iterable[ScoredLine], judge: LLMJudge) -> JudgedLines:
    """The lines with the judge's score where their rubric wants one, and what the rule said beside it.

    The rubric is the field `rubric` of a line, else that of its profile; lines without one stay as they are. The field `question` is told
    to the judge. A line whose rubric does not exist gets an error. A judge that fails scores 0 and says so in the line.
    """
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(line: ScoredLine) -> tuple[ScoredLine, Verdict | None]:
        try:
            chosen = _rubric(line)
        except TaskError as error:
            return replace(line, score=None, error=str(error)), None
        if chosen is None or line.score is None:
            return line, None
        question = line.fields.get("question")
        async with gate:
            verdict = await judge.judge(
                Case(chosen.id, question if isinstance(question, str) else "", line.references, line.answer, line.options)
            )
        return replace(line, score=verdict.score, by_rule=line.score, failure=verdict.failure), verdict

    done = await asyncio.gather(*map(one, lines))
    judged = JudgedLines([line for line, _ in done])
    for line, verdict in done:
        if verdict is not None and line.by_rule is not None:
            judged.pairs.setdefault(line.benchmark, []).append((line.by_rule, verdict))
    return judged


def _rubric(line: ScoredLine) -> Rubric | None:
    """What the judge is told about a line; None when it is not asked. Raises TaskError for a rubric that does not exist."""
    if line.score is None or not line.references:
        return None
    named = line.fields.get("rubric")
    if named is not None:
        return rubric(str(named))
    name = profile_named(line.benchmark).rubric
    return chosen if name and (chosen := rubric(name)).needs(line.score) else None
