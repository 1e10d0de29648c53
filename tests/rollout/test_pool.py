from collections import Counter

import pytest

from maestro.errors import StoreError
from maestro.evaluate.scripted import scripted_menu, scripted_pool
from maestro.registry.menu import Menu
from maestro.rollout.pool import RecordedPool
from maestro.types import Call, Observation


class CountingEnsemble:
    """A recorded pool that counts what it is asked and breaks where told."""

    def __init__(self, pool, broken=()):
        self.pool = pool
        self.menu = pool.menu
        self.name = pool.name
        self.broken = broken
        self.asked = Counter()
        self.leaked = []

    async def perform(self, call, task, deadline_seconds):
        self.asked[task.id, call.expert, call.skill, call.query] += 1
        if task.references or task.category:
            self.leaked.append(task.id)
        if (call.expert, call.skill) in self.broken:
            return Observation(text="it is down", status="expert_error")
        return await self.pool.perform(call, task)


async def test_every_allowed_call_is_made_exactly_once():
    source = scripted_pool("train", 12)
    ensemble = CountingEnsemble(source)
    pool, progress = await RecordedPool.gather([r.task for r in source.tasks.values()], ensemble, concurrency=3)
    assert set(ensemble.asked.values()) == {1}
    assert ensemble.leaked == []
    assert list(pool.tasks) == list(source.tasks)
    for name, recorded in pool.tasks.items():
        firsts = {(expert, skill) for expert, skill, query in recorded.outcomes if not query}
        assert firsts == set(source.menu.pairs)
        assert {plan.calls: plan.utility for plan in pool.plans(name)} == {plan.calls: plan.utility for plan in source.plans(name)}
    assert progress.calls == sum(ensemble.asked.values()) == sum(len(r.outcomes) for r in pool.tasks.values())
    assert progress.tasks == progress.total == 12
    assert not progress.failures


async def test_what_comes_back_is_followed_up():
    source = scripted_pool("train", 4)
    ensemble = CountingEnsemble(source)
    await RecordedPool.gather([r.task for r in source.tasks.values()], ensemble)
    kinds = {name.split("/")[2]: name for name in source.tasks}
    queries = {kind: {(e, s) for n, e, s, q in ensemble.asked if n == name and q} for kind, name in kinds.items()}
    assert queries["zoom"] == {("cheap-reader", "read"), ("dear-reader", "read")}
    assert queries["sum"] == {("calculator", "solve")}
    assert queries["label"] == set()


async def test_failures_are_counted_apart_and_not_recorded():
    source = scripted_pool("train", 8)
    ensemble = CountingEnsemble(source, broken={("dear-reader", "read")})
    pool, progress = await RecordedPool.gather([r.task for r in source.tasks.values()], ensemble)
    assert set(progress.failures) == {"dear-reader@read"}
    assert progress.failures["dear-reader@read"] >= 8
    assert "it is down" in progress.examples["dear-reader@read"]
    assert not any(expert == "dear-reader" and skill == "read" for r in pool.tasks.values() for expert, skill, _ in r.outcomes)


async def test_the_pool_tells_policy_mistakes_from_missing_records():
    pool = scripted_pool(size=1)
    task = next(iter(pool.tasks.values())).task
    told = await pool.perform(Call(expert="calculator", skill="read"), task)
    assert told.status == "policy_error"
    assert "cheap-reader, dear-reader are" in told.text
    assert (await pool.perform(Call(expert="dear-reader", skill="read", query="7,7,9,9"), task)).status == "expert_error"
    assert (await pool.perform(Call(expert="dear-reader", skill="nothing"), task)).status == "policy_error"


@pytest.mark.parametrize("name", ["pool.jsonl", "pool.jsonl.gz", "pool.jsonl.xz"])
def test_saved_and_loaded_unchanged(tmp_path, name):
    pool = scripted_pool("val", 8)
    pool.save(tmp_path / name)
    again = RecordedPool.load(tmp_path / name, scripted_menu())
    assert [(r.task, r.outcomes) for r in again.tasks.values()] == [(r.task, r.outcomes) for r in pool.tasks.values()]
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "damaged"),
        (b'{"version":9}\n', "version 9"),
        (b'{"version":1,"name":"x","menu":"other","code":""}\n', "another registry"),
        (b"nonsense", "damaged"),
    ],
)
def test_a_bad_file_is_refused_with_the_reason(tmp_path, content, told):
    path = tmp_path / "pool.jsonl"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=told):
        RecordedPool.load(path, scripted_menu())


def test_a_table_made_by_other_code_is_refused(tmp_path):
    scripted_pool("val", 4).save(tmp_path / "pool.jsonl", code="old")
    with pytest.raises(StoreError, match="other code"):
        RecordedPool.load(tmp_path / "pool.jsonl", scripted_menu(), code="new")
    assert len(RecordedPool.load(tmp_path / "pool.jsonl", scripted_menu(), code="old").tasks) == 4


def test_a_table_cut_at_a_line_is_refused(tmp_path):
    path = tmp_path / "pool.jsonl"
    scripted_pool("val", 4).save(path)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    with pytest.raises(StoreError, match="cut short: 3 of 4"):
        RecordedPool.load(path, scripted_menu())


def test_only_the_same_questions_are_selected():
    pool = scripted_pool("test", 8)
    tasks = [recorded.task for recorded in pool.tasks.values()][2:4]
    assert list(pool.select(tasks).tasks) == [task.id for task in tasks]
    with pytest.raises(StoreError, match="has changed since"):
        pool.select([tasks[0].model_copy(update={"question": "Another one?"})])
    with pytest.raises(StoreError, match="not in the recorded pool"):
        pool.select([tasks[0].model_copy(update={"id": "new"})])


def test_a_missing_file_says_how_to_make_one(tmp_path):
    with pytest.raises(StoreError, match="maestro record"):
        RecordedPool.load(tmp_path / "none.jsonl", Menu((), ()))


def test_a_truncated_archive_is_damaged(tmp_path):
    path = tmp_path / "pool.jsonl.xz"
    scripted_pool("val", 8).save(path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(StoreError, match="damaged"):
        RecordedPool.load(path, scripted_menu())


def test_answering_at_once_is_an_option_only_where_it_is_allowed():
    pool = scripted_pool("test", 8)
    stated = next(name for name in pool.tasks if "/stated/" in name)
    assert pool.best(stated, direct=True).calls == ()
    assert pool.best(stated, direct=True).utility == 1.0
    assert pool.best(stated).utility == 0.0
