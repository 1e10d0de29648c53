"""Other wordings of the families' questions."""

from __future__ import annotations

import random
import re

import pytest

from maestro.ensembles.playground.tasks.families import FAMILIES
from maestro.ensembles.playground.tasks.rewording import fill, reworded, wordings
from maestro.ensembles.playground.tasks.source import PlaygroundSource
from maestro.images import ImageStore


def test_every_family_that_is_trained_on_has_many_wordings_and_a_withheld_one_none() -> None:
    assert set(wordings()) == {name for name, family in FAMILIES.items() if not family.withheld}
    assert min(len(set(sentences)) for sentences in wordings().values()) >= 30
    assert reworded("perimeter", "12", random.Random(1)) is None


@pytest.mark.parametrize("family", sorted(wordings()))
def test_slots_are_filled(family: str) -> None:
    for sentence in wordings()[family]:
        text = fill(sentence, "417", random.Random(1))
        assert not re.search(r"[{}]", text)
        assert ("{answer}" in sentence) == (family == "stated_value")
        assert "417" in text or "{answer}" not in sentence


def test_slots_of_a_kind_differ() -> None:
    assert all(len(set(fill("{colour} {colour2}", "", random.Random(seed)).split())) == 2 for seed in range(40))


def test_a_third_of_what_is_taught_is_put_in_other_words_and_always_the_same() -> None:
    source, images = PlaygroundSource(), ImageStore()
    taught = source.teach("warm", 90, images)
    plain = source.load("warm", 90, images)
    changed = [one.task.question != task.question for one, task in zip(taught, plain, strict=True)]
    assert 0.15 < sum(changed) / len(changed) < 0.5
    assert all(one.task.model_copy(update={"question": task.question}) == task for one, task in zip(taught, plain, strict=True))
    assert source.teach("warm", 90, images) == taught
