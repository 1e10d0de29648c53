from maestro.evaluate.mistakes import mistakes
from maestro.evaluate.results import Result
from maestro.types import StopReason, Task

TASKS = {f"t{index}": Task(id=f"t{index}", question=f"Number\n{index}? " + "long " * 40, references=("a", "b")) for index in range(9)}


def result(task_id, score, answer="x", stop=StopReason.ANSWERED):
    return Result(
        task_id=task_id,
        category="c",
        sample=0,
        score=score,
        cost_usd=0,
        utility=score,
        calls=(),
        malformed=0,
        seconds=0,
        stop=stop,
        answer=answer,
    )


def test_the_first_wrong_samples_stand_beside_what_was_expected():
    found = mistakes(TASKS, [result(name, 0.0) for name in TASKS])
    assert found is not None
    assert "5 of 9" in found.title
    assert [row[0] for row in found.rows] == ["t0", "t1", "t2", "t3", "t4"]
    assert found.rows[0][1].startswith("Number 0? long")
    assert len(found.rows[0][1]) <= 70
    assert found.rows[0][2:] == ("x", "a or b")


def test_right_and_broken_samples_are_no_mistakes():
    right = [result("t0", 1.0), result("t1", 0.5), result("t2", 0.0, None, StopReason.INFRASTRUCTURE)]
    assert mistakes(TASKS, right) is None
    found = mistakes(TASKS, [*right, result("t3", 0.0, None, StopReason.TURN_LIMIT)])
    assert found is not None
    assert [row[2] for row in found.rows] == ["(turn limit)"]
