"""What ships as the playground's recorded pool leaves something to learn, and is still true."""

import asyncio

import pytest

from maestro.cli.store_headroom import judge
from maestro.ensembles.playground.shipped import POOL, shipped_pool
from maestro.ensembles.playground.tasks.source import PlaygroundSource
from maestro.evaluate.verify import verify
from maestro.images import ImageStore
from maestro.registry.registry import Registry
from maestro.rollout.manifest import read_manifest
from maestro.rollout.tables import read_tables
from maestro.skills.ensemble import Ensemble

GATE = 0.10


@pytest.fixture(scope="module")
def manifest():
    return read_manifest(shipped_pool())


def test_the_pool_is_small_enough_to_ship(manifest):
    assert sum(path.stat().st_size for path in POOL.iterdir()) < 8_000_000
    assert {known.split for known in manifest.splits} == {"train", "val", "test", "test-shifted", "test-families"}


def test_oracle_beats_the_best_question_only_lookup_by_the_gate(manifest):
    """A lookup on the question alone must not take what there is to learn (utility, on train, test and test-shifted)."""
    found = judge(shipped_pool(), manifest, ("train", "test", "test-shifted"))
    gaps = {split: one.gap for split, one in found.items()}
    assert all(one.gate(GATE) for one in found.values()), gaps


def test_shares_of_questions_that_need_no_call_and_two_in_order(manifest):
    """Counted on what the recorded oracle does, not on what the families declare."""
    pool = read_tables(shipped_pool(), Registry.load("playground").menu(), ("test",))
    plans = [pool.best(name, direct=False) for name in pool.tasks]
    solved = [plan for plan in plans if plan.score >= 1]
    two = sum(len(plan.calls) > 1 for plan in solved)
    assert two >= 0.25 * len(solved), f"{two} of {len(solved)} solved questions take two calls"


def test_the_pictures_drawn_here_are_those_that_were_recorded(manifest):
    images = ImageStore(capacity=10_000)
    pool = read_tables(shipped_pool(), Registry.load("playground").menu(), ("val",))
    for task in PlaygroundSource().load("val", 30, images):
        assert pool[task.id].task == task


def test_a_sample_of_recorded_calls_is_still_true(manifest):
    images = ImageStore(capacity=10_000)
    tasks = PlaygroundSource().load("val", 20, images)
    pool = read_tables(shipped_pool(), Registry.load("playground").menu(), ("val",))

    async def check():
        async with Ensemble.load("playground", images) as live:
            return await verify(tasks, pool, live, 20, seed=7)

    found = asyncio.run(check())
    assert found.passed, (found.disagreements, found.broken)
