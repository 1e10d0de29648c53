"""The ensemble over a registry on disk with scripted experts: checks, dispatch, regions, failures."""

from pathlib import Path

import pytest
from PIL import Image

from maestro.experts.protocol import ExpertRequest
from maestro.experts.scripted import ScriptedExpert
from maestro.images import ImageStore
from maestro.skills.ensemble import Ensemble
from maestro.skills.protocol import Caller, SkillRequest, SkillResult
from maestro.types import Call, Task

REGISTRY = """\
name: tiny
summary: For tests.
observation: {max_characters: 60}
experts:
  - id: parrot
    summary: Says what it is told.
    kind: scripted
    price: {call_usd: 0.01}
    options:
      replies: ["first thought\\n\\nforty two"]
  - id: other
    summary: Never offered.
    kind: scripted
    options:
      replies: ["x"]
"""
SKILLS = {
    "ask": "description: Ask anything.\nmetadata:\n  experts: [parrot]",
    "see": "description: Look at the picture.\nmetadata:\n  experts: [parrot]\n  dispatch: retrieval\n  takes: [question, region]",
    "see/see-size": "description: Tell the size.\nmetadata:\n  target: tests.skills.test_ensemble:size\n  examples: ['How large is it?']",
    "see/see-bug": "description: Has an error.\nmetadata:\n  target: tests.skills.test_ensemble:bug\n  examples: [Find the bug]",
}


async def size(request: SkillRequest, caller: Caller) -> SkillResult:
    picture = caller.pixels(request.images[0])
    if "wrong" in request.question:
        raise ValueError("this picture has no size")
    return SkillResult(value=f"{picture.width}x{picture.height}", confidence=1.0, evidence="measured")


async def bug(request: SkillRequest, caller: Caller) -> SkillResult:
    raise KeyError("oops")


@pytest.fixture
async def ensemble(tmp_path: Path):
    (tmp_path / "registry.yaml").write_text(REGISTRY)
    for name, text in SKILLS.items():
        path = tmp_path / "skills" / name / "SKILL.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"---\nname: {path.parent.name}\n{text}\n---\nAnswer briefly.\n")
    async with Ensemble.load(tmp_path, ImageStore(), workers=0) as loaded:
        yield loaded


def task(ensemble: Ensemble, question: str) -> Task:
    return Task(id="t", question=question, images=(ensemble.images.put(Image.new("RGB", (64, 32))),))


async def test_a_prompt_skill_is_one_call_and_its_last_line(ensemble: Ensemble) -> None:
    seen = await ensemble.perform(Call(expert="parrot", skill="ask"), task(ensemble, "What?"))
    assert (seen.status, seen.value, seen.cost_usd) == ("ok", "forty two", 0.01)
    assert [(child.expert, child.skill) for child in seen.children] == [("parrot", "ask")]
    assert seen.text.startswith("answer: forty two\nconfidence: ")


async def test_level_two_is_found_by_the_question(ensemble: Ensemble) -> None:
    seen = await ensemble.perform(Call(expert="parrot", skill="see"), task(ensemble, "How big is the picture?"))
    assert seen.value == "64x32"


async def test_a_region_query_is_cropped_and_enlarged(ensemble: Ensemble) -> None:
    seen = await ensemble.perform(Call(expert="parrot", skill="see", query="0,0,32,16"), task(ensemble, "How large?"))
    assert seen.value == "128x64"
    outside = await ensemble.perform(Call(expert="parrot", skill="see", query="100,100,120,120"), task(ensemble, "How large?"))
    assert (outside.status, "64x32" in outside.text) == ("policy_error", True)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (Call(expert="parrot", skill="fly"), "no skill 'fly'; there are ask, see"),
        (Call(expert="Parrot", skill="ask"), "no expert 'Parrot'"),
        (Call(expert="other", skill="ask"), "no expert 'other'; for ask there are parrot"),
    ],
)
async def test_what_the_registry_does_not_allow_is_the_policys_fault(ensemble: Ensemble, call: Call, message: str) -> None:
    seen = await ensemble.perform(call, task(ensemble, "What?"))
    assert seen.status == "policy_error"
    assert message in seen.text


async def test_a_skill_that_makes_no_sense_is_told_and_a_broken_one_is_infrastructure(ensemble: Ensemble) -> None:
    told = await ensemble.perform(Call(expert="parrot", skill="see"), task(ensemble, "How large is the wrong thing?"))
    assert (told.status, told.text) == ("policy_error", "error: this picture has no size")
    broken = await ensemble.perform(Call(expert="parrot", skill="see"), task(ensemble, "Find the bug"))
    assert (broken.status, "KeyError" in broken.text) == ("expert_error", True)


async def test_the_registry_says_how_long_an_observation_may_be(ensemble: Ensemble) -> None:
    ensemble.pool._clients["parrot"] = ScriptedExpert(ensemble.registry.expert("parrot"), ["y" * 500])
    seen = await ensemble.perform(Call(expert="parrot", skill="ask"), task(ensemble, "What?"))
    assert len(seen.text) <= 60
    assert seen.value == "y" * 60  # what a policy may pass on is no longer than what it may read


async def test_a_deadline_is_a_timeout(ensemble: Ensemble, monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    async def hangs(expert: str, request: ExpertRequest, deadline_seconds: float) -> object:
        await asyncio.sleep(30)

    monkeypatch.setattr(ensemble.pool, "call", hangs)
    seen = await ensemble.perform(Call(expert="parrot", skill="ask"), task(ensemble, "What?"), deadline_seconds=0.05)
    assert seen.status == "timeout"


async def test_a_level_two_skill_can_be_tried_by_name(ensemble):
    picture = ensemble.images.put(Image.new("RGB", (300, 200)))
    task = Task(id="t", question="Find the bug", images=(picture,))
    call = Call(expert="parrot", skill="see")
    assert (await ensemble.perform(call, task)).status == "expert_error"  # dispatched to see-bug
    tried = await ensemble.perform(call, task, leaf="see-size")
    assert (tried.status, tried.value) == ("ok", "300x200")
    unknown = await ensemble.perform(call, task, leaf="see-nothing")
    assert (unknown.status, unknown.text) == ("policy_error", "error: no level-2 skill 'see-nothing' of see; there are see-bug, see-size")


async def test_a_parent_that_needs_a_picture_speaks_for_its_children(tmp_path: Path) -> None:
    (tmp_path / "registry.yaml").write_text(REGISTRY)
    for name, text in SKILLS.items():
        path = tmp_path / "skills" / name / "SKILL.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        needs = "\n  needs_image: true" if name == "see" else ""
        path.write_text(f"---\nname: {path.parent.name}\n{text}{needs}\n---\nAnswer briefly.\n")
    async with Ensemble.load(tmp_path, ImageStore(), workers=0) as ensemble:
        blind = await ensemble.perform(Call(expert="parrot", skill="see"), Task(id="t", question="How large is it?"))
        assert (blind.status, blind.text) == ("policy_error", "error: see works on a picture, and this question has none")
        assert (await ensemble.perform(Call(expert="parrot", skill="see"), task(ensemble, "How large is it?"))).value == "64x32"
