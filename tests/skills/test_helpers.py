"""Helpers of a skill: asked at once, priced, recorded in the order of asking, bounded in time."""

import asyncio
from pathlib import Path

import pytest
from PIL import Image

from maestro.errors import ConfigError, StoreError
from maestro.experts.pool import ExpertPool
from maestro.experts.protocol import ExpertRequest
from maestro.experts.scripted import Delayed, ScriptedExpert
from maestro.experts.store import CallStore, StoreMode
from maestro.images import ImageStore
from maestro.registry.registry import Registry
from maestro.skills.ensemble import Ensemble
from maestro.types import Call, Task

REGISTRY = """\
name: helped
observation: {form: message}
experts:
  - {id: main, summary: Answers., kind: scripted, options: {replies: ["x"]}, price: {call_usd: 0.01}}
  - {id: reader, summary: Reads., kind: scripted, options: {replies: ["x"]}, price: {call_usd: 0.002}}
  - {id: teller, summary: Tells., kind: scripted, options: {replies: ["x"]}, price: {call_usd: 0.003}}
"""
SKILL = """\
---
name: look
description: Looks.
metadata:
  experts: [main]
  helpers: {ocr: reader, caption: teller}
---
Answer.
"""


def ensemble(folder: Path, store: CallStore | None = None, **clients) -> Ensemble:
    (folder / "skills/look").mkdir(parents=True, exist_ok=True)
    (folder / "registry.yaml").write_text(REGISTRY)
    (folder / "skills/look/SKILL.md").write_text(SKILL)
    registry = Registry.load(folder)
    images = ImageStore()
    made = {name: ScriptedExpert(registry.expert(name), script) for name, script in clients.items()}
    return Ensemble(registry, images, ExpertPool(registry.experts, store, images, clients=made))


def task(played: Ensemble, images: int = 1) -> Task:
    pictures = (Image.new("RGB", (40 + number, 30)) for number in range(images))
    return Task(id="t", question="What?", images=tuple(played.images.put(one) for one in pictures))


CALL = Call(expert="main", skill="look")


async def test_helpers_work_at_the_same_time_and_are_recorded_in_order(tmp_path):
    everybody = asyncio.Event()
    waiting: list[str] = []

    async def meets(request: ExpertRequest) -> str:
        waiting.append(request.arguments["messages"][0]["content"])
        if len(waiting) == 4:
            everybody.set()
        await everybody.wait()  # hangs for ever unless all four are asked before the first has answered
        return "seen"

    played = ensemble(tmp_path, main=["7"], reader=meets, teller=meets)
    seen = await played.perform(CALL, task(played, images=2))
    assert [child.expert for child in seen.children] == ["teller", "reader", "teller", "reader", "main"]
    assert seen.cost_usd == pytest.approx(0.02)
    assert seen.text == "7"


async def test_a_helper_that_hangs_leaves_the_expert_time(tmp_path):
    played = ensemble(tmp_path, main=["7"], reader=lambda _: Delayed(60, "late"), teller=lambda _: "seen")
    seen = await played.perform(CALL, task(played), deadline_seconds=6)
    assert (seen.status, seen.value) == ("ok", "7")
    assert seen.text == "7\nnote: answered without the text in image 1"


async def test_the_same_helper_call_in_flight_is_made_once_and_paid_by_each(tmp_path):
    reader = [0]

    async def counts(_: ExpertRequest) -> str:
        reader[0] += 1
        await asyncio.sleep(0)
        return "seen"

    played = ensemble(tmp_path, main=lambda _: "7", reader=counts, teller=lambda _: "")
    twice = await asyncio.gather(*(played.perform(CALL, task(played)) for _ in range(2)))
    assert reader[0] == 1
    assert {seen.cost_usd for seen in twice} == {0.015}


async def test_a_replayed_call_needs_no_helper_and_a_missing_record_is_no_lost_evidence(tmp_path):
    path = tmp_path / "calls.sqlite"
    with CallStore(path, StoreMode.RECORD) as store:
        played = ensemble(tmp_path / "r", store, main=["7"], reader=["seen"], teller=["told"])
        live = await played.perform(CALL, task(played))
    with CallStore(path, StoreMode.REPLAY) as store:
        replayed = ensemble(tmp_path / "r", store)
        again = await replayed.perform(CALL, task(replayed))
        assert (again.text, again.cost_usd, [child.replayed for child in again.children]) == (live.text, live.cost_usd, [True] * 3)
        missing = await replayed.perform(CALL, task(replayed, images=2))
        assert missing.status == "expert_error"


async def test_a_users_mistake_with_a_helper_is_raised(tmp_path):
    played = ensemble(tmp_path, main=["7"], reader=lambda _: "x", teller=lambda _: "x")
    card = played.registry.expert("reader").model_copy(update={"options": {}})
    played.pool.replace_experts({**played.registry.experts, "reader": card})
    with pytest.raises((ConfigError, StoreError), match="reader"):
        await played.perform(CALL, task(played))
