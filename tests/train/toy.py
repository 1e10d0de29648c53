"""A toy world for the training tests: what a picture looks like decides which of several priced experts is right."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from maestro.images import ImageStore
from maestro.registry.menu import Menu
from maestro.skills.protocol import SkillResult
from maestro.train.seeding import generator
from maestro.train.warm_start import values
from maestro.train.warm_start.synthetic import gives
from maestro.types import Call, Expert, Observation, Price, Skill, Task

EXPERTS = {"cheap-eye": 0.0005, "sturdy-eye": 0.004, "page-ocr": 0.001, "full-ocr": 0.010, "algebra-solver": 0.0002}
SKILLS = {
    "read": (("page-ocr", "full-ocr"), ("question", "region")),
    "count": (("cheap-eye", "sturdy-eye"), ("question", "region")),
    "locate": (("cheap-eye", "sturdy-eye"), ("question",)),
    "solve": (("algebra-solver",), ("expression", "question")),
}
GOOD_FOR_PLAIN = {"cheap-eye", "sturdy-eye", "page-ocr", "full-ocr", "algebra-solver"}
GOOD_FOR_NOISY = {"sturdy-eye", "full-ocr", "algebra-solver"}
LOOKS = ("plain", "noisy")

FAMILIES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "text": (("read",), ("What does the sign say?", "Read the sign.", "Which word is written here?")),
    "shapes": (("count",), ("How many shapes are there?", "Count the shapes.", "What is the number of shapes?")),
    "sum": (("read", "solve"), ("What is the sum of the column?", "Add up the column.", "What do the entries total?")),
    "zoom": (("locate", "read"), ("What is written in the small frame?", "Read the framed text.", "What does the tiny box say?")),
    "stated": ((), ("The sign says {0}. What does the sign say?", "It reads {0}. What does it read?", "Given {0}, repeat it.")),
}


def menu() -> Menu:
    experts = tuple(Expert(id=name, summary=name, kind="scripted", price=Price(call_usd=price)) for name, price in EXPERTS.items())
    skills = tuple(Skill(id=name, summary=name, experts=who, takes=takes) for name, (who, takes) in SKILLS.items())
    return Menu(experts, skills, digest="toy")


@dataclass(frozen=True)
class ToyScene:
    task: Task
    plan: tuple[str, ...]
    look: str


def picture(look: str, rng: random.Random) -> Image.Image:
    shade = rng.randint(140, 255)
    pixels = np.full((96, 128, 3), shade, np.int16)
    pixels[30:60, 40:90] = rng.randint(0, 90)
    if look == "noisy":
        pixels += np.random.default_rng(rng.randrange(2**31)).integers(-120, 120, pixels.shape, dtype=np.int16)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def scene(index: int, split: str, images: ImageStore) -> ToyScene:
    family = list(FAMILIES)[index % len(FAMILIES)]
    rng = random.Random(f"{family}/{split}/{index}")
    plan, questions = FAMILIES[family]
    look = LOOKS[(index // len(FAMILIES)) % 2]
    answer = values.ANSWERS[rng.choice(("integer", "word"))](rng) if family != "sum" else str(rng.randint(2, 180))
    task = Task(
        id=f"toy/{split}/{family}/{index}",
        question=rng.choice(questions).format(answer),
        images=(images.put(picture(look, rng)),),
        references=(answer,),
        profile="exact",
        category=family,
    )
    return ToyScene(task, plan, look)


def scenes(count: int, split: str, images: ImageStore) -> list[ToyScene]:
    return [scene(index, split, images) for index in range(count)]


@dataclass
class ToyEnsemble:
    """Right with high confidence where the expert is good for the look, else wrong with low confidence."""

    known: dict[str, ToyScene]
    name: str = "toy@1"
    menu: Menu = field(default_factory=menu)
    calls: int = 0

    @classmethod
    def over(cls, *groups: list[ToyScene]) -> ToyEnsemble:
        return cls({scene.task.id: scene for group in groups for scene in group})

    async def perform(self, call: Call, task: Task, deadline_seconds: float = 120.0) -> Observation:
        self.calls += 1
        scene = self.known[task.id]
        if not self.menu.allows(call.expert, call.skill):
            return Observation(text=f"error: {call.expert} is not offered for {call.skill}", status="policy_error")
        rng = generator("toy", task.id, call.expert, call.skill, call.query)
        truth = generator("toy-truth", task.id, call.skill)
        good = call.expert in (GOOD_FOR_PLAIN if scene.look == "plain" else GOOD_FOR_NOISY)
        place = scene.plan.index(call.skill) if call.skill in scene.plan else None
        kind = gives(scene.plan, call.skill)
        if place is None:
            result = SkillResult(None, 0.05, "no match")
        elif kind == "answer":
            right = good and (place == 0 or call.query == carried(scene, place))
            value = scene.task.references[0] if right else values.draw("answer", scene.task.references[0], rng)
            result = SkillResult(value, 0.8 + 0.19 * rng.random() if right else 0.5 * rng.random(), "3 words")
        else:
            value = values.draw(kind, "", truth if good else rng)
            result = SkillResult(value, 0.8 + 0.19 * rng.random() if good else 0.5 * rng.random(), "frame found", gives=kind)
        price = EXPERTS[call.expert]
        return Observation(text=result.text, value=result.value, gives=result.gives, confidence=result.confidence, cost_usd=price)


def carried(scene: ToyScene, place: int) -> str:
    before = scene.plan[place - 1]
    return values.draw(gives(scene.plan, before), "", generator("toy-truth", scene.task.id, before))
