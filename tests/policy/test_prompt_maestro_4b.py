import hashlib
import json
from pathlib import Path

import pytest

from maestro.errors import ConfigError
from maestro.policy.prompt_maestro_4b import REMINDER, PlannerPrompt, render_system
from maestro.policy.protocol import Opening
from maestro.registry.menu import Menu
from maestro.tasks.wrapping import SYSTEM_SHA256
from maestro.types import Expert, Skill, Task

MENU = Menu(
    (Expert(id="Chart-R1", summary="Charts of\nevery kind.", kind="scripted"), Expert(id="GLM", summary="Mathematics.", kind="scripted")),
    (
        Skill(id="Chart_Problem_Solver", summary="Bars and lines.", experts=("Chart-R1",)),
        Skill(id="Calculator", summary="Sums.", experts=("GLM",), takes=("expression",)),
    ),
)
SYSTEM = "\nYou plan.\n"
DIGEST = hashlib.sha256(SYSTEM.encode()).hexdigest()


def rows(reminders: tuple[str, ...] = ("Plan. Think briefly.",) * 3) -> list[dict[str, object]]:
    return [
        {
            "prompt": [
                {"role": "system", "content": SYSTEM},
                {"role": "user", "content": f"<image>What\n\nis {number}?\n\n{reminder}"},
            ],
            "reward_model": {"ground_truth": ["x"]},
        }
        for number, reminder in enumerate(reminders)
    ]


def parquet(path: Path, data: list[dict[str, object]]) -> Path:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet as files

    files.write_table(pyarrow.Table.from_pylist(data), path)
    return path


def jsonl(path: Path, data: list[dict[str, object]]) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in data))
    return path


@pytest.mark.parametrize("write", [parquet, jsonl])
def test_the_users_own_copy_is_used_byte_for_byte(tmp_path: Path, write: object) -> None:
    name = "train.parquet" if write is parquet else "train.jsonl"
    prompt = PlannerPrompt.read(write(tmp_path / name, rows()), DIGEST)  # type: ignore[operator]
    assert (prompt.system, prompt.reminder) == (SYSTEM, "Plan. Think briefly.")
    messages = prompt.messages(Opening(Task(id="t", question="How many?", images=("i", "j")), MENU))
    assert messages[0] == {"role": "system", "content": SYSTEM}
    assert messages[1]["content"] == [{"type": "image"}, {"type": "image"}, {"type": "text", "text": "How many?\n\nPlan. Think briefly."}]


def test_another_text_is_refused_and_its_hash_named(tmp_path: Path) -> None:
    file = jsonl(tmp_path / "t.jsonl", rows())
    with pytest.raises(ConfigError, match=f"11 characters and SHA-256 {DIGEST}, not {SYSTEM_SHA256}"):
        PlannerPrompt.read(file)


def test_a_text_file_holds_the_system_text_alone(tmp_path: Path) -> None:
    (tmp_path / "s.txt").write_bytes(SYSTEM.encode())
    assert PlannerPrompt.read(tmp_path / "s.txt", DIGEST) == PlannerPrompt(SYSTEM, REMINDER)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (rows(("one", "two")), "one fixed reminder"),
        ([{"prompt": [{"role": "user", "content": "x"}]}], "system and a user message"),
        ([{"prompt": "plain"}], "system and a user message"),
    ],
)
def test_files_that_are_something_else(tmp_path: Path, data: list[dict[str, object]], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        PlannerPrompt.read(jsonl(tmp_path / "t.jsonl", data), DIGEST)


def test_a_missing_or_wrong_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no prompt at .*nothing\.parquet"):
        PlannerPrompt.read(tmp_path / "nothing.parquet")
    (tmp_path / "not.parquet").write_bytes(b"x" * 64)
    pytest.importorskip("pyarrow")
    with pytest.raises(ConfigError, match="no row with a column prompt"):
        PlannerPrompt.read(tmp_path / "not.parquet")
    (tmp_path / "not.jsonl").write_text("{]")
    with pytest.raises(ConfigError, match="not a list of"):
        PlannerPrompt.read(tmp_path / "not.jsonl")


def test_our_own_text_has_the_sections_and_everything_on_the_menu() -> None:
    text = render_system(MENU)
    sections = text.split("=" * 64)
    assert len(sections) == 8
    assert text.startswith("\n")
    assert text.endswith("\n")
    for section, words in enumerate(
        (
            "information block",
            "Chart_Problem_Solver",
            "GLM",
            "Model-Name@@Skill-Name: Your-Text-Input",
            "kind of",
            "several times",
            "<answer>",
            "<think>",
        )
    ):
        assert words in sections[section]
    assert "2. Calculator" in sections[1]
    assert "Charts of every kind." in sections[2]
    assert "<search> GLM@@Calculator: 3*(4+5) </search>" in sections[3]


def test_a_new_expert_and_skill_appear() -> None:
    more = Menu(
        (*MENU.experts, Expert(id="New-One", summary="Maps.", kind="scripted")),
        (*MENU.skills, Skill(id="Map_Solver", summary="Roads.", experts=("New-One",))),
    )
    assert "New-One" not in render_system(MENU)
    assert "<search> New-One@@Map_Solver: " in render_system(more)


def test_choices_follow_the_question_and_what_people_wrote_is_neutralised() -> None:
    opening = Opening(Task(id="t", question="Which </information>?", choices=("red", "<|im_end|>")), MENU)
    (part,) = PlannerPrompt("S", "R").messages(opening)[1]["content"]
    assert part["text"] == "Which ‹/information>?\nA. red\nB. ‹|im_end|›\n\nR"
