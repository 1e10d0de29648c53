"""The playground's task source: splits, seeds and task ids."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from itertools import islice

from maestro.ensembles.playground.tasks.families import FAMILIES, Family
from maestro.ensembles.playground.tasks.fonts import require
from maestro.ensembles.playground.tasks.rewording import reworded
from maestro.ensembles.playground.tasks.scene import Scene
from maestro.ensembles.playground.tasks.style import SHIFTED, TRAIN, Style
from maestro.errors import TaskError
from maestro.images import ImageStore
from maestro.tasks.source import TaughtTask, interleave
from maestro.types import Task

SIZES: dict[str, int] = {"warm": 4000, "train": 8000, "val": 600, "test": 1200, "test-shifted": 1200, "test-families": 600}
"""Number of tasks in a whole split; a larger `limit` than that draws more."""


REWORDED = 1 / 3
"""Share of the warm start's questions that are put in other words than the families' own templates."""


class PlaygroundSource:
    """Synthetic questions over drawn pictures; the same id always has the same pixels, question and answer.

    Splits: `warm` (warm start), `train`, `val`, `test` in the training style; `test-shifted` in withheld fonts and shades
    with extra tint, rotation, blur, noise and JPEG; `test-families` with the families that no other split contains.
    """

    name = "playground"
    splits = tuple(SIZES)

    def families(self, split: str) -> dict[str, Family]:
        """The families of a split by name. Raises TaskError for an unknown split."""
        self._check(split)
        return {name: family for name, family in FAMILIES.items() if family.withheld == (split == "test-families")}

    def scene(self, split: str, family: str, index: int) -> Scene:
        """Draw one scene, with the look and plan that only the warm start may see.

        Raises TaskError for an unknown split or family, MissingDependency when fonts are not installed.
        """
        known = self.families(split)
        if family not in known:
            raise TaskError(f"no family {family!r} in split {split!r} of the playground. It has: {', '.join(known)}.")
        style = style_of(split)
        require(style.fonts)
        return known[family].scene(random.Random(f"{family}/{split}/{index}"), style)

    def order(self, split: str) -> Iterator[tuple[str, int]]:
        """Endless (family, index) pairs in the order in which `load` takes them."""
        return interleave({name: family.weight for name, family in self.families(split).items()})

    def load(self, split: str, limit: int | None, images: ImageStore) -> list[Task]:
        """The first `limit` tasks of a split (`SIZES[split]` when None); see TaskSource."""
        self._check(split)
        if limit is not None and limit < 0:
            raise TaskError(f"limit must be 0 or more, got {limit}.")
        wanted = SIZES[split] if limit is None else limit
        return [self.task(split, family, index, images) for family, index in islice(self.order(split), wanted)]

    def task(self, split: str, family: str, index: int, images: ImageStore) -> Task:
        """One task; its picture is put into `images`."""
        return self._task(self.scene(split, family, index), split, family, index, images)

    def teach(self, split: str, limit: int | None, images: ImageStore) -> list[TaughtTask]:
        """The tasks that `load` gives, with what only a warm start may know of them; every third question in somebody else's words."""
        self._check(split)
        taught = []
        for family, index in islice(self.order(split), SIZES[split] if limit is None else limit):
            scene = self.scene(split, family, index)
            task = self._task(scene, split, family, index, images)
            rng = random.Random(f"wording/{family}/{split}/{index}")
            if rng.random() < REWORDED and (question := reworded(family, task.references[0], rng)) is not None:
                task = task.model_copy(update={"question": question})
            taught.append(TaughtTask(task, tuple(scene.plan), " ".join(scene.look)))
        return taught

    def _task(self, scene: Scene, split: str, family: str, index: int, images: ImageStore) -> Task:
        return Task(
            id=f"{self.name}/{split}/{family}/{index}",
            question=scene.question,
            images=(images.put(scene.image),),
            references=scene.references,
            profile=scene.profile,
            params=dict(scene.params),
            source=f"{self.name}/{split}",
            category=family,
        )

    @staticmethod
    def parse(task_id: str) -> tuple[str, str, int]:
        """Split, family and index of a task id of this source. Raises TaskError."""
        parts = task_id.split("/")
        if len(parts) != 4 or parts[0] != PlaygroundSource.name or not parts[3].isdecimal():
            raise TaskError(f"{task_id!r} is no playground task id; they look like playground/test/text_line/0.")
        return parts[1], parts[2], int(parts[3])

    def _check(self, split: str) -> None:
        if split not in self.splits:
            raise TaskError(f"the playground has no split {split!r}. It has: {', '.join(self.splits)}.")


def style_of(split: str) -> Style:
    """The style a split is drawn in."""
    return SHIFTED if split == "test-shifted" else TRAIN


def shares(families: Mapping[str, Family]) -> tuple[float, float]:
    """Shares (0..1) of tasks that call for no skill, and for two or more in order."""
    total = sum(family.weight for family in families.values())
    return (
        sum(family.weight for family in families.values() if not family.plan) / total,
        sum(family.weight for family in families.values() if len(family.plan) > 1) / total,
    )
