"""Verdicts: right programs pass, wrong ones fail, and nothing that a program does makes it pass without the right answers."""

import asyncio

import pytest

from maestro.sandbox import Limits, Refused, UnusableTests, judge, monty, run_tests, run_tests_sync
from tests.sandbox.submissions import FORGED, RIGHT, WRONG

TESTS = "def check(candidate):\n    assert candidate(3) == 9\n    assert candidate(-4) == 16\n\ncheck(solution)"
LIMITS = Limits(seconds=1.0, memory_mib=128, output_bytes=4000)


@pytest.fixture(params=["monty", "bubblewrap"])
def verdict(request):
    """`verdict(program, tests) -> Verdict` of one engine and no other."""
    if request.param == "monty":
        if reason := monty.missing():
            pytest.skip(reason)
        request.getfixturevalue("no_bubblewrap")
        return lambda program, tests=TESTS: run_tests_sync(program, tests, LIMITS)
    engine = request.getfixturevalue("engine")
    return lambda program, tests=TESTS: judge.in_bubblewrap(engine, program, tests, LIMITS)


@pytest.mark.parametrize("program", RIGHT)
def test_right_programs_pass(verdict, program, request):
    if "monty" in request.node.name and program in {"with a main part", "with a generator"}:
        with pytest.raises(Refused, match="bwrap not found"):
            verdict(RIGHT[program])
        return
    found = verdict(RIGHT[program])
    assert (found.passed, found.reason) == (True, "")


@pytest.mark.parametrize("program", [*WRONG, *FORGED])
def test_wrong_programs_and_forgeries_fail(verdict, program, request):
    try:
        found = verdict({**WRONG, **FORGED}[program])
    except Refused:
        assert "monty" in request.node.name  # it lacks what the forgery needs: nothing was decided
        return
    assert not found.passed
    assert found.reason


def test_a_change_of_an_argument_stays_in_the_program(verdict):
    found = verdict("def solution(x):\n    x.clear()\n    return []", "x = [2, 1]\nassert solution(x) == sorted(x)")
    assert not found.passed


@pytest.mark.parametrize(
    "value",
    ["(1, (2, [3, {4: 'five'}]))", "{1, 2}", "frozenset({1})", "b'\\x00\\xff'", "2 ** 4000", "-(2 ** 60)", "1e-300", "float('inf')",
     "3 + 4j",
     "'\\ud7ff\\u2028\\n'", "{(1, 2): None, True: {}}", "[]", "None", "0.1 + 0.2"],
)  # fmt: skip
def test_plain_values_arrive_as_they_are(verdict, value):
    tests = f"value = {value}\nassert echo(value) == value\nassert type(echo(value)) is type(value)\nassert given() == value"
    found = verdict(f"def echo(x):\n    return x\ndef given():\n    return {value}", tests)
    assert found.passed, found.reason


def test_an_error_of_the_program_does_not_end_a_loop_of_the_tests_early(engine):
    tests = "cases = [(2, 4), (3, 9)]\nassert all(map(lambda case: solution(case[0]) == case[1], cases))"
    assert not judge.in_bubblewrap(engine, "def solution(x):\n    raise StopIteration", tests, LIMITS).passed
    assert run_tests_sync("def solution(x):\n    return x * x", tests, LIMITS).passed  # monty cannot call out of a map, CPython can


async def test_many_verdicts_at_once():
    if reason := monty.missing():
        pytest.skip(reason)
    programs = [RIGHT["a function"], WRONG["another value"]] * 6
    found = await asyncio.gather(*(asyncio.to_thread(run_tests_sync, program, TESTS, LIMITS) for program in programs))
    assert [one.passed for one in found] == [True, False] * 6


def test_errors_of_the_program_reach_the_tests(verdict):
    program = "def solution(x):\n    if x < 0:\n        raise ValueError('negative')\n    return x"
    tests = "try:\n    solution(-1)\nexcept ValueError as error:\n    assert 'negative' in str(error)\nelse:\n    assert False\n"
    tests += "assert solution(1) == 1"
    assert verdict(program, tests).passed


def test_values_of_the_program_are_there_too(verdict):
    assert verdict("LIMIT = 7\ndef f():\n    return LIMIT", "assert f() == LIMIT == 7").passed


def test_a_program_that_the_tests_never_call_does_not_pass(verdict):
    found = verdict("def solution(x):\n    return x", "def check():\n    assert abs(-1) == 1\ncheck()")
    assert (found.passed, found.reason) == (False, "the tests called nothing that the program defines")


def test_unittest_counts(engine):
    case = (
        "import unittest\nclass Case(unittest.TestCase):\n    def test(self):\n        self.assertEqual(solution(2), {})\nunittest.main()"
    )
    assert judge.in_bubblewrap(engine, "def solution(x):\n    return x * x", case.format(4), LIMITS).passed
    assert not judge.in_bubblewrap(engine, "def solution(x):\n    return x * x", case.format(5), LIMITS).passed


def test_tests_that_catch_everything_do_not_save_a_program_that_left(engine):
    tests = "try:\n    assert solution(1) == 2\nexcept:\n    pass"
    found = judge.in_bubblewrap(engine, "import os\ndef solution(x):\n    os._exit(0)", tests, LIMITS)
    assert (found.passed, found.reason) == (False, "the program ended before the tests did")


@pytest.mark.parametrize(
    ("tests", "message"),
    [
        ("assert (", "the tests are no Python: SyntaxError"),
        ("x = 1 +", "the tests are no Python"),
        ("pass", "name nothing"),
        ("assert solution(lambda x: x)", "the tests call solution with what is no plain data"),
    ],
)
def test_tests_that_are_at_fault_say_so(engine, tests, message):
    with pytest.raises(UnusableTests, match=message):
        run_tests_sync("def solution(x):\n    return x", tests, LIMITS)


def test_an_argument_that_contains_itself_is_no_plain_data(engine):
    with pytest.raises(UnusableTests, match="the tests call solution with what is no plain data"):
        judge.in_bubblewrap(engine, "def solution(x):\n    return x", "x = []\nx.append(x)\nsolution(x)", LIMITS)


async def test_monty_is_enough_for_most_and_bubblewrap_has_the_last_word(engine):
    assert monty.missing() == ""
    quick = await run_tests(RIGHT["a function"], TESTS, LIMITS)
    assert (quick.passed, quick.engine) == (True, "monty")
    wrong = await run_tests(WRONG["another value"], TESTS, LIMITS)
    assert (wrong.passed, wrong.engine) == (False, "monty")
    slow = await run_tests(RIGHT["with a generator"], TESTS, LIMITS)
    assert (slow.passed, slow.engine) == (True, "bubblewrap")


def test_nothing_is_decided_without_an_engine(monkeypatch, no_bubblewrap):
    monkeypatch.setattr(monty, "missing", lambda: "pydantic-monty is not installed")
    with pytest.raises(Refused, match=r"pydantic-monty is not installed, and bubblewrap cannot: bwrap not found. Nothing was run"):
        run_tests_sync("def solution(x):\n    return x", TESTS)


def test_too_large_a_program_fails_and_too_large_tests_are_unusable():
    assert not run_tests_sync("#" * (1 << 21), TESTS).passed
    with pytest.raises(UnusableTests, match="tests has 2097152 bytes"):
        run_tests_sync("def solution(x):\n    return x", "#" * (1 << 21))
