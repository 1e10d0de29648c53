import pytest

from maestro.errors import TaskError
from maestro.scoring.scorable import require_scorable
from maestro.types import Task


def test_tasks_with_references_and_known_profiles_pass():
    require_scorable([Task(id="a", question="Q", references=("x",)), Task(id="b", question="Q", references=("4",), profile="number")])
    require_scorable([])


def test_everything_that_is_missing_is_told():
    tasks = [
        Task(id="a", question="Q", references=("x",), profile="numbr"),
        Task(id="b", question="Q", references=("x",), profile="compat-original:chartqs"),
        Task(id="c", question="Q"),
    ]
    with pytest.raises(TaskError) as caught:
        require_scorable(tasks)
    for part in (
        "1 of 3 tasks ask",
        "'numbr'; did you mean number?",
        "compat-original:chartqs",
        "1 of 3 tasks have no reference answer, c",
    ):
        assert part in str(caught.value)


def test_parameters_that_no_rule_can_use_are_told_before_anything_runs():
    wrong = [Task(id=f"w{number}", question="Q", references=("x",), profile="number", params={"absolute": "much"}) for number in range(3)]
    lacking = Task(id="blind", question="Q", references=("3",), profile="vlms_are_blind")
    with pytest.raises(TaskError) as caught:
        require_scorable([*wrong, lacking])
    assert "task w0: absolute is a finite number, 0 or more, not 'much'. Mend params. (so for 3 tasks)" in str(caught.value)
    assert "task blind: no category of VLMs Are Blind ''" in str(caught.value)
