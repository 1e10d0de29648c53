from fractions import Fraction

import pytest

from maestro.evaluate.run import evaluate
from maestro.evaluate.system_table import SystemTable, shown
from maestro.evaluate.systems import BASELINES, SystemBaselines, system_headroom
from maestro.images import ImageStore
from maestro.policy.baselines import Arms, Neighbours, Pictures
from maestro.policy.baselines.agreement import leading
from maestro.policy.dialect_maestro import MaestroDialect
from maestro.rollout.systems import expert_id, own_systems
from maestro.tasks.opening import file_source
from maestro.types import Observation
from tests.tasks.recorded_folders import SYSTEMS, outcome_row, right, task_row, write_folder

DIALECT = MaestroDialect()
ROWS = [task_row(number) for number in range(96)]


def expertise(row, system):
    """`zeta` can count, `acme/cot` can choose, `acme/direct` nothing: what a policy may learn from question or category."""
    return int({"zeta": "Counting", "acme/cot": "Choosing"}.get(system) == row["category"])


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def opened(place, judge):
    outcomes = [outcome_row(row["task_id"], system, correct=judge(row, system)) for row in ROWS for system in SYSTEMS]
    return file_source(write_folder(place, ROWS, outcomes))


def halves(folder, images):
    systems = own_systems(folder)
    return tuple(systems.pool(folder.load(split, None, images)) for split in ("train", "test"))


class TestTable:
    def test_figures_are_those_of_the_judgements(self, tmp_path):
        folder = file_source(write_folder(tmp_path / "shapes", ROWS))
        table = SystemTable.of(list(folder.questions.values()), folder.outcomes, folder.kinds)
        flags = {system: {row["task_id"]: right(row["task_id"], system) for row in ROWS} for system in SYSTEMS}
        ids = {name: [row["task_id"] for row in ROWS if row["category"] == name] for name in ("Choosing", "Counting")}
        for system in SYSTEMS:
            assert table.systems[system].over_questions == pytest.approx(sum(flags[system].values()) / 96)
            per = [Fraction(sum(flags[system][task] for task in tasks), len(tasks)) for tasks in ids.values()]
            assert table.systems[system].mean_of_categories == pytest.approx(float(sum(per) / 2))
        for name, tasks in ids.items():
            counts = {system: sum(flags[system][task] for task in tasks) for system in SYSTEMS}
            assert table.categories[name].best_accuracy == pytest.approx(max(counts.values()) / len(tasks))
            assert table.categories[name].any_right == sum(any(flags[s][task] for s in SYSTEMS) for task in tasks) / len(tasks)
        assert table.random_system.over_questions == pytest.approx(sum(sum(found.values()) for found in flags.values()) / 288)
        assert table.best_per_category.over_questions >= table.best_single.over_questions
        assert set(table.kinds) == {"choose", "count"}

    def test_shares_are_kept_to_four_digits_and_shown_from_there(self):
        assert shown(0.8815458) == "88.1"
        assert shown(1.0) == "100.0"


class TestBaselines:
    async def test_what_can_be_learned_is_learned_on_one_half_and_holds_on_the_other(self, tmp_path):
        images = ImageStore()
        train, test = halves(opened(tmp_path / "expertise", expertise), images)
        told = []
        found = await system_headroom(SystemBaselines(train, Pictures(images), DIALECT), test, progress=told.append)
        accuracy = {name: summary.accuracy.mean for name, summary in found.summaries.items()}
        assert list(accuracy) == ["random", "best single", *(f"{expert_id(s)}@ask" for s in sorted(SYSTEMS)), *BASELINES[2:]]
        for name in ("question kNN", "tfidf lookup", "image kNN", "linear bandit", "category rule", "oracle"):
            assert accuracy[name] == 1.0, name
        assert accuracy["best single"] == max(accuracy["zeta@ask"], accuracy["acme-cot@ask"])
        assert accuracy["acme-direct@ask"] == 0.0
        assert 0.1 < accuracy["random"] < 0.6
        assert told[-1] == len(test.tasks) * len(accuracy)
        assert all(not summary.errors for summary in found.summaries.values())
        assert found.macro("oracle") == 1.0

    async def test_the_oracle_is_any_system_right(self, tmp_path):
        folder = file_source(write_folder(tmp_path / "shapes", ROWS))
        images = ImageStore()
        train, test = halves(folder, images)
        found = await system_headroom(SystemBaselines(train, Pictures(images), DIALECT), test)
        any_right = SystemTable.of([recorded.task for recorded in test.tasks.values()], folder.outcomes).any_right
        assert found.summaries["oracle"].accuracy.mean == pytest.approx(any_right.over_questions)
        assert found.macro("oracle") == pytest.approx(any_right.mean_of_categories)

    async def test_nothing_but_the_oracle_depends_on_the_judgements_of_the_test_half(self, tmp_path):
        images = ImageStore()
        chosen = []
        plain = opened(tmp_path / "plain", expertise)
        train_ids = {task.id for task in plain.load("train", None, images)}

        def flipped(row, system):
            return expertise(row, system) if row["task_id"] in train_ids else 1 - expertise(row, system)

        for folder in (plain, opened(tmp_path / "flipped", flipped)):
            train, test = halves(folder, images)
            tasks = [recorded.task for recorded in test.tasks.values()]
            first = {}
            for policy in SystemBaselines(train, Pictures(images), DIALECT).policies(test):
                if policy.name != "oracle":
                    found = await evaluate(policy, tasks, test)
                    first[policy.name] = [result.first for result in found.results]
            chosen.append(first)
        assert chosen[0] == chosen[1]

    def test_neighbours_of_the_same_scene_do_not_choose_k(self, tmp_path):
        """Rows of one scene share their outcome here, and no two scenes do: inside a scene k=1 would look perfect."""

        def by_scene(row, system):
            return int((int(row["scene_id"].split("-")[1]) + SYSTEMS.index(system)) % 3 == 0)

        train, _ = halves(opened(tmp_path / "scenes", by_scene), ImageStore())
        arms = Arms.of(train.menu, list(train.tasks.values()))

        class ByScene:
            def of(self, task):
                return self.among()[[known.id for known in arms.tasks].index(task.id)]

            def among(self):
                return (arms.groups[:, None] == arms.groups[None, :]).astype("float32")

        chosen = Neighbours.fit("scene kNN", arms, ByScene(), DIALECT)
        assert chosen.k in (1, 3, 10, 30, len(arms.tasks))
        gained = [float(arms.utilities[row, arms.routes.index(chosen.route(task))]) for row, task in enumerate(arms.tasks)]
        assert sum(gained) > 0

    def test_without_pictures_nobody_looks_at_them(self, tmp_path):
        rows = [task_row(number, image=None) for number in range(24)]
        images = ImageStore()
        train, _ = halves(file_source(write_folder(tmp_path / "text", rows)), images)
        baselines = SystemBaselines(train, Pictures(images), DIALECT)
        assert baselines.left_out == {"image kNN": "no question has a picture"}
        assert "image kNN" not in baselines.settings

    def test_the_leading_answer_has_the_most_votes_and_the_earliest_of_equals(self):
        said = [Observation(value=value) for value in ("4", "five", "Five ", None)]
        assert leading(said[:1]) == ("4", (1, 1))
        assert leading(said[:2]) == ("4", (2, 1))
        assert leading(said) == ("five", (4, 2))
        assert leading([Observation(value=None)]) == ("unknown", (1, 0))
