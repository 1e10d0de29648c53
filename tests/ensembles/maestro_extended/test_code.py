"""The code skill: how many calls it makes, and that generated code is run in the sandbox only."""

import importlib.util
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from maestro.ensembles.maestro_extended.procedures import code
from maestro.ensembles.maestro_extended.procedures.code import python_block
from tests.ensembles.maestro.stage import stage, system, user

MAIN = "Qwen3.5-9B"
TEST = "```python\nassert double(2) == 4\n```"
GOOD = "Here:\n```python\ndef double(x):\n    return 2 * x\n```"
BAD = "```python\ndef double(x):\n    return x\n```"
SOURCE = "def double(x):\n    return 2 * x"


@dataclass
class Outcome:
    status: str
    stdout: str = ""
    stderr: str = ""
    engine: str = "recorded"
    reason: str = ""


@pytest.fixture
def sandbox(monkeypatch):
    """A sandbox that gives outcomes from a list and keeps what it was to run; for the number and order of runs."""
    runs: list[str] = []
    outcomes: list[Outcome] = []

    async def run_python(source: str, **_: object) -> Outcome:
        runs.append(source)
        return outcomes.pop(0)

    monkeypatch.setattr(code, "_sandbox", lambda: SimpleNamespace(run_python=run_python))
    return SimpleNamespace(runs=runs, outcomes=outcomes)


async def play(replies: list[str], question: str = "def double(x):", images: int = 1):
    script = iter(replies)
    played = stage("maestro_extended", {MAIN: lambda _: next(script)})
    return played, await played.call(MAIN, "Code_Problem_Solver", played.task(question, images=images))


async def test_two_calls_when_all_goes_well(sandbox):
    sandbox.outcomes[:] = [Outcome("ok")]
    played, seen = await play([TEST, GOOD])
    assert (len(played.order), seen.value, seen.gives, seen.confidence) == (2, SOURCE, "code", 0.9)
    assert seen.text == f"```python\n{SOURCE}\n```"
    assert sandbox.runs == [f"{SOURCE}\n\nassert double(2) == 4\n"]
    assert "def double(x):\n    pass" in user(played.requests(MAIN)[0])
    assert "assert double(2) == 4" in user(played.requests(MAIN)[1])


async def test_three_calls_and_no_run_when_the_picture_has_no_test(sandbox):
    played, seen = await play(["NONE", "```python\nprint(1)\n```", GOOD])
    assert (len(played.order), seen.value, seen.confidence, sandbox.runs) == (3, SOURCE, 0.5, [])


async def test_a_failed_test_is_shown_and_repaired(sandbox):
    sandbox.outcomes[:] = [Outcome("error", stderr="AssertionError"), Outcome("timeout"), Outcome("ok")]
    played, seen = await play([TEST, BAD, BAD, GOOD])
    assert (len(played.order), len(sandbox.runs), seen.value) == (4, 3, SOURCE)
    repair = played.requests(MAIN)[2]
    assert "did not pass" in system(repair)
    assert "AssertionError" in user(repair)
    assert "return x" in user(repair)


async def test_five_calls_at_most_and_the_last_code_is_given_with_a_warning(sandbox):
    sandbox.outcomes[:] = [Outcome("error"), Outcome("error")]
    played, seen = await play(["no idea", TEST, BAD, "I give up", BAD])
    assert (len(played.order), seen.confidence) == (5, 0.2)
    assert "no ```python block" in system(played.requests(MAIN)[4])
    assert seen.text.endswith("(fails the test read from the picture)")


async def test_a_sandbox_that_refuses_is_told(sandbox):
    sandbox.outcomes[:] = [Outcome("refused", reason="no engine")]
    _, seen = await play([TEST, GOOD])
    assert (seen.value, seen.confidence) == (SOURCE, 0.5)
    assert "note: answered without a test run of the code (the sandbox refused it: no engine)" in seen.text


async def test_no_code_at_all_is_no_value(sandbox):
    played, seen = await play(["sorry"] * 3, images=0)
    assert (len(played.order), seen.status, seen.value, seen.text) == (3, "ok", None, "sorry")


async def test_long_code_keeps_its_signature(sandbox):
    sandbox.outcomes[:] = [Outcome("ok")]
    lines = "\n".join(f"    x += {number}" for number in range(200))
    _, seen = await play([TEST, f"```python\ndef double(x):\n{lines}\n    return x\n```"])
    assert len(seen.text) > 1000
    assert seen.text.startswith("```python\ndef double(x):")


def test_blocks_are_parsed_and_never_run():
    assert python_block("```python\nassert f(1) == 2\n```", "test") == "assert f(1) == 2"
    assert python_block("```python\nassert f(1) == 2\nimport os\n```", "test") is None
    assert python_block("```python\nassert f(1 == 2\n```", "test") is None
    assert python_block("```python\nraise SystemExit\n```", "function") is None
    assert python_block("```python\ndef f(): ...", "function") is None  # the fence is not closed


@pytest.mark.skipif(importlib.util.find_spec("maestro.sandbox") is None, reason="maestro.sandbox is not in this tree")
async def test_the_real_sandbox_decides():
    _, seen = await play([TEST, BAD, GOOD])
    assert (seen.value, seen.confidence) in {(SOURCE, 0.9), ("def double(x):\n    return x", 0.5)}
