"""A language model as a judge: bound to a schema, pinned, cached, and its failures counted apart."""

from maestro.scoring.judge.agreement import Agreement, agreement
from maestro.scoring.judge.cache import VerdictCache
from maestro.scoring.judge.judge import Case, JudgeTally, LLMJudge
from maestro.scoring.judge.lines import JudgedLines, judge_lines
from maestro.scoring.judge.rubric import RUBRICS, Rubric, rubric
from maestro.scoring.judge.verdict import Verdict

__all__ = [
    "RUBRICS",
    "Agreement",
    "Case",
    "JudgeTally",
    "JudgedLines",
    "LLMJudge",
    "Rubric",
    "Verdict",
    "VerdictCache",
    "agreement",
    "judge_lines",
    "rubric",
]
