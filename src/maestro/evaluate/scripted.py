"""A made-up recorded pool with known answers, for tests and documentation: four kinds of question, three experts.

`label` needs one reading, `sum` a reading and a calculation, `zoom` a place and a reading, `stated` nobody. Half of the
pictures are hard: there the cheap reader is wrong and says so by a low confidence. Nothing in a question tells which.
"""

from __future__ import annotations

import random

from maestro.policy.baselines.recorded import CallKey, RecordedTask
from maestro.registry.menu import Menu
from maestro.rollout.pool import RecordedPool
from maestro.skills.protocol import SkillResult
from maestro.types import Expert, Observation, Price, Skill, Task, Value

KINDS = ("label", "sum", "zoom", "stated")
WORDINGS = {
    "label": ("What does the label say?", "Read the label.", "Which word is on the label?"),
    "sum": ("What is the sum of the numbers shown?", "Add up the numbers in the picture.", "Total of all numbers shown?"),
    "zoom": ("What is written inside the red frame?", "Read the tiny text in the frame.", "Which text does the frame hold?"),
    "stated": ("The sign says {}. What number does the sign say?", "Given that the total is {}, what is the total?"),
}
REGION = "10,20,60,50"


def scripted_menu() -> Menu:
    """Two readers of different price, a calculator; skills read, locate and solve."""
    prices = {"cheap-reader": 0.001, "dear-reader": 0.01, "calculator": 0.0002}
    experts = tuple(
        Expert(id=name, summary=name.replace("-", " "), kind="scripted", price=Price(call_usd=price)) for name, price in prices.items()
    )
    readers = ("cheap-reader", "dear-reader")
    skills = (
        Skill(id="read", summary="read text", experts=readers, takes=("question", "region")),
        Skill(id="locate", summary="find the place", experts=readers, gives="region"),
        Skill(id="solve", summary="calculate", experts=("calculator",), takes=("question", "expression")),
    )
    return Menu(experts=experts, skills=skills, digest="scripted")


def scripted_pool(split: str = "train", size: int = 80, cost_weight: float = 20.0) -> RecordedPool:
    """A pool of `size` tasks, kinds taking turns, the same for the same split and size."""
    return RecordedPool((_recorded(split, index, cost_weight) for index in range(size)), scripted_menu(), "scripted@1", cost_weight)


def _recorded(split: str, index: int, cost_weight: float) -> RecordedTask:
    kind = KINDS[index % len(KINDS)]
    rng = random.Random(f"{kind}/{split}/{index}")
    first, second = rng.randint(2, 40), rng.randint(2, 40)
    word = "".join(rng.choice("bcdfgklmnprst") + rng.choice("aeiou") for _ in range(3))
    answer = {"label": word, "sum": str(first + second), "zoom": word, "stated": str(first)}[kind]
    task = Task(
        id=f"scripted/{split}/{kind}/{index}",
        question=rng.choice(WORDINGS[kind]).format(first),
        references=(answer,),
        source=f"scripted/{split}",
        category=kind,
    )
    text = f"{first}+{second}" if kind == "sum" else word
    outcomes: dict[CallKey, Observation] = {}
    for expert in ("cheap-reader", "dear-reader"):
        sees = expert == "dear-reader" or rng.random() < 0.5
        sure = rng.uniform(0.85, 0.98) if sees else rng.uniform(0.1, 0.5)
        price = 0.001 if expert == "cheap-reader" else 0.01
        gives: Value = "expression" if kind == "sum" else "answer"
        whole = text if sees and kind != "zoom" else text[:-1] + "?"
        outcomes[expert, "read", ""] = _observation(whole, sure if kind != "zoom" else 0.3, price, gives)
        outcomes[expert, "locate", ""] = _observation(REGION if kind == "zoom" else None, 0.9, price, "region")
        outcomes[expert, "read", REGION] = _observation(text if sees else text[:-1] + "?", sure, price)
    outcomes["calculator", "solve", ""] = _observation(None, 0.0, 0.0002)
    outcomes["calculator", "solve", f"{first}+{second}"] = _observation(str(first + second), 1.0, 0.0002)
    outcomes["calculator", "solve", f"{first}+{second}"[:-1] + "?"] = _observation(None, 0.0, 0.0002)
    return RecordedTask(task, outcomes, cost_weight)


def _observation(value: str | None, confidence: float, cost_usd: float, gives: Value = "answer") -> Observation:
    result = SkillResult(value=value, confidence=confidence, gives=gives)
    return Observation(text=result.text, value=value, gives=gives, confidence=confidence, cost_usd=cost_usd, latency_seconds=0.01)
