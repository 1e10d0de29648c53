"""How a level-1 skill picks one of its level-2 skills.

`retrieval`: similarity of the request to the children's descriptions and example questions (TF-IDF over words and letter
trigrams), to the nearest text or, `pooled`, to all together. `keywords`: the child whose keywords and bonuses score highest.
`expert`: one model call. All are named by the card; none guesses outside the children.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from maestro.errors import InfrastructureFault
from maestro.skills.message import final_text
from maestro.types import Bonus, Skill

_WORD = re.compile(r"[a-z]+|\d+|[^\sa-z\d]")
_FUNCTION_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a an the this that these those is are was were be been do does did has have had can could will would of in on at to for from "
        "with and or it its there here what which please tell me you see image picture shown give",
    )
)
"""They carry no topic: how questions begin would otherwise outweigh what they are about."""
Vector = dict[str, float]
_SMOOTHING = 0.5


def features(text: str) -> Counter[str]:
    """Word and letter-trigram counts of lower-cased text; any number counts as the one word `#`."""
    words = ["#" if word.isdigit() else word for word in _WORD.findall(text.casefold()) if word not in _FUNCTION_WORDS]
    counts: Counter[str] = Counter()
    for word in words:
        counts[f"w:{word}"] += 3
        padded = f" {word} "
        counts.update(f"t:{padded[i : i + 3]}" for i in range(len(padded) - 2))
    return counts


class Retrieval:
    """TF-IDF index over the descriptions and examples of a few skills."""

    def __init__(self, children: Sequence[Skill]) -> None:
        self.children = tuple(children)
        documents = [(skill, text) for skill in children for text in (skill.summary, *skill.examples)]
        counts = [features(text) for _, text in documents]
        appearing = Counter(feature for count in counts for feature in count)
        self._idf = {feature: math.log(1 + len(counts) / seen) for feature, seen in appearing.items()}
        self._rows = [(skill.id, self._vector(count)) for (skill, _), count in zip(documents, counts, strict=True)]

    def rank(self, text: str) -> list[tuple[str, float]]:
        """(skill id, similarity in [0, 1]) of every child, best first; a child is as similar as its nearest text."""
        query = self._vector(features(text))
        best: dict[str, float] = {child.id: 0.0 for child in self.children}
        for skill, row in self._rows:
            small, large = (query, row) if len(query) < len(row) else (row, query)
            similarity = sum(weight * large.get(feature, 0.0) for feature, weight in small.items())
            best[skill] = max(best[skill], similarity)
        return sorted(best.items(), key=lambda item: -item[1])

    def choose(self, text: str) -> Skill:
        """The most similar child; the first one when nothing is similar."""
        chosen = self.rank(text)[0][0]
        return next(child for child in self.children if child.id == chosen)

    def _vector(self, counts: Counter[str]) -> Vector:
        weights = {feature: (1 + math.log(count)) * self._idf.get(feature, 0.0) for feature, count in counts.items()}
        norm = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        return {feature: weight / norm for feature, weight in weights.items() if weight}


class PooledRetrieval:
    """Naive Bayes over the same features: all texts of a child count together, not only the one nearest to the request.

    It holds up better where requests are worded freely; `Retrieval` where they are like one example.
    """

    def __init__(self, children: Sequence[Skill]) -> None:
        self.children = tuple(children)
        counts = {child.id: [features(text) for text in (child.summary, *child.examples)] for child in children}
        documents = [count for listed in counts.values() for count in listed]
        appearing = Counter(feature for count in documents for feature in count)
        self._idf = {feature: math.log(1 + len(documents) / seen) for feature, seen in appearing.items()}
        self._logs = {child: self._log_shares(listed) for child, listed in counts.items()}

    def rank(self, text: str) -> list[tuple[str, float]]:
        """(skill id, probability) of every child, best first."""
        asked = {feature: (1 + math.log(count)) * self._idf[feature] for feature, count in features(text).items() if feature in self._idf}
        # A request repeats itself (words and their trigrams): its root of a length keeps probabilities from being all or nothing.
        scale = 1 / math.sqrt(len(asked) or 1)
        scores = {
            child: scale * sum(weight * shares.get(feature, rest) for feature, weight in asked.items())
            for child, (shares, rest) in self._logs.items()
        }
        highest = max(scores.values())
        likely = {child: math.exp(score - highest) for child, score in scores.items()}
        total = sum(likely.values())
        return sorted(((child, value / total) for child, value in likely.items()), key=lambda item: -item[1])

    def choose(self, text: str) -> Skill:
        """The most probable child; the first one when no feature of the request is known."""
        chosen = self.rank(text)[0][0]
        return next(child for child in self.children if child.id == chosen)

    def _log_shares(self, listed: Sequence[Counter[str]]) -> tuple[dict[str, float], float]:
        """Log share of each feature in a child's texts, and that of any other, all smoothed by half a count."""
        weights: defaultdict[str, float] = defaultdict(float)
        for count in listed:
            for feature, number in count.items():
                weights[feature] += (1 + math.log(number)) * self._idf[feature]
        total = sum(weights.values()) + _SMOOTHING * len(self._idf)
        return {feature: math.log((weight + _SMOOTHING) / total) for feature, weight in weights.items()}, math.log(_SMOOTHING / total)


def by_keywords(children: Sequence[Skill], text: str, images: int = 0, fallback: Skill | None = None) -> Skill:
    """The child with the highest score: one for each of its keywords in `text` as whole words, and its bonuses.

    Of equal scores the lowest `priority` wins, then the earlier child. When nobody scores it is `fallback`, or the first child.
    """
    lowered = " ".join(text.casefold().split())

    def score(child: Skill) -> int:
        hits = sum(occurs(keyword, lowered) for keyword in child.keywords)
        return hits + sum(bonus.adds for bonus in child.bonuses if _earned(bonus, lowered, images))

    scores = [score(child) for child in children]
    if not any(scores):
        return fallback or children[0]
    best = max(scores)
    return min((child for child, points in zip(children, scores, strict=True) if points == best), key=lambda child: child.priority)


def occurs(keyword: str, lowered: str) -> bool:
    """Whether a keyword stands in lower-case text and no word runs on at either end of it."""
    word = keyword.casefold().strip()
    before = r"(?<!\w)" if re.match(r"\w", word) else ""
    behind = r"(?!\w)" if re.search(r"\w\Z", word) else ""
    return re.search(f"{before}{re.escape(word)}{behind}", lowered) is not None


def _earned(bonus: Bonus, lowered: str, images: int) -> bool:
    enough = bonus.images is not None and images >= bonus.images
    return enough or any(occurs(keyword, lowered) for keyword in bonus.any)


async def by_expert(children: Sequence[Skill], text: str, chat: Callable[..., Awaitable[Any]]) -> Skill:
    """The child that the expert names. Raises InfrastructureFault when its reply names no child or several."""
    listing = "\n".join(f"{child.id}: {child.summary}" for child in children)
    prompt = f"Which one of these procedures fits the request? Reply with its id alone.\n\n{listing}\n\nRequest: {text}"
    reply = final_text(str(await chat("chat", messages=[{"role": "user", "content": prompt}])))
    named = [child for child in children if re.search(rf"(?<![\w-]){re.escape(child.id)}(?![\w-])", reply)]
    if len(named) != 1:
        raise InfrastructureFault(f"dispatch: the expert's reply names {len(named)} of {[child.id for child in children]}: {reply[:200]!r}")
    return named[0]
