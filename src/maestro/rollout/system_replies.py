"""What a recorded system says: its outcome on a question, turned into the reply a policy can read.

Where a reply was kept: what the task's own scorer reads in the answer that somebody read in it, else in the reply, if that is scored as
the record says. Else, when it was right, the gold answer; when it was wrong, another question's gold answer, drawn by seed from the same
category, of the same kind and form. So the score of what it says is the recorded judgement, whatever scorer judges it here, and right and
wrong answers come about in one way, so that how one is written does not tell which it is. It depends on the folder, the seed, the task
and the system alone.
"""

from __future__ import annotations

import hashlib
import re
import string
from collections.abc import Callable, Iterator, Mapping, Sequence

from maestro.policy.baselines.recorded import RecordedTask
from maestro.scoring import score
from maestro.tasks.outcomes import Outcome
from maestro.tasks.problems import ProblemList
from maestro.tasks.recorded_folder import RecordedFolder
from maestro.types import Task

NOBODYS = ("unknown", "-", "?")
"""What a wrong system says where no other answer is known at all: the first that is not right after all ("unknown" contains "no")."""
_DRAWS = 64
"""Drawn answers that are tried before every one is."""
_WHOLE = re.compile(r"[-+]?\d{1,40}")
_DECIMAL = re.compile(r"[-+]?\d{0,40}\.\d{1,40}")

Kind = tuple[str, bool]
"""(scoring profile, whether there are options)"""


class SystemReplies:
    """The replies of a folder's systems, each made when it is first asked for."""

    def __init__(self, folder: RecordedFolder, seed: int = 0) -> None:
        self.folder = folder
        self.seed = seed
        self.outcomes = folder.outcomes
        self._golds: dict[tuple[Kind, str | None, str | None], list[str]] = {}
        """Gold answers, as often as they occur, by kind, category (None: any) and form (None: any)."""
        for task in folder.questions.values():
            if task.references:
                self._file(task)

    def say(self, judged: RecordedTask, system: str) -> tuple[str, str]:
        """The answer of a system and its reply in full (empty where it was not recorded).

        Raises TaskError when nothing was recorded, BrokenRows when the task's scorer does not accept its own gold answer.
        """
        task = judged.task
        outcome = self.outcomes.of(task.id)[system]
        gold = task.references[0]
        if judged.score(gold) != 1.0:
            problems = ProblemList(self.folder.path, self.folder.rows.unit)
            told = (
                f"answer: {gold!r} of task {task.id} is not accepted by its own scoring profile {task.profile!r}, so recorded systems "
                "cannot be played on it; mend it, or the answer_type"
            )
            problems.add(self.folder.lines[task.id], [told])
            problems.check()
        said = _read_as_recorded(judged, outcome) or (gold if outcome.correct else self._wrong(judged, system))
        return said, outcome.response

    def _wrong(self, judged: RecordedTask, system: str) -> str:
        """An answer that is scored 0: drawn, or where every gold answer would be right a word that is nobody's."""
        draws = _draws(f"{self.seed}/{judged.task.id}/{system}")
        for answers in self._pools(judged.task):
            tried = (answers[draw % len(answers)] for draw, _ in zip(draws, range(_DRAWS), strict=False))
            for answer in (*tried, *sorted(set(answers))):
                if judged.score(answer) == 0.0:
                    return answer
        return next((word for word in NOBODYS if judged.score(word) == 0.0), "")

    def _pools(self, task: Task) -> Iterator[Sequence[str]]:
        """Answers a wrong one may be drawn from, the likest first: each as often as it is gold."""
        kind = (task.profile, bool(task.choices))
        if task.choices:
            letters = string.ascii_uppercase[: len(task.choices)]
            offered = [answer for answer in self._golds.get((kind, task.category, None), ()) if answer in letters]
            yield from (answers for answers in (offered, letters) if answers)
            return
        form = _form(task.references[0])
        for place in ((task.category, form), (task.category, None), (None, form), (None, None)):
            if answers := self._golds.get((kind, *place)):
                yield answers

    def _file(self, task: Task) -> None:
        """Keep a task's gold answer under everything it may be drawn by."""
        kind, answer = (task.profile, bool(task.choices)), task.references[0]
        for category in (task.category, None):
            for form in (_form(answer), None):
                self._golds.setdefault((kind, category, form), []).append(answer)


def _form(answer: str) -> str:
    """What an answer looks like at a glance."""
    forms: Mapping[str, Callable[[str], object]] = {"whole number": _WHOLE.fullmatch, "decimal number": _DECIMAL.fullmatch}
    named = next((name for name, fits in forms.items() if fits(answer)), None)
    return named or ("one sign" if len(answer) == 1 else "text")


def _read_as_recorded(judged: RecordedTask, outcome: Outcome) -> str | None:
    """The answer that the task's scorer reads in what was kept of a reply, when it is scored as recorded; None when it is not."""
    for kept in (outcome.extracted, outcome.response):
        read = (score(judged.task, kept).extracted or "").strip() if kept else ""
        if read and judged.score(read) == float(outcome.correct):
            return read
    return None


def _draws(seed: str) -> Iterator[int]:
    """Endless large numbers, the same ones for the same seed."""
    number = 0
    while True:
        yield int.from_bytes(hashlib.sha256(f"{seed}/{number}".encode()).digest()[:8], "big")
        number += 1
