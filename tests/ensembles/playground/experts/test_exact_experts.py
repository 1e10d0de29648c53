"""The solver and the sandbox as a user has them: through the shipped registry, the pool and worker processes."""

import asyncio
import json
import os
import time
from pathlib import Path

import pytest

from maestro.errors import PolicyFault
from maestro.experts.pool import ExpertPool
from maestro.experts.protocol import ExpertRequest
from maestro.images import ImageStore
from maestro.registry.registry import Registry

pytest.importorskip("pydantic_monty")


def descendants(of):
    """Living processes below a process, by reading /proc."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if fields[0] != "Z":
            parents[int(path.parent.name)] = int(fields[1])
    found, level = set(), {of}
    while level:
        level = {pid for pid, parent in parents.items() if parent in level} - found
        found |= level
    return found


async def ask(pool, expert, operation, **arguments):
    return json.loads((await pool.call(expert, ExpertRequest(operation, arguments=arguments), 60)).text)


async def test_solver_and_sandbox_in_worker_processes():
    before = descendants(os.getpid())
    registry = Registry.load("playground")
    async with ExpertPool(registry.experts, None, ImageStore(), workers=1) as pool:
        assert (await ask(pool, "algebra-solver", "solve", text="3x + 4 = 19"))["value"] == "5"
        assert (await ask(pool, "code-sandbox", "run", code="print(6 * 7)"))["output"] == "42\n"
        with pytest.raises(PolicyFault, match="no code to run"):
            await ask(pool, "code-sandbox", "run", code="")
        with pytest.raises(PolicyFault, match="it offers solve"):
            await ask(pool, "algebra-solver", "ocr")
        started = time.perf_counter()
        for number in range(30):
            assert (await ask(pool, "algebra-solver", "solve", text=f"{number} * 7 + 1"))["value"] == str(number * 7 + 1)
        assert (time.perf_counter() - started) / 30 < 0.3  # about 1 ms on an idle core
        assert descendants(os.getpid()) - before
    left = descendants(os.getpid()) - before
    deadline = time.monotonic() + 3
    while left and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
        left &= descendants(os.getpid())
    assert not left


def test_solve_and_run_are_in_the_registry():
    registry = Registry.load("playground")
    solve, run = registry.skills["solve"], registry.skills["run"]
    assert (solve.experts, solve.takes, solve.gives) == (("algebra-solver",), ("expression", "question"), "answer")
    assert (run.experts, run.takes, run.gives) == (("code-sandbox",), ("code",), "answer")
    assert len(solve.examples) >= 6 <= len(run.examples)
    assert registry.experts["algebra-solver"].price.call_usd == 0.0002
    assert registry.experts["code-sandbox"].price.call_usd == 0.0005
