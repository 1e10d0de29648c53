"""What a skill author gets wrong costs one episode and is told with what to write instead."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from maestro.errors import InfrastructureFault, PolicyFault
from maestro.skills.coded import run_coded
from maestro.skills.protocol import Caller, SkillRequest, SkillResult
from maestro.types import Skill

SKILL = Skill(id="look", summary="Looks.", experts=("e",), target="mine.look:run")
REQUEST = SkillRequest("What is it?")


async def nobody(*_: Any, **__: Any) -> None:
    raise AssertionError("nobody is asked")


CALLER = Caller(expert="e", ask=nobody, pixels=pytest.fail, put=str)


def giving(result: Any) -> Any:
    async def run(request: SkillRequest, caller: Caller) -> Any:
        return result

    return run


async def broken(request: SkillRequest, caller: Caller) -> SkillResult:
    return {}["oops"]


async def leaving(request: SkillRequest, caller: Caller) -> SkillResult:
    sys.exit(3)


async def refusing(request: SkillRequest, caller: Caller) -> SkillResult:
    raise PolicyFault("not this one")


def at_once(request: SkillRequest, caller: Caller) -> SkillResult:
    return SkillResult("v")


async def test_a_result_that_keeps_the_contract_passes_unchanged() -> None:
    for good in (SkillResult("v", 1.0), SkillResult(None), SkillResult("1+1", 1.0000001, gives="expression")):
        assert await run_coded(SKILL, giving(good), REQUEST, CALLER) is good


@pytest.mark.parametrize(
    ("result", "told"),
    [
        (None, "returned None; return SkillResult"),
        ({"text": "hello"}, "returned {'text': 'hello'} (dict); return SkillResult"),
        ("hello", "returned 'hello' (str); return SkillResult"),
        (SkillResult(42), "gave the value 42 (int); a value is text"),  # type: ignore[arg-type]
        (SkillResult("v", 7), "gave the confidence 7 (int); it is a number from 0 to 1"),
        (SkillResult("v", float("nan")), "gave the confidence nan (float)"),
        (SkillResult("v", "high"), "gave the confidence 'high' (str)"),  # type: ignore[arg-type]
        (SkillResult("v", gives="number"), "says that it gives 'number' (str); it is one of answer, region"),  # type: ignore[arg-type]
        (SkillResult("v", evidence=None), "no text"),  # type: ignore[arg-type]
        (SkillResult("\ud800"), "half a surrogate pair"),
        (SkillResult("v", evidence="a\ud800"), "half a surrogate pair"),
        ("x" * 1000, "…"),
    ],
)
async def test_a_wrong_result_is_a_fault_that_says_what_to_return(result: Any, told: str) -> None:
    with pytest.raises(InfrastructureFault) as fault:
        await run_coded(SKILL, giving(result), REQUEST, CALLER)
    assert told in str(fault.value)
    assert "mine.look:run" in str(fault.value)
    assert len(str(fault.value)) < 250


async def test_a_bug_is_told_with_its_line() -> None:
    with pytest.raises(InfrastructureFault, match=r"skill look broke: KeyError: 'oops' \(test_coded\.py, line \d+\)"):
        await run_coded(SKILL, broken, REQUEST, CALLER)


async def test_leaving_the_program_costs_the_episode_only() -> None:
    with pytest.raises(InfrastructureFault, match="SystemExit: 3"):
        await run_coded(SKILL, leaving, REQUEST, CALLER)


async def test_a_function_that_is_not_async_is_told_so() -> None:
    with pytest.raises(InfrastructureFault, match="write: async def run"):
        await run_coded(SKILL, at_once, REQUEST, CALLER)


async def test_what_is_the_policys_fault_stays_its_fault() -> None:
    with pytest.raises(PolicyFault):
        await run_coded(SKILL, refusing, REQUEST, CALLER)
