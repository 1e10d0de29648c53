import itertools
from collections import Counter

import numpy as np
import pytest

from maestro.errors import ConfigError, StoreError
from maestro.evaluate.scripted import scripted_menu, scripted_pool
from maestro.policy.baselines import (
    CascadePolicy,
    Examples,
    FixedPolicy,
    LookupPolicy,
    OraclePolicy,
    RandomPolicy,
    read_route,
    write_route,
)
from maestro.policy.dialect_maestro import MaestroDialect
from maestro.reward import RewardRule
from maestro.rollout.episode import run_episode
from maestro.types import Call, Observation, StopReason

DIALECT = MaestroDialect()
MENU = scripted_menu()
READ_SOLVE = read_route("dear-reader@read>calculator@solve", MENU)


async def utilities(policy, pool, sample=0):
    rule = RewardRule(cost_weight=20.0)
    gained = {}
    for recorded in pool.tasks.values():
        episode = await run_episode(recorded.task, policy, pool, sample=sample)
        assert episode.stop is StopReason.ANSWERED, episode.error
        gained[recorded.task.id] = rule.utility(recorded.task, episode)
    return gained


@pytest.fixture(scope="module")
def train():
    return scripted_pool("train", 120)


@pytest.fixture(scope="module")
def val():
    return scripted_pool("val", 60)


@pytest.fixture(scope="module")
def test_pool():
    return scripted_pool("test", 80)


@pytest.fixture(scope="module")
def examples(train):
    return Examples(train.menu, list(train.tasks.values()))


class TestRoutes:
    def test_written_and_read_back(self):
        assert write_route(READ_SOLVE) == "dear-reader@read>calculator@solve"
        assert read_route(write_route(READ_SOLVE), MENU) == READ_SOLVE
        assert read_route("-", MENU) == ()

    @pytest.mark.parametrize(
        ("text", "told"),
        [("dear-reader", "expert@skill"), ("calculator@read", "offered by cheap-reader"), ("dear-reader@fly", "skills are read, locate")],
    )
    def test_misspelt_routes_are_refused(self, text, told):
        with pytest.raises(ConfigError, match=told):
            read_route(text, MENU)

    async def test_follow_ups_happen_only_when_something_to_follow_up_came_back(self, test_pool):
        policy = FixedPolicy(READ_SOLVE, DIALECT)
        seen = {}
        for recorded in test_pool.tasks.values():
            episode = await run_episode(recorded.task, policy, test_pool)
            seen.setdefault(recorded.task.category, set()).add(tuple(call.skill for call in episode.calls))
        assert seen == {"label": {("read",)}, "sum": {("read", "solve")}, "zoom": {("read",)}, "stated": {("read",)}}

    async def test_a_walk_over_the_record_is_the_episode(self, test_pool):
        policy = FixedPolicy(READ_SOLVE, DIALECT)
        live = await utilities(policy, test_pool)
        walked = {name: recorded.walk(MENU, READ_SOLVE).utility for name, recorded in test_pool.tasks.items()}
        assert walked == pytest.approx(live)


class TestRandom:
    async def test_every_allowed_pair_is_called_first_about_equally_often(self, test_pool):
        policy = RandomPolicy(DIALECT, seed=1)
        first = Counter()
        for recorded in test_pool.tasks.values():
            for sample in range(10):
                episode = await run_episode(recorded.task, policy, test_pool, sample=sample)
                first[episode.calls[0].expert, episode.calls[0].skill] += 1
        assert set(first) == set(MENU.pairs)
        expected = sum(first.values()) / len(MENU.pairs)
        assert max(abs(count - expected) for count in first.values()) < 0.3 * expected

    async def test_the_same_seed_makes_the_same_episode_and_samples_differ(self, test_pool):
        task = next(iter(test_pool.tasks.values())).task
        runs = [[(await run_episode(task, RandomPolicy(DIALECT, seed=s), test_pool, sample=n)).calls for n in range(20)] for s in (3, 3, 4)]
        assert runs[0] == runs[1]
        assert runs[0] != runs[2]
        assert len(set(runs[0])) > 1

    async def test_a_refused_call_is_followed_by_another(self):
        class Refusing:
            menu = MENU
            name = "refusing"

            async def perform(self, call, task, deadline_seconds):
                return Observation(text="error: no", status="policy_error")

        episode = await run_episode(scripted_pool(size=1).tasks.popitem()[1].task, RandomPolicy(DIALECT, calls=3), Refusing())
        assert len(episode.calls) == 3
        assert episode.answer == "unknown"


