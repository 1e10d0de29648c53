import json
from pathlib import Path

import pytest

from maestro.errors import ConfigError, TaskError
from maestro.evaluate.run import evaluate
from maestro.images import ImageStore
from maestro.policy.baselines import FixedPolicy, RandomPolicy
from maestro.policy.dialect_maestro import MaestroDialect
from maestro.registry.registry import Registry
from maestro.rollout.episode import run_episode
from maestro.rollout.pool import RecordedPool
from maestro.rollout.prices import read_prices
from maestro.rollout.systems import DEFAULT_PRICE, expert_id, offered_menu, own_systems, with_systems
from maestro.scoring import score
from maestro.skills.ensemble import Ensemble
from maestro.tasks.opening import file_source
from maestro.tasks.problems import BrokenRows
from maestro.types import Call, Price, StopReason
from tests.tasks.recorded_folders import SECRET, SYSTEMS, outcome_row, right, task_row, write_folder

DIALECT = MaestroDialect()
ROWS = [task_row(number) for number in range(24)]
REGISTRY = """name: mixed
summary: A live expert and two recorded ones.
experts:
  - {id: live, summary: Answers four., kind: scripted, options: {replies: ["4"]}, price: {call_usd: 0.002}}
  - {id: known, summary: As recorded., kind: recorded, target: acme/cot, price: {call_usd: 0.01}}
  - {id: unknown, summary: As recorded elsewhere., kind: recorded}
"""
SKILL = """---
name: look
description: Looks.
metadata:
  experts: [live, known, unknown]
---
Look and answer.
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def folder(tmp_path):
    return file_source(write_folder(tmp_path / "shapes", ROWS))


@pytest.fixture
def images():
    return ImageStore()


def write_registry(place: Path, cards: str = REGISTRY) -> Path:
    (place / "skills" / "look").mkdir(parents=True)
    (place / "registry.yaml").write_text(cards)
    (place / "skills" / "look" / "SKILL.md").write_text(SKILL)
    return place


class TestSayings:
    async def test_every_answer_is_scored_as_it_was_recorded(self, folder, images):
        systems = own_systems(folder)
        for task in folder.load("all", None, images):
            for system in SYSTEMS:
                observation = await systems.perform(Call(expert=expert_id(system), skill="ask"), task.unanswered())
                assert score(task, observation.value).score == right(task.id, system)

    def test_wrong_answers_are_those_of_the_same_category_and_kind(self, folder, images):
        pool = own_systems(folder).pool(folder.load("all", None, images))
        golds = {recorded.task.category: set() for recorded in pool.tasks.values()}
        for recorded in pool.tasks.values():
            golds[recorded.task.category] |= set(recorded.task.references)
        said = [(recorded.task, one.value) for recorded in pool.tasks.values() for one in recorded.outcomes.values()]
        assert all(value in golds[task.category] for task, value in said)
        assert any(value not in task.references for task, value in said)

    def test_the_same_folder_says_the_same_whichever_tasks_are_asked_and_in_whatever_order(self, folder, images, tmp_path):
        whole = own_systems(folder).pool(folder.load("all", None, images))
        again = file_source(write_folder(tmp_path / "again", ROWS))
        part = own_systems(again).pool(reversed(again.load("test", None, images)))
        assert all(whole[name].outcomes == recorded.outcomes for name, recorded in part.tasks.items())

    def test_where_only_one_answer_is_known_a_wrong_one_is_still_wrong(self, tmp_path, images):
        rows = [task_row(0, answer="4"), task_row(2, answer="4")]
        outcomes = [outcome_row(row["task_id"], "zeta", correct=0) for row in rows]
        folder = file_source(write_folder(tmp_path / "same", rows, outcomes))
        pool = own_systems(folder).pool(folder.load("all", None, images))
        assert all(recorded.outcomes["zeta", "ask", ""].value == "unknown" for recorded in pool.tasks.values())

    @pytest.mark.parametrize(
        ("changes", "value"),
        [
            ({"correct": 1, "extracted": "9", "response": "It is 9."}, "2"),
            ({"correct": 1, "extracted": "2.0", "response": "It is 2.0."}, "2"),
            ({"correct": 1, "extracted": None, "response": "It is two or so, 2."}, "2"),
            ({"correct": 0, "extracted": "9", "response": "It is 7."}, "9"),
            ({"correct": 0, "extracted": None, "response": "It is 7."}, "7"),
            ({"correct": 0, "extracted": "2", "response": "It is 2."}, "3"),
        ],
    )
    def test_a_recorded_reply_is_used_and_the_recorded_judgement_holds(self, tmp_path, images, changes, value):
        rows = [task_row(0), task_row(2, answer="3")]
        outcomes = [outcome_row("q0", "zeta", **changes), outcome_row("q2", "zeta")]
        folder = file_source(write_folder(tmp_path / "said", rows, outcomes))
        task = folder.load("all", None, images)[0]
        observation = own_systems(folder).pool([task])[task.id].outcomes["zeta", "ask", ""]
        assert observation.value == value
        assert observation.text == f"answer: {value}\nreply: {changes['response']}"

    def test_how_an_answer_is_written_does_not_tell_whether_it_is_right(self, tmp_path, images):
        """Answers that somebody read in lower case, as one source keeps them, are said as the letters that the gold answers are."""
        rows = [task_row(number, answer="ABC"[number // 2 % 3]) for number in (1, 3, 5, 7)]
        kept = [("a", "A"), ("c", "It is (C)."), ("thelongerone", "The longer one."), ("b", "Answer: A or B")]
        outcomes = [
            outcome_row(row["task_id"], "zeta", correct=int(number == 0), extracted=extracted, response=response)
            for number, (row, (extracted, response)) in enumerate(zip(rows, kept, strict=True))
        ]
        folder = file_source(write_folder(tmp_path / "written", rows, outcomes))
        pool = own_systems(folder).pool(folder.load("all", None, images))
        said = [pool[row["task_id"]].outcomes["zeta", "ask", ""].value for row in rows]
        assert said[:2] == ["A", "C"]
        assert set(said) <= set("ABC")

    def test_a_word_that_nobody_says_is_wrong_even_where_it_is_the_answer(self, tmp_path, images):
        rows = [task_row(0, answer="unknown", answer_type="letter")]
        folder = file_source(write_folder(tmp_path / "nobody", rows, [outcome_row("q0", "zeta", correct=0)]))
        [task] = folder.load("all", None, images)
        assert score(task, own_systems(folder).pool([task])["q0"].outcomes["zeta", "ask", ""].value).score == 0

    def test_a_scorer_that_refuses_the_gold_answer_is_told(self, tmp_path, images):
        folder = file_source(write_folder(tmp_path / "odd", [task_row(0, answer="two or three")]))
        with pytest.raises(BrokenRows, match="line 1, answer: 'two or three' of task q0 is not accepted by its own scoring profile"):
            own_systems(folder).pool(folder.load("all", None, images))


class TestEnsemble:
    async def test_a_fixed_system_comes_to_its_recorded_accuracy_in_the_loop(self, folder, images):
        systems, tasks = own_systems(folder), folder.load("all", None, images)
        for system in SYSTEMS:
            found = await evaluate(FixedPolicy(((expert_id(system), "ask"),), DIALECT), tasks, systems)
            assert [result.score for result in found.results] == [right(task.id, system) for task in tasks]
            assert all(result.cost_usd == DEFAULT_PRICE.call_usd for result in found.results)

    @pytest.mark.parametrize(
        ("call", "told"),
        [
            (Call(expert="zeta", skill="ask", query="something else"), "leave the query empty"),
            (Call(expert="zeta", skill="look"), "zeta is not offered for look; ask is"),
            (Call(expert="omega", skill="ask"), "no expert 'omega'; there are acme-cot, acme-direct, zeta"),
        ],
    )
    async def test_calls_that_make_no_sense_are_the_policys_error(self, folder, images, call, told):
        observation = await own_systems(folder).perform(call, folder.load("all", 1, images)[0].unanswered())
        assert observation.status == "policy_error"
        assert told in observation.text

    async def test_a_task_of_another_folder_is_an_infrastructure_fault(self, folder, images):
        task = folder.load("all", 1, images)[0].model_copy(update={"id": "elsewhere"})
        episode = await run_episode(task, FixedPolicy((("zeta", "ask"),), DIALECT), own_systems(folder))
        assert episode.stop is StopReason.INFRASTRUCTURE
        assert "not recorded for elsewhere" in (episode.error or "")

    def test_two_systems_of_one_id_are_refused(self, tmp_path):
        outcomes = [outcome_row("q0", system) for system in ("a/b", "a b")]
        with pytest.raises(TaskError, match="systems a b and a/b would both be called a-b"):
            own_systems(file_source(write_folder(tmp_path / "twins", ROWS[:1], outcomes)))


class TestNothingLeaks:
    async def test_neither_judgement_nor_answer_meta_reach_policy_or_ensemble(self, folder, images):
        """What a policy is given and what an ensemble is asked, for every question, written out."""
        seen = []
        systems = own_systems(folder)

        class Watching:
            menu, name = systems.menu, systems.name

            async def perform(self, call, task, deadline_seconds):
                observation = await systems.perform(call, task, deadline_seconds)
                seen.append(json.dumps([task.model_dump(mode="json"), observation.model_dump(mode="json")]))
                return observation

        class Curious(RandomPolicy):
            def open(self, opening):
                seen.append(
                    json.dumps([opening.task.model_dump(mode="json"), [card.model_dump(mode="json") for card in opening.menu.experts]])
                )
                return super().open(opening)

        tasks = folder.load("all", None, images)
        await evaluate(Curious(DIALECT), tasks, Watching())
        assert len(seen) == 2 * len(tasks)
        assert not any(SECRET in text or "correct" in text or "Counting" in text or "scene-" in text for text in seen)

    async def test_another_systems_judgements_change_nothing_for_who_does_not_ask_it(self, folder, images, tmp_path):
        flipped = [
            outcome_row(
                row["task_id"], system, correct=1 - right(row["task_id"], system) if system == "zeta" else right(row["task_id"], system)
            )
            for row in ROWS
            for system in SYSTEMS
        ]
        other = file_source(write_folder(tmp_path / "flipped", ROWS, flipped))
        policy = FixedPolicy((("acme-cot", "ask"),), DIALECT)
        told = []
        for source in (folder, other):
            found = await evaluate(policy, source.load("all", None, images), own_systems(source))
            told.append([[turn.model_dump() for turn in episode.turns] for episode in found.episodes])
        assert told[0] == told[1]


class TestWithARegistry:
    async def test_recorded_experts_join_where_their_system_is_known(self, folder, images, tmp_path):
        registry = write_registry(tmp_path / "mixed")
        async with Ensemble.load(registry, images, workers=0) as live:
            assert [card.id for card in live.menu.experts] == ["live"]
            both = with_systems(live, folder)
            assert both.menu.pairs == (("live", "look"), ("known", "look"))
            task = folder.load("all", 1, images)[0]
            recorded = await both.perform(Call(expert="known", skill="look"), task.unanswered(), 5.0)
            said = await both.perform(Call(expert="live", skill="look"), task.unanswered(), 5.0)
            assert score(task, recorded.value).score == right(task.id, "acme/cot")
            assert (recorded.cost_usd, said.cost_usd) == (0.01, 0.002)
            assert "4" in said.text
            pool, report = await RecordedPool.gather([task], both)
            assert not report.failures
            assert {key[0] for key in pool[task.id].outcomes} == {"live", "known"}

    async def test_without_the_folder_they_are_not_offered_and_cannot_be_called(self, images, tmp_path):
        registry = write_registry(tmp_path / "mixed")
        plain = file_source(write_folder(tmp_path / "plain", ROWS, []))
        assert [card.id for card in offered_menu(Registry.load(registry), plain).experts] == ["live"]
        async with Ensemble.load(registry, images, workers=0) as live:
            assert with_systems(live, plain) is live
            task = plain.load("all", 1, images)[0].unanswered()
            observation = await live.perform(Call(expert="known", skill="look"), task, 5.0)
            assert observation.status == "policy_error"

    def test_a_skill_that_nobody_is_left_for_is_not_offered(self, tmp_path):
        cards = "\n".join(line for line in REGISTRY.splitlines() if "id: live" not in line) + "\n"
        place = write_registry(tmp_path / "mixed", cards)
        (place / "skills" / "look" / "SKILL.md").write_text(SKILL.replace("live, ", ""))
        registry = Registry.load(place)
        assert registry.menu().skills == ()
        assert [skill.id for skill in registry.menu({"acme/cot"}).skills] == ["look"]


class TestPrices:
    def test_a_table_gives_every_system_its_price(self, folder, tmp_path):
        table = tmp_path / "prices.yaml"
        table.write_text("acme/direct: 0.5\nacme/cot: {call_usd: 1, megapixel_usd: 2.5}\nzeta: 0\n")
        prices = read_prices(table, folder.outcomes.systems)
        assert prices == {"acme/direct": Price(call_usd=0.5), "acme/cot": Price(call_usd=1, megapixel_usd=2.5), "zeta": Price()}
        assert {card.target: card.price for card in own_systems(folder, prices).menu.experts} == prices

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("- 1", "is no table of prices"),
            ("a: [", "is no YAML"),
            ("zeta: 1", "has no price of acme/cot, acme/direct"),
            ("zetta: 1", "no system 'zetta'; did you mean zeta"),
            ("{acme/direct: 1, acme/cot: -2, zeta: 0}", "the price of acme/cot cannot be used"),
        ],
    )
    def test_a_table_that_cannot_be_used_is_told(self, folder, tmp_path, text, told):
        table = tmp_path / "prices.yaml"
        table.write_text(text)
        with pytest.raises(ConfigError, match=told):
            read_prices(table, folder.outcomes.systems)
