"""What a set of scored episodes says about a policy, as plain numbers."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from maestro.reward import utility
from maestro.types import Answer, Call, Episode, Malformed, Reward, StopReason, Task

_FORM_WORDS = 3


def first_action(episode: Episode) -> str:
    """What the policy did first: `expert@@skill`, `answer` or `malformed`."""
    action = episode.turns[0].action if episode.turns else None
    match action:
        case Call(expert=expert, skill=skill):
            return f"{expert}@@{skill}"
        case Answer():
            return "answer"
        case _:
            return "malformed"


def wellformed(episode: Episode) -> bool:
    """Whether every turn was a valid action and the last one an answer."""
    valid = all(
        not isinstance(turn.action, Malformed) and (turn.observation is None or turn.observation.status != "policy_error")
        for turn in episode.turns
    )
    return valid and bool(episode.turns) and isinstance(episode.turns[-1].action, Answer)


def broken(episode: Episode) -> bool:
    """Whether infrastructure, not the policy, ended the episode (a deadline counts: it says nothing about the policy)."""
    return episode.stop in {StopReason.INFRASTRUCTURE, StopReason.TIME_LIMIT}


def question_kind(task: Task) -> str:
    """What a question is about, as far as its task says: the category, else its first words (where a source has no categories)."""
    return task.category or " ".join(re.findall(r"[a-z]+", task.question.lower())[:_FORM_WORDS])


def mutual_information(pairs: Sequence[tuple[Hashable, Hashable]]) -> float:
    """Mutual information of two labels in nats, from counts, with the Miller-Madow correction; never below 0.

    The correction takes out most of the information that small samples show by chance.
    """
    if not pairs:
        return 0.0
    joint, left, right = Counter(pairs), Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    total = len(pairs)
    plain = sum(count / total * math.log(count * total / (left[a] * right[b])) for (a, b), count in joint.items())
    correction = (len(left) + len(right) - len(joint) - 1) / (2 * total)
    return max(0.0, plain + correction)


def summarise(tasks: Sequence[Task], episodes: Sequence[Episode]) -> dict[str, Any]:
    """Means over scored episodes; broken ones and those without a reward are counted and left out. `tasks[i]` is the task of `episodes[i]`.

    `reward` is the weighted total, `utility` outcome minus weighted cost, `entropy` the mean of minus the log-probability of
    the sampled tokens, `information` that between what the question is about (`question_kind`) and the first action, in nats; `kinds`
    is how many such kinds there were.
    """
    kept = [(task, episode) for task, episode in zip(tasks, episodes, strict=True) if not broken(episode) and episode.reward is not None]
    lost = sum(broken(episode) for episode in episodes)
    summary: dict[str, Any] = {"episodes": len(episodes), "broken": lost, "unscored": len(episodes) - len(kept) - lost}
    if not kept:
        return summary
    rewards = [episode.reward for _, episode in kept if episode.reward is not None]
    first = Counter(first_action(episode) for _, episode in kept)
    calls = Counter((call.expert, call.skill) for _, episode in kept for call in episode.calls)
    logprobs = [
        logprob
        for _, episode in kept
        if episode.tokens is not None
        for logprob, sampled in zip(episode.tokens.logprobs, episode.tokens.mask, strict=True)
        if sampled
    ]
    number = len(kept)
    summary |= {
        "reward": sum(reward.total for reward in rewards) / number,
        "utility": sum(utility(reward) for reward in rewards) / number,
        "accuracy": sum(reward.terms["outcome"] for reward in rewards) / number,
        "cost_usd": sum(episode.cost_usd for _, episode in kept) / number,
        "calls": sum(len(episode.calls) for _, episode in kept) / number,
        "wellformed": sum(wellformed(episode) for _, episode in kept) / number,
        "malformed": sum(isinstance(turn.action, Malformed) for _, episode in kept for turn in episode.turns)
        / sum(len(episode.turns) for _, episode in kept),
        "terms": {name: _mean([reward.terms[name] for reward in rewards if name in reward.terms]) for name in _names(rewards)},
        "weights": {name: weight for reward in rewards for name, weight in reward.weights.items()},
        "terms_std": {name: _deviation([reward.terms[name] for reward in rewards if name in reward.terms]) for name in _names(rewards)},
        "first_share": first.most_common(1)[0][1] / number,
        "first": {name: count / number for name, count in first.most_common()},
        "experts": _shares(Counter(expert for expert, _ in calls.elements())),
        "skills": _shares(Counter(skill for _, skill in calls.elements())),
        "information": mutual_information([(question_kind(task), first_action(episode)) for task, episode in kept]),
        "kinds": len({question_kind(task) for task, _ in kept}),
    }
    if logprobs:
        summary["entropy"] = -sum(logprobs) / len(logprobs)
    return summary


def standing(summary: Mapping[str, Any], floor: float) -> tuple[bool, float] | None:
    """How good a look at the validation split was, to be compared: whether `floor` of its episodes keep to the grammar, then utility.

    Utility alone would put nonsense that calls nobody above a policy that pays for wrong answers. None where nothing was scored.
    """
    utility = summary.get("utility")
    return None if utility is None else (summary.get("wellformed", 1.0) >= floor, utility)


def _names(rewards: Sequence[Reward]) -> list[str]:
    """Every term that some reward has, in the order in which they come up."""
    return list(dict.fromkeys(name for reward in rewards for name in reward.terms))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _deviation(values: Sequence[float]) -> float:
    """Standard deviation over all values."""
    mean = _mean(values)
    return math.sqrt(_mean([(value - mean) ** 2 for value in values]))


def _shares(counts: Counter[str]) -> dict[str, float]:
    total = counts.total()
    return {name: count / total for name, count in counts.most_common()}
