"""A registry that is edited while an ensemble runs."""

import asyncio
import logging
import os
from pathlib import Path

import pytest

from maestro.errors import RegistryError
from maestro.images import ImageStore
from maestro.skills.ensemble import Ensemble
from maestro.types import Call, Task

CARDS = """\
name: living
experts:
  - {id: first-model, summary: One., kind: scripted, options: {replies: ["one"]}}
"""
SECOND = '  - {id: second-model, summary: Two., kind: scripted, options: {replies: ["two"]}}\n'
ROUTER = "---\nname: ask\ndescription: Asks.\nmetadata:\n  experts: [first-model]\n  dispatch: retrieval\n---\nPasses on.\n"
LEAF = "---\nname: {name}\ndescription: {about}\nmetadata:\n  examples: [{about}]\n---\nAnswer.\n"
TASK = Task(id="t", question="Which colour is the sky?")


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns + write.clock))  # two writes within one tick of the clock differ
    write.clock += 1_000_000


write.clock = 1_000_000


@pytest.fixture
async def living(tmp_path):
    write(tmp_path, "registry.yaml", CARDS)
    write(tmp_path, "skills/ask/SKILL.md", ROUTER)
    write(tmp_path, "skills/ask/ask-size/SKILL.md", LEAF.format(name="ask-size", about="How large something is"))
    async with Ensemble.load(tmp_path, ImageStore(), workers=0) as ensemble:
        yield ensemble


async def called(ensemble: Ensemble, expert: str) -> tuple[str, str, list[str]]:
    seen = await ensemble.perform(Call(expert=expert, skill="ask"), TASK)
    return seen.status, seen.value or "", [child.skill for child in seen.children]


async def test_an_expert_and_a_skill_come_and_go_without_a_restart(living):
    folder, first = living.registry.folder, living.name
    assert await called(living, "first-model") == ("ok", "one", ["ask-size"])
    assert (await called(living, "second-model"))[0] == "policy_error"
    write(folder, "registry.yaml", CARDS + SECOND)
    write(folder, "skills/ask/SKILL.md", ROUTER.replace("[first-model]", "[first-model, second-model]"))
    write(folder, "skills/ask/ask-colour/SKILL.md", LEAF.format(name="ask-colour", about="Which colour something has"))
    assert living.refresh(every_seconds=0)
    assert [expert.id for expert in living.menu.experts] == ["first-model", "second-model"]
    assert living.name != first
    assert await called(living, "second-model") == ("ok", "two", ["ask-colour"])
    assert not living.refresh(every_seconds=0)
    write(folder, "registry.yaml", CARDS)
    write(folder, "skills/ask/SKILL.md", ROUTER)
    (folder / "skills/ask/ask-colour/SKILL.md").unlink()
    (folder / "skills/ask/ask-colour").rmdir()
    assert living.reload()
    assert (await called(living, "second-model"))[0] == "policy_error"
    assert await called(living, "first-model") == ("ok", "one", ["ask-size"])
    assert living.name == first


async def test_a_broken_edit_keeps_the_registry_and_is_told(living, caplog):
    folder = living.registry.folder
    write(folder, "registry.yaml", CARDS + SECOND.replace("second-model", "first-model"))
    with caplog.at_level(logging.WARNING):
        assert not living.refresh(every_seconds=0)
    assert "duplicate expert id 'first-model'" in caplog.text
    assert "registry.yaml:4" in str(living.problem)
    assert await called(living, "first-model") == ("ok", "one", ["ask-size"])
    with pytest.raises(RegistryError, match="duplicate expert id"):
        living.reload()
    write(folder, "registry.yaml", CARDS)
    living.refresh(every_seconds=0)
    assert living.problem is None


async def test_a_target_that_is_not_there_is_a_broken_edit(living):
    write(
        living.registry.folder,
        "skills/ask/ask-size/SKILL.md",
        LEAF.format(name="ask-size", about="Size").replace("  examples", "  target: no.such:run\n  examples"),
    )
    with pytest.raises(RegistryError, match="no module no"):
        living.reload()
    assert await called(living, "first-model") == ("ok", "one", ["ask-size"])


async def test_a_changed_card_is_called_as_it_now_is_and_calls_under_way_end_as_they_began(living):
    folder = living.registry.folder
    write(folder, "registry.yaml", CARDS.replace('["one"]', '[{text: "slow", delay_seconds: 0.5}]'))
    living.reload()
    under_way = asyncio.create_task(called(living, "first-model"))
    await asyncio.sleep(0.05)
    write(folder, "registry.yaml", CARDS.replace('["one"]', '["other"]'))
    living.reload()
    assert (await called(living, "first-model"))[1] == "other"
    assert (await under_way)[1] == "slow"


async def test_nothing_is_read_before_it_is_time(living):
    write(living.registry.folder, "registry.yaml", CARDS + SECOND)
    assert not living.refresh(every_seconds=3600)
    assert living.refresh(every_seconds=0)
