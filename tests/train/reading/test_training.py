"""The reading policy on a toy whose best policy is known: it learns, heeds what a dollar counts, and reads the menu instead of names."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from maestro.errors import CheckpointError, ConfigError
from maestro.policy.baselines.recorded import RecordedTask
from maestro.policy.loading import load_policy
from maestro.policy.protocol import Opening
from maestro.policy.reading.policy import ReadingPolicy
from maestro.registry.edits import renamed, without
from maestro.registry.menu import Menu
from maestro.rollout.pool import RecordedPool
from maestro.train.reading.ground import Ground
from maestro.train.reading.iteration import ReadingQ
from maestro.train.reading.registry_draws import BROKEN, COPY, copied, with_copies
from maestro.train.reading.training import held_out, mean_utility, play_pool, train_reading
from maestro.types import Task
from tests.train.menu_toy import CHEAP, CONFIG, DEAR, IMAGES, MENU, WIDER, eyes, pool, recorded


@pytest.fixture(scope="module")
def policy() -> ReadingPolicy:
    return train_reading(ground(120), pool(500, 30), IMAGES, CONFIG)


def ground(count: int, menu: Menu = MENU) -> Ground:
    return Ground([recorded(index) for index in range(count)], menu, IMAGES, eyes(), 0)


def tasks(found: RecordedPool) -> list[Task]:
    return [one.task for one in found.tasks.values()]


def test_it_asks_the_dear_one_only_where_the_cheap_one_is_not_sure(policy: ReadingPolicy) -> None:
    fresh = pool(1000, 80)
    played = play_pool(policy, tasks(fresh), fresh)
    best = 1.0 - 20 * (CHEAP + 0.33 * DEAR)
    assert np.mean([one.score for one in played]) > 0.95
    assert mean_utility(played, 20.0) > best - 0.08  # always dear: 0.70


def test_one_checkpoint_spends_less_when_a_dollar_counts_more(policy: ReadingPolicy) -> None:
    fresh = pool(1000, 80)
    played = {weight: play_pool(policy, tasks(fresh), fresh, weight) for weight in (2.0, 20.0, 200.0)}
    cost = {weight: float(np.mean([one.cost_usd for one in found])) for weight, found in played.items()}
    assert cost[200.0] < 0.5 * cost[2.0]
    assert cost[200.0] < 0.004  # the dear one, at 3 of utility, is never worth it
    assert np.mean([one.score for one in played[2.0]]) > np.mean([one.score for one in played[200.0]]) + 0.2


def test_names_and_order_are_not_read(policy: ReadingPolicy) -> None:
    names, skills = {"cheap": "zebra", "dear": "aardvark"}, {"read": "s2", "count": "s1"}
    other = renamed(MENU, names, skills)
    other = Menu(other.experts[::-1], other.skills[::-1], "other")
    assert policy.record is not None
    bound = {(names[e], skills[s]): rows for (e, s), rows in policy.record.asked.items()}
    twin = ReadingPolicy(
        policy.committee,
        policy.eyes,
        IMAGES,
        record=type(policy.record)(policy.record.places, bound, {}),
        reluctance=policy.reluctance,
    )
    fresh = pool(2000, 20)
    moved = RecordedPool(
        [
            RecordedTask(one.task, {(names.get(e, e), skills[s], q): seen for (e, s, q), seen in one.outcomes.items()})
            for one in fresh.tasks.values()
        ],
        other,
        "moved",
    )
    ours, theirs = play_pool(policy, tasks(fresh), fresh), play_pool(twin, tasks(moved), moved)
    assert [(one.score, one.cost_usd) for one in ours] == [(one.score, one.cost_usd) for one in theirs]


def test_an_expert_it_never_saw_is_called_when_it_is_added() -> None:
    learned = train_reading(ground(120, WIDER), pool(500, 20, WIDER), IMAGES, CONFIG, held=(["dear"], []))
    assert learned.record is not None
    assert {expert for expert, _ in learned.record.asked} == {"cheap", "middle"}
    fresh = pool(1000, 60, without(WIDER, ["middle"]))  # whom it learned to go to is gone, and somebody new is there
    alone = RecordedPool(fresh.tasks.values(), without(WIDER, ["middle", "dear"]), "alone")
    without_anybody = mean_utility(play_pool(learned, tasks(alone), alone, 5.0), 5.0)
    with_somebody_new = mean_utility(play_pool(learned, tasks(fresh), fresh, 5.0), 5.0)
    assert with_somebody_new > without_anybody + 0.1


def test_a_question_that_needs_a_held_out_skill_goes_with_it() -> None:
    left = held_out(pool(0, 10), skills=["count"])
    assert [one.task.category for one in left.tasks.values()] == ["sign"] * 5
    assert all(key[1] == "read" for one in left.tasks.values() for key in one.outcomes)


def test_saved_and_loaded_by_name_it_decides_alike(policy: ReadingPolicy, tmp_path: Path) -> None:
    policy.save(tmp_path / "read")
    loaded = load_policy(str(tmp_path / "read"), MENU, IMAGES)
    assert isinstance(loaded, ReadingPolicy)
    assert loaded.name == "read"
    fresh = pool(3000, 20)
    assert play_pool(loaded, tasks(fresh), fresh) == play_pool(policy, tasks(fresh), fresh)
    with pytest.raises(ConfigError, match="takes no options"):
        load_policy(f"{tmp_path / 'read'}?temperature=1", MENU, IMAGES)
    (tmp_path / "read" / "reading.npz").write_bytes(b"torn")
    with pytest.raises(CheckpointError, match="holds no reading policy"):
        load_policy(str(tmp_path / "read"), MENU, IMAGES)


def test_sampled_it_varies_by_sample_and_repeats_by_seed(policy: ReadingPolicy) -> None:
    warm = ReadingPolicy(policy.committee, policy.eyes, IMAGES, record=policy.record, temperature=0.5)

    def said(sample: int) -> str:
        session = warm.open(Opening(recorded(1).task.unanswered(), MENU, sample))
        return asyncio.run(session.decide()).text

    assert said(3) == said(3)
    assert len({said(sample) for sample in range(12)}) > 1


def test_the_same_seed_gives_the_same_weights_and_another_seed_others() -> None:
    few = ground(12)
    config = CONFIG.model_copy(update={"rounds": 1, "epochs": 1})

    def weights(seed: int) -> np.ndarray:
        learner = ReadingQ(few, config.model_copy(update={"seed": seed}))
        return learner.train().networks[0].call

    assert np.array_equal(weights(1), weights(1))
    assert not np.array_equal(weights(1), weights(2))


def test_a_copy_answers_as_its_original_and_a_broken_one_fails_for_all_to_see() -> None:
    both = copied(recorded(0), ["cheap", "dear"])
    assert both.outcomes[COPY, "read", ""] == both.outcomes["cheap", "read", ""]
    broken = both.outcomes[BROKEN, "read", ""]
    assert (broken.status, broken.value, broken.cost_usd) == ("policy_error", None, 0.0)
    assert with_copies(MENU).allows(COPY, "count")


def test_a_draw_offers_what_it_says() -> None:
    learner = ReadingQ(ground(40), CONFIG)
    offer, layout = learner.offer, learner.ground.layout
    assert offer.offered.shape == (40, layout.size) == (40, 8)
    assert 2.0 <= offer.weight.min() <= offer.weight.max() <= 200.0
    full = learner.offer.offered[:, [0, 1, 4, 5]].all(axis=1)  # the four real pairs
    assert 0.3 < full.mean() < 1.0
    assert without(MENU, experts=["dear"]).pairs == (("cheap", "read"), ("cheap", "count"))
