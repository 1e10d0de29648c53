"""What the registry's cards teach about wordings."""

from __future__ import annotations

from maestro.registry.registry import Registry
from maestro.train.warm_start.wordings import card_wordings


def test_examples_get_the_plan_that_the_cards_settle() -> None:
    registry = Registry.load("playground")
    scenes = card_wordings(registry)
    plans = {scene.task.category: scene.plan for scene in scenes}
    assert plans["read-change"] == ("read", "solve")
    assert plans["read-code"] == ("read", "run")
    assert plans["chart-pie"] == ("chart",)
    assert not any(category.startswith("locate") for category in plans)  # several skills take a region
    assert all(not scene.task.images and scene.task.question for scene in scenes)
    assert len({scene.task.id for scene in scenes}) == len(scenes) > 200
