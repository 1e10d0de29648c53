import pytest

from maestro.errors import StoreError
from maestro.evaluate.scripted import scripted_pool
from maestro.evaluate.verify import verify
from maestro.rollout.manifest import Manifest, RecordedSplit, manifest_path, read_manifest
from maestro.types import Observation


class Altered:
    """The pool's outcomes with some fields changed."""

    def __init__(self, pool, change):
        self.pool, self.menu, self.name, self.change = pool, pool.menu, pool.name, change

    async def perform(self, call, task, deadline_seconds):
        observation = await self.pool.perform(call, task)
        return observation.model_copy(update=self.change(observation))


@pytest.fixture
def pool():
    return scripted_pool("test", 16)


def tasks(pool):
    return [recorded.task for recorded in pool.tasks.values()]


async def test_the_same_outcomes_agree_and_follow_ups_are_among_them(pool):
    asked = []

    def note(observation):
        asked.append(observation)
        return {}

    found = await verify(tasks(pool), pool, Altered(pool, note), 40)
    assert found.passed
    assert (found.checked, found.agreed, found.same_text, found.agreement) == (40, 40, 40, 1.0)
    assert any(observation.value and observation.value.isdigit() for observation in asked)


@pytest.mark.parametrize("sample", [1, 30, 60, 79, 80, 85, 1000])
async def test_no_call_is_made_twice_and_no_more_than_there_are(pool, sample):
    made = []

    class Noting(Altered):
        async def perform(self, call, task, deadline_seconds):
            made.append((task.id, call))
            return await super().perform(call, task, deadline_seconds)

    found = await verify(tasks(pool), pool, Noting(pool, lambda _: {}), sample)
    firsts = len(tasks(pool)) * len(pool.menu.pairs)
    assert len(set(made)) == len(made) == found.checked <= sample
    assert found.checked == sample or sample > firsts
    if sample == 1000:
        assert {(task, call) for task, call in made if not call.query} == {
            (task.id, type(made[0][1])(expert=expert, skill=skill)) for task in tasks(pool) for expert, skill in pool.menu.pairs
        }
        assert found.checked > firsts, "follow-ups are made beside all first calls"


@pytest.mark.parametrize(("shift", "agree"), [(0.01, True), (-0.01, True), (0.05, False)])
async def test_confidences_may_differ_within_the_tolerance(pool, shift, agree):
    live = Altered(pool, lambda observation: {"confidence": (observation.confidence or 0.0) + shift, "text": "other"})
    found = await verify(tasks(pool), pool, live, 40)
    assert found.passed is agree
    assert found.agreement == float(agree)
    assert found.same_text == 0


@pytest.mark.parametrize("change", [{"value": "else"}, {"status": "policy_error"}, {"gives": "code"}])
async def test_any_other_difference_is_a_disagreement(pool, change):
    found = await verify(tasks(pool), pool, Altered(pool, lambda _: change), 20)
    assert len(found.disagreements) == 20
    assert not found.passed


async def test_broken_live_calls_say_nothing_about_the_record(pool):
    found = await verify(tasks(pool), pool, Altered(pool, lambda _: {"status": "expert_error"}), 10)
    assert (found.checked, len(found.broken), found.disagreements) == (0, 10, [])
    assert not found.passed


async def test_what_is_not_recorded_is_counted(pool):
    class Empty:
        menu, name = pool.menu, pool.name

        async def perform(self, call, task, deadline_seconds):
            return Observation(text="not recorded", status="expert_error")

    found = await verify(tasks(pool), Empty(), pool, 10)
    assert (found.unrecorded, found.checked, found.passed) == (10, 0, False)


async def test_the_same_seed_draws_the_same_calls(pool):
    def calls(seed):
        found = []
        live = Altered(pool, lambda observation: found.append(observation.text) or {})
        return found, verify(tasks(pool), pool, live, 15, seed=seed, concurrency=1)

    drawn = []
    for seed in (1, 1, 2):
        found, work = calls(seed)
        await work
        drawn.append(found)
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]


def test_a_manifest_is_kept_beside_the_store(tmp_path):
    store = tmp_path / "calls.sqlite"
    store.touch()
    manifest = Manifest(registry="toy", depth=2).with_split(RecordedSplit(source="s", split="test", tasks=5))
    manifest.with_split(RecordedSplit(source="s", split="test", tasks=9)).write(store)
    again = read_manifest(store)
    assert again.splits == (RecordedSplit(source="s", split="test", tasks=9),)
    assert again.find("test", "s") is not None
    assert again.find("test", "other") is None
    manifest_path(store).write_text("{")
    with pytest.raises(StoreError, match="damaged"):
        read_manifest(store)
