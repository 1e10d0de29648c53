import json
from pathlib import Path

import pytest
from PIL import Image

from maestro.cli.ask import Narration
from maestro.skills.protocol import Caller, SkillRequest, SkillResult
from maestro.types import Answer, Call, Decision, Observation, Task, Turn
from tests.cli.conftest import write_registry


async def chatty(request: SkillRequest, caller: Caller) -> SkillResult:
    """A skill that still has its author's `print` in it."""
    print("looking")  # noqa: T201 (what is tested)
    return SkillResult("red", confidence=0.9)


class TestAsk:
    def test_every_step_and_the_answer_are_printed(self, maestro, registry, picture):
        code, printed = maestro("ask", "What does the sign say?", "--image", picture, "-r", registry, "-p", "fixed:reader@read")
        assert code == 0, printed
        lines = [line.strip() for line in printed.out.splitlines()]
        parts = ("calls    reader to read", "The sign says 42.", "answers", "1 call, $0.010")
        order = [next(i for i, line in enumerate(lines) if part in line) for part in parts]
        assert order == sorted(order)

    def test_json_is_the_episode(self, maestro, registry, picture):
        code, printed = maestro("ask", "What?", "-i", picture, "-r", registry, "-p", "fixed:reader@read", "--json")
        episode = json.loads(printed.out)
        assert code == 0
        assert episode["answer"] == "The sign says 42."
        assert episode["stop"] == "answered"
        assert [turn["action"]["type"] for turn in episode["turns"]] == ["call", "answer"]

    def test_an_answer_that_no_expert_gave_is_marked(self, maestro, registry, picture, tmp_path):
        given = ("ask", "What?", "-i", picture, "-r", registry, "-p")
        assert "no expert said this" not in maestro(*given, "fixed:reader@read")[1].out
        assert json.loads(maestro(*given, "fixed:reader@read", "--json")[1].out)["supported"] is True
        silent = write_registry(tmp_path / "silent", reply='""')
        given = ("ask", "What?", "-i", picture, "-r", silent, "-p", "fixed:reader@read")
        code, printed = maestro(*given)
        assert code == 0, "an honest mark, not an error"
        assert "no expert said this" in next(line for line in printed.out.splitlines() if "answers" in line)
        assert json.loads(maestro(*given, "--json")[1].out)["supported"] is False

    def test_an_answer_that_came_too_late_names_the_option(self, maestro, registry, picture):
        code, printed = maestro("ask", "What?", "-i", picture, "-r", registry, "-p", "fixed:reader@read", "--turns", "1")
        assert code == 1
        assert "'The sign says 42.'" in printed.err
        assert "--turns 2" in printed.err

    def test_the_question_belongs_in_quotes(self, maestro):
        code, printed = maestro("ask", "What", "does", "it", "say?")
        assert code == 2
        assert 'put the question in quotes: maestro ask "What does it say?"' in printed.err

    def test_a_picture_without_its_option_is_recognised(self, maestro, picture):
        _, printed = maestro("ask", "What does it say?", picture)
        assert f'a picture goes behind --image: maestro ask "What does it say?" --image {picture}' in printed.err
        _, printed = maestro("ask", "What", "is", "it?", picture)
        assert f'put the question in quotes: maestro ask "What is it?" --image {picture}' in printed.err

    def test_without_a_picture_it_says_how_to_give_one(self, maestro, picture):
        given = ("ask", "What does the sign say?", "-p", "maestro-mini")
        assert "no picture was given; show one with --image PATH" in maestro(*given)[1].out
        assert "no picture was given" not in maestro(*given, "-i", picture)[1].out

    @pytest.mark.parametrize(("value", "marked"), [(0.04, True), (0.6, False), (None, False)])
    def test_an_answer_that_the_policy_doubts_is_marked(self, capsys, value, marked):
        told = Narration(Task(id="t", question="How many?"))
        told(Turn(decision=Decision(text="", value=0.1), action=Call(expert="e", skill="s"), observation=Observation(text="", value="3")))
        told(Turn(decision=Decision(text="", value=value), action=Answer(text="3")))
        printed = capsys.readouterr().out
        assert "answers  3" in printed
        assert ("doubtful: the policy values it at 0.04" in printed) == marked

    def test_what_a_skill_prints_is_no_part_of_the_json(self, maestro, sound_registry, picture):
        card = Path(sound_registry) / "skills" / "read" / "SKILL.md"
        card.write_text(card.read_text().replace("metadata:", f"metadata:\n  target: {__name__}:chatty"))
        code, printed = maestro("ask", "What?", "-i", picture, "-r", sound_registry, "-p", "fixed:reader@read", "--json")
        assert (code, json.loads(printed.out)["answer"]) == (0, "red")
        assert "looking" in printed.err

    def test_what_is_valued_is_in_the_json(self, maestro, sound_registry, picture):
        given = ("ask", "What does the sign say?", "-i", picture, "-r", sound_registry, "--json", "-p")
        turns = json.loads(maestro(*given, "maestro-reading")[1].out)["turns"]
        assert all(turn["decision"]["value"] <= 1 for turn in turns)
        assert all("value" not in turn["decision"] for turn in json.loads(maestro(*given, "fixed:reader@read")[1].out)["turns"])

    def test_what_an_expert_says_cannot_steer_the_terminal(self, maestro, picture, tmp_path):
        hostile = write_registry(tmp_path / "hostile", reply='"\\e]0;owned\\a\\e[2Jred"')
        _, printed = maestro("ask", "What?", "-i", picture, "-r", hostile, "-p", "fixed:reader@read")
        assert "red" in printed.out
        assert not {"\x1b", "\x07"} & set(printed.out)

    def test_no_answer_is_no_success(self, maestro, registry, picture):
        code, printed = maestro("ask", "What?", "-i", picture, "-r", registry, "-p", "fixed:broken@read")
        assert code == 1
        assert "on fire" in printed.out + printed.err
        assert maestro("ask", "What?", "-i", picture, "-r", registry, "-p", "fixed:reader@read", "--turns", "1")[0] == 1

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (["  "], "the question is empty"),
            (["What?", "--image", "/nowhere/at-all.png"], "no image at"),
            (["What?", "--registry", "no-such-registry"], "no-such-registry"),
            (["What?", "--image", "https://example.org/a/b.png"], "https://example.org/a/b.png is an address"),
            (["What?", "--policy", "no-such-policy"], "fixed:EXPERT@SKILL"),
            (["What?", "--policy", "runs/nothing"], "there is no folder runs/nothing"),
            (["What?", "--debug"], "maestro --debug VERB"),
            (["What?", "--policy", "fixed:reader@fly"], "fly"),
            (["What?", "--budget", "-1"], "--budget"),
            (["What?", "--budget", "nan"], "not a finite number"),
            (["What?", "--seconds", "nan"], "not a finite number"),
            (["\udcff\udcfe abc"], "no UTF-8 text"),
            (["What?", "--policy", "maestro-mini"], "trained on other experts"),
        ],
    )
    def test_mistakes_are_told_and_fail(self, maestro, registry, arguments, told):
        given = arguments if "--registry" in arguments else [*arguments, "--registry", registry]
        for extra in ([], ["--json"]):
            code, printed = maestro("ask", *given, *extra)
            assert code in {1, 2}
            assert told in printed.out + printed.err
            assert "Traceback" not in printed.err

    def test_a_file_that_is_no_picture(self, maestro, registry, tmp_path):
        path = tmp_path / "notes.png"
        path.write_text("not a picture")
        code, printed = maestro("ask", "What?", "--image", str(path), "-r", registry, "-p", "random")
        assert code == 1
        assert "is not an image" in printed.err

    def test_a_folder_without_a_checkpoint(self, maestro, registry, tmp_path):
        code, printed = maestro("ask", "What?", "-r", registry, "-p", str(tmp_path))
        assert code == 1
        assert "holds no policy" in printed.err


class TestTasks:
    def test_sources_are_listed(self, maestro):
        code, printed = maestro("tasks", "list", "--json")
        assert code == 0
        assert any(row["name"] == "playground" and "test-shifted" in row["splits"] for row in json.loads(printed.out)["sources"])

    def test_tasks_are_shown_and_their_pictures_written(self, maestro, tmp_path):
        code, printed = maestro("tasks", "show", "playground", "--split", "val", "--limit", "3", "--image", str(tmp_path), "--json")
        tasks = json.loads(printed.out)["tasks"]
        assert code == 0
        assert len(tasks) == 3
        for task in tasks:
            assert task["references"]
            assert Image.open(Path(task["files"][0])).size[0] > 50

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (["nowhere"], "nowhere"),
            (["playground", "--split", "trian"], "train"),
            (["playground", "--split", "val", "--category", "jokes"], "count_shapes"),
            (["playground", "x/y/z"], "no task of playground"),
        ],
    )
    def test_unknown_names_are_told(self, maestro, arguments, told):
        code, printed = maestro("tasks", "show", *arguments)
        assert code == 1
        assert told in printed.err
