"""Scoring that waits leaves the event loop; scoring that does not stays on it."""

import asyncio
import threading

import pytest

from maestro.evaluate.run import evaluate
from maestro.evaluate.scripted import scripted_pool
from maestro.policy.scripted import ScriptedPolicy
from maestro.scoring import PROFILES, Score, score, score_off_loop
from maestro.scoring.blocking import WouldBlock, about_to_block, off_loop
from maestro.scoring.profile import Profile
from maestro.types import Task

FORMULA = Task(id="f", question="?", references=("\\frac{1}{2}",), profile="math_verify")


async def test_work_that_would_block_is_done_in_a_thread_while_the_loop_goes_on():
    began = []
    go_on = threading.Event()

    def work():
        began.append(threading.current_thread())
        about_to_block()
        assert go_on.wait(20), "the event loop stood still"
        return 7

    async def release():
        go_on.set()

    found, _ = await asyncio.gather(off_loop(work), release())
    assert found == 7
    assert [thread is threading.main_thread() for thread in began] == [True, False]


async def test_work_that_does_not_block_stays_where_it_is():
    assert await off_loop(threading.current_thread) is threading.current_thread()
    assert await off_loop(threading.current_thread, at_once=False) is not threading.current_thread()


async def test_errors_come_through_from_either_place():
    def broken(blocks):
        if blocks:
            about_to_block()
        raise ValueError("no")

    for blocks in (False, True):
        with pytest.raises(ValueError, match="no"):
            await off_loop(lambda blocks=blocks: broken(blocks))


def test_off_the_loop_nothing_is_refused():
    about_to_block()
    assert not issubclass(WouldBlock, Exception)


async def test_a_formula_scores_the_same_on_and_off_the_loop():
    pytest.importorskip("math_verify", reason="the extra `eval` is not installed")
    replies = ["\\boxed{0.5}", "\\boxed{\\frac{2}{4}}", "\\boxed{x^2+1}", "\\boxed{9^{9^{9^{9}}}}", "", None]
    found = await asyncio.gather(*(score_off_loop(FORMULA, reply) for reply in replies))
    assert [one.score for one in found] == [1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    again = [await asyncio.to_thread(score, FORMULA, reply) for reply in replies]
    late = 3  # which of its two clocks ends it depends on how busy the machine is
    assert found[:late] + found[late + 1 :] == again[:late] + again[late + 1 :]
    assert again[late].score == 0


async def test_an_answer_that_is_a_book_is_read_in_a_thread(monkeypatch):
    read = []

    def rule(prediction, references):
        read.append((len(prediction), threading.current_thread() is threading.main_thread()))
        return Score(score=0.0, rule="book")

    monkeypatch.setitem(PROFILES, "book", Profile(rule, "a test's"))
    task = Task(id="b", question="?", references=("x",), profile="book")
    for length in (10, 100_000):
        await score_off_loop(task, "x" * length)
    assert read == [(10, True), (100_000, False)]


async def test_episodes_of_a_slow_rule_are_scored_at_the_same_time(monkeypatch):
    """Each of two scores waits until the other has begun: one after the other they would never end."""
    both = threading.Barrier(2)

    def rule(prediction, references):
        about_to_block()
        both.wait(20)
        return Score(score=float(prediction == references[0]), rule="slow")

    monkeypatch.setitem(PROFILES, "slow", Profile(rule, "a test's"))
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    pool = scripted_pool("test", 2)
    tasks = [Task(id=f"t{n}", question="?", references=("7",), profile="slow") for n in range(2)]
    found = await evaluate(ScriptedPolicy(["<answer>7</answer>"]), tasks, pool)
    assert [one.score for one in found.results] == [1.0, 1.0]
