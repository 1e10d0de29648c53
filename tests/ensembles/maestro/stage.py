"""The shipped ensembles with every expert and helper replaced by a scripted one that answers by what it is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from maestro import ensembles
from maestro.errors import InfrastructureFault
from maestro.experts.pool import ExpertPool
from maestro.experts.protocol import ExpertRequest
from maestro.experts.scripted import Script, ScriptedExpert
from maestro.images import ImageStore
from maestro.registry.registry import Registry
from maestro.skills.ensemble import Ensemble
from maestro.types import Call, Observation, Task

FOLDERS = {name: Path(ensembles.__file__).parent / name / "registry" for name in ("maestro", "maestro_extended")}
ZOOM, OCR, DETECTION = "DeepEyes-7B", "GLM-OCR", "PR1-Qwen2.5-VL-3B-Detection"
SIZE = (280, 140)
"""Multiples of 28: the frame that helpers see is the picture itself."""
CROP_CALL = '<think>small</think><tool_call>{"name": "image_zoom_in_tool", "arguments": {"bbox_2d": [28, 28, 84, 84], "label": "x"}}'
BOXES = '```json\n[{"bbox_2d": [10, 20, 60, 70], "label": "cat"}, {"bbox_2d": [100, 20, 160, 70], "label": "cat"}]\n```'
DOWN = InfrastructureFault("connection refused")


@dataclass
class Stage:
    """An ensemble and what its experts were asked, in order."""

    ensemble: Ensemble
    asked: list[tuple[str, ExpertRequest]] = field(default_factory=list)

    @property
    def order(self) -> list[str]:
        """Who was asked."""
        return [expert for expert, _ in self.asked]

    def requests(self, expert: str) -> list[ExpertRequest]:
        return [request for one, request in self.asked if one == expert]

    def task(self, question: str, images: int = 1, size: tuple[int, int] = SIZE) -> Task:
        pictures = (Image.new("RGB", size, (40 * number, 90, 120)) for number in range(images))
        return Task(id="t", question=question, images=tuple(self.ensemble.images.put(one) for one in pictures))

    async def call(self, expert: str, skill: str, task: Task, query: str = "") -> Observation:
        return await self.ensemble.perform(Call(expert=expert, skill=skill, query=query), task)


def stage(name: str, replies: dict[str, Script | Callable[[ExpertRequest], Script]], default: Script = "") -> Stage:
    """The ensemble `name`; `replies` are by expert id, all others say `default`."""
    registry = Registry.load(FOLDERS[name])
    images = ImageStore()
    made = Stage(Ensemble(registry, images, ExpertPool({}, None, images)))

    def answering(expert: str) -> Callable[[ExpertRequest], Script]:
        def answer(request: ExpertRequest) -> Script:
            made.asked.append((expert, request))
            script = replies.get(expert, default)
            return script(request) if callable(script) else script

        return answer

    clients = {expert: ScriptedExpert(card, answering(expert)) for expert, card in registry.experts.items()}
    made.ensemble = Ensemble(registry, images, ExpertPool(registry.experts, None, images, clients=clients))
    return made


def system(request: ExpertRequest) -> str:
    return str(request.arguments["messages"][0]["content"])


def user(request: ExpertRequest) -> str:
    return str(request.arguments["messages"][-1]["content"])
