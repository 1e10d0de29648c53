"""The procedures solve and run over the real experts, and over damaged readings."""

import pytest

from maestro.ensembles.playground.experts.algebra_solver import AlgebraSolver
from maestro.ensembles.playground.experts.code_sandbox import CodeSandbox
from maestro.ensembles.playground.procedures import run, solve
from maestro.skills.protocol import Caller, SkillRequest

pytest.importorskip("pydantic_monty")


def caller(model):
    asked = []

    async def ask(operation, images=(), **arguments):
        asked.append(arguments)
        return getattr(model, f"do_{operation}")([], **arguments)

    return Caller(expert="x", ask=ask, pixels=None, put=None, notes={"asked": asked})


@pytest.fixture(scope="module")
def sandbox():
    return CodeSandbox()


@pytest.mark.parametrize(
    ("query", "question", "value", "sure"),
    [
        ("12+7+9", "What is the total?", "28", 0.99),
        ("", "What is 17 times 23?", "391", 0.9),
        ("3*x+4=19", "What is x?", "5", 0.99),
        ("x**2=9", "Which x?", "-3, 3", 0.495),
        ("x**2=9", "What is the positive solution?", "3", 0.99),
        ("x**2=9", "What is the smaller solution?", "-3", 0.99),
        ("l2+7+9", "total", "28", 0.5),
        ("1O+2O", "total", "30", 0.5),
        ("(3+4*2", "total", "11", 0.5),
        ("12_5", "difference", "7", 0.5),
        ("12,5 + 3,25", "sum", "15.75", 0.5),
    ],
)
async def test_solve(query, question, value, sure):
    result = await solve.run(SkillRequest(question, query), caller(AlgebraSolver()))
    assert result.value == value
    assert result.confidence == pytest.approx(sure, abs=0.011)
    assert result.gives == "answer"
    assert 0 < len(result.evidence) <= 40


async def test_solve_says_why_not():
    hand = caller(AlgebraSolver())
    result = await solve.run(SkillRequest("Solve x + y = 3."), hand)
    assert (result.value, result.confidence) == (None, 0.0)
    assert "more than one unknown" in result.evidence
    assert len(hand.notes["asked"]) == 1  # nothing to repair, nothing asked again


@pytest.mark.parametrize(
    ("code", "value", "sure"),
    [
        ("a = 17\nb = a * 3\nprint(b - 4)", "47", 0.95),
        ("a = 17\\nb = a * 3\\nprint(b - 4)", "47", 0.95),
        ("t = 3\nfor i in range(5):\n    t += i\nprint(t)", "13", 0.95),
        ("print(1)\nprint(2)", "1 2", 0.95),
        ("t = 3\nfor i in range(5)\n    t += i\nprint(t)", "13", 0.7),
        ("a = 1O\nprint(a + 2", "12", 0.7),
        ("    a = 4\n    print(a)", "4", 0.7),
    ],
)
async def test_run(code, value, sure, sandbox):
    result = await run.run(SkillRequest("What does it print?", code), caller(sandbox))
    assert (result.value, result.confidence) == (value, sure)


async def test_run_without_result(sandbox):
    for code, told in (("print(1/0)", "ZeroDivisionError"), ("a = 3", "prints nothing"), ("print(missing)", "NameError")):
        result = await run.run(SkillRequest("What does it print?", code), caller(sandbox))
        assert result.value is None
        assert told in result.evidence
        assert result.confidence <= 0.1
    long = await run.run(SkillRequest("q", "print('ab ' * 500)"), caller(sandbox))
    assert (len(long.value), long.confidence) == (200, 0.47) or (len(long.value), long.confidence) == (200, 0.48)


async def test_run_finds_a_fenced_program_and_refuses_none(sandbox):
    result = await run.run(SkillRequest("What does this print?\n```python\nprint(2 + 3)\n```"), caller(sandbox))
    assert result.value == "5"
    with pytest.raises(ValueError, match="needs a program"):
        await run.run(SkillRequest("What does it print?"), caller(sandbox))
    with pytest.raises(ValueError, match="at most 4000"):
        await run.run(SkillRequest("q", "x = 1\n" * 1000), caller(sandbox))
