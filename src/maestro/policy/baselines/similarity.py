"""Questions that are alike, and answers by analogy: all a policy without eyes can know."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

from maestro.skills.dispatch import features

Matrix = NDArray[np.float32]


class QuestionIndex:
    """TF-IDF over words and letter trigrams of a set of questions; cosine similarity."""

    def __init__(self, questions: Sequence[str]) -> None:
        counts = [features(question) for question in questions]
        appearing = Counter(feature for count in counts for feature in count)
        self._column = {feature: column for column, feature in enumerate(sorted(appearing))}
        self._idf = {feature: math.log(1 + len(counts) / seen) for feature, seen in appearing.items()}
        self.rows = self._matrix(counts)

    def nearest(self, questions: Sequence[str], k: int, *, skip_self: bool = False) -> NDArray[np.int64]:
        """Rows of the `k` most similar known questions, best first, shape (len(questions), k).

        `skip_self` leaves row i out for question i: for questions that are the index's own, in its order.
        """
        k = min(k, len(self.rows) - int(skip_self))
        found = np.empty((len(questions), k), dtype=np.int64)
        for start in range(0, len(questions), 256):
            part = questions[start : start + 256]
            similarity = self._matrix([features(question) for question in part]) @ self.rows.T
            if skip_self:
                similarity[np.arange(len(part)), start + np.arange(len(part))] = -1.0
            found[start : start + len(part)] = np.argsort(-similarity, axis=1, kind="stable")[:, :k]
        return found

    def similarity(self, questions: Sequence[str]) -> Matrix:
        """Cosine similarity of each question to each known one, shape (questions, known)."""
        return np.asarray(self._matrix([features(question) for question in questions]) @ self.rows.T, dtype=np.float32)

    def _matrix(self, counts: Sequence[Counter[str]]) -> Matrix:
        matrix = np.zeros((len(counts), len(self._column)), dtype=np.float32)
        for row, count in enumerate(counts):
            for feature, times in count.items():
                column = self._column.get(feature)
                if column is not None:
                    matrix[row, column] = (1 + math.log(times)) * self._idf[feature]
        norms = np.linalg.norm(matrix, axis=1, keepdims=True).astype(np.float32)
        matrix /= np.maximum(norms, np.float32(1e-9))
        return matrix


_TOKEN = re.compile(r"\w+(?:[.,:]\w+)*|[^\w\s]")


def analogous(question: str, example: str, answer: str) -> str:
    """The answer that stands to `question` as `answer` stands to `example`.

    When the example's answer is a stretch of the example's words, the stretch of the question at the same place (by
    alignment); otherwise the example's answer itself.
    """
    theirs, ours, wanted = (_TOKEN.findall(text) for text in (example, question, answer))
    start = _find([word.casefold() for word in theirs], [word.casefold() for word in wanted])
    if start is None:
        return answer
    end = start + len(wanted)
    matcher = SequenceMatcher(None, [word.casefold() for word in theirs], [word.casefold() for word in ours], autojunk=False)
    for tag, low, high, other_low, other_high in matcher.get_opcodes():
        if low <= start and end <= high and tag in {"equal", "replace"}:
            if (low, high) == (start, end):
                return " ".join(ours[other_low:other_high])
            return " ".join(ours[other_low + start - low : min(other_high, other_low + end - low)]) or answer
    return answer


def direct_answer(question: str, examples: Sequence[tuple[str, str]]) -> str:
    """The analogous answer that most `examples` (question, answer), nearest first, agree on."""
    votes = Counter(analogous(question, example, answer) for example, answer in examples)
    return votes.most_common(1)[0][0]


def _find(words: Sequence[str], wanted: Sequence[str]) -> int | None:
    if not wanted:
        return None
    return next((i for i in range(len(words) - len(wanted) + 1) if list(words[i : i + len(wanted)]) == list(wanted)), None)