class TestLookup:
    async def test_it_learns_the_route_of_each_kind_of_question(self, examples, val, test_pool):
        policy = LookupPolicy.fit(examples, DIALECT, list(val.tasks.values()))
        skills = {}
        for recorded in test_pool.tasks.values():
            episode = await run_episode(recorded.task, policy, test_pool)
            skills.setdefault(recorded.task.category, Counter())[tuple(call.skill for call in episode.calls)] += 1
        assert {kind: count.most_common(1)[0][0] for kind, count in skills.items()} == {
            "label": ("read",), "sum": ("read", "solve"), "zoom": ("locate", "read"), "stated": (),
        }  # fmt: skip

    async def test_direct_answers_are_copied_from_the_question(self, examples, test_pool):
        policy = LookupPolicy(examples, DIALECT, k=10)
        stated = [recorded.task for recorded in test_pool.tasks.values() if recorded.task.category == "stated"]
        answers = [(await run_episode(task, policy, test_pool)).answer for task in stated]
        assert answers == [task.references[0] for task in stated]

    async def test_it_sees_no_picture_so_hard_and_easy_get_the_same_route(self, examples, test_pool):
        policy = LookupPolicy(examples, DIALECT, k=10)
        routes = {}
        for recorded in test_pool.tasks.values():
            episode = await run_episode(recorded.task, policy, test_pool)
            pairs = tuple((c.expert, c.skill) for c in episode.calls[:1])
            routes.setdefault(recorded.task.question if recorded.task.category != "stated" else "", set()).add(pairs)
        assert all(len(found) == 1 for found in routes.values())

    def test_k_is_the_best_on_validation(self, examples, val):
        recorded = list(val.tasks.values())
        chosen = LookupPolicy.fit(examples, DIALECT, recorded, ks=(1, 40)).k
        gained = {k: np.mean([recorded_gain(LookupPolicy(examples, DIALECT, k), r) for r in recorded]) for k in (1, 40)}
        assert gained[chosen] == max(gained.values())

    def test_the_table_of_utilities_is_what_walking_each_route_gives(self, examples, train):
        for row, recorded in enumerate(train.tasks.values()):
            walked = [recorded.walk(MENU, route).utility for route in examples.routes[1:]]
            assert examples.utilities[row, 1:].tolist() == pytest.approx(walked)

    def test_too_few_examples_are_refused(self, train):
        with pytest.raises(ConfigError, match="at least 2"):
            Examples(train.menu, list(train.tasks.values())[:1])


def recorded_gain(policy, recorded):
    from maestro.policy.protocol import Opening

    return recorded.play(policy.open(Opening(recorded.task.unanswered(), MENU))).utility


class TestCascade:
    async def test_it_asks_the_dear_reader_only_when_the_cheap_one_is_unsure(self, examples, val, test_pool):
        policy = CascadePolicy.fit(examples, DIALECT, list(val.tasks.values()))
        assert 0.5 <= policy.threshold <= 0.85
        for recorded in test_pool.tasks.values():
            if recorded.task.category != "label":
                continue
            episode = await run_episode(recorded.task, policy, test_pool)
            cheap = recorded.outcomes["cheap-reader", "read", ""]
            expected = ["cheap-reader"] if cheap.confidence >= 0.6 else ["cheap-reader", "dear-reader"]
            assert [call.expert for call in episode.calls] == expected

    async def test_two_stages(self, examples, val, test_pool):
        policy = CascadePolicy.fit(examples, DIALECT, list(val.tasks.values()))
        for recorded in test_pool.tasks.values():
            if recorded.task.category in {"sum", "zoom"}:
                episode = await run_episode(recorded.task, policy, test_pool)
                assert episode.answer == recorded.task.references[0]
                assert len(episode.calls) <= 4

    async def test_the_loopless_play_is_the_episode(self, examples, test_pool):
        policy = CascadePolicy(examples, DIALECT, threshold=0.7, width=2)
        live = await utilities(policy, test_pool)
        assert {name: recorded_gain(policy, recorded) for name, recorded in test_pool.tasks.items()} == pytest.approx(live)


class TestOracle:
    async def test_no_policy_does_better_on_any_task(self, examples, val, test_pool):
        oracle = OraclePolicy({name: test_pool.best(name, direct=True) for name in test_pool.tasks}, DIALECT)
        ceiling = await utilities(oracle, test_pool)
        recorded = list(val.tasks.values())
        others = [
            RandomPolicy(DIALECT),
            FixedPolicy(READ_SOLVE, DIALECT),
            LookupPolicy.fit(examples, DIALECT, recorded),
            CascadePolicy.fit(examples, DIALECT, recorded),
        ]
        for policy in others:
            gained = await utilities(policy, test_pool)
            assert all(gained[name] <= ceiling[name] + 1e-12 for name in gained), policy.name

    async def test_the_ladder_of_baselines(self, examples, val, test_pool):
        recorded = list(val.tasks.values())
        plans = {name: test_pool.best(name, direct=test_pool[name].task.category == "stated") for name in test_pool.tasks}
        ladder = [
            RandomPolicy(DIALECT),
            FixedPolicy(examples.best_route(), DIALECT),
            LookupPolicy.fit(examples, DIALECT, recorded),
            CascadePolicy.fit(examples, DIALECT, recorded),
            OraclePolicy(plans, DIALECT),
        ]
        means = [np.mean(list((await utilities(policy, test_pool)).values())) for policy in ladder]
        assert all(low < high for low, high in itertools.pairwise(means)), means

    async def test_an_unknown_task_is_an_error_that_names_it(self, test_pool):
        task = next(iter(test_pool.tasks.values())).task
        with pytest.raises(StoreError, match=task.id):
            await run_episode(task, OraclePolicy({}, DIALECT), test_pool)


def test_plans_are_every_recorded_path(test_pool):
    zoom = next(name for name, recorded in test_pool.tasks.items() if recorded.task.category == "zoom")
    pairs = {plan.pairs for plan in test_pool.plans(zoom)}
    readers = ("cheap-reader", "dear-reader")
    assert pairs == {
        (),
        *(((reader, "read"),) for reader in readers),
        *(((reader, "locate"),) for reader in readers),
        *(((a, "locate"), (b, "read")) for a in readers for b in readers),
        (("calculator", "solve"),),
    }


def test_a_plan_needs_recorded_calls(test_pool):
    recorded = next(iter(test_pool.tasks.values()))
    with pytest.raises(KeyError):
        recorded.plan([Call(expert="dear-reader", skill="read", query="somewhere else")])
