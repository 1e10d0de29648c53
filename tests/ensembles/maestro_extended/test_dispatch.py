"""Level 1 finds level 2: the original's tables, the questions that measure it, and a model that names the skill."""

from pathlib import Path

import pytest
import yaml
from recipes.dispatch_accuracy import MARKS, PAGE, measure

from maestro.ensembles import maestro_extended
from maestro.registry.registry import Registry
from maestro.skills.dispatch import by_keywords, occurs
from tests.ensembles.maestro.stage import FOLDERS, stage, user

REGISTRY = Registry.load(FOLDERS["maestro_extended"])
PARAPHRASES = yaml.safe_load((Path(maestro_extended.__file__).parent / "paraphrases.yaml").read_text(encoding="utf-8"))
CHILDREN = [skill for skill in REGISTRY.skills.values() if skill.level == 2]


def keyword_choice(parent: str, text: str, images: int = 1) -> str:
    fallback = REGISTRY.skill(REGISTRY.skill(parent).fallback or "")
    return by_keywords(REGISTRY.children(parent), text, images, fallback).id


@pytest.mark.parametrize(
    ("parent", "text", "images", "expected"),
    [
        ("Embodied_Scene_QA_Skill", "Follow the arrow: where does it lead?", 1, "ERQA_Trajectory_Outcome_Solver"),
        ("Embodied_Scene_QA_Skill", "Which dot is on the corner?", 1, "ERQA_Pointing_Localization_Solver"),
        ("Embodied_Scene_QA_Skill", "Rotate the gripper clockwise to insert it?", 1, "ERQA_Action_Adjustment_Solver"),
        ("Embodied_Scene_QA_Skill", "What now?", 2, "ERQA_Multi_View_Task_Solver"),
        ("Embodied_Scene_QA_Skill", "What now?", 1, "ERQA_Spatial_Mechanics_Solver"),
        ("Embodied_Scene_QA_Skill", "What does empathy mean in an appointment?", 1, "ERQA_Spatial_Mechanics_Solver"),
        ("Embodied_Scene_QA_Skill", "Is the edge on the left?", 1, "ERQA_Pointing_Localization_Solver"),  # a tie: 1 and 1
        ("ocr_problem_solver", "Write the expression of the formula in LaTeX format", 1, "OCRBench_Formula_Recognition_Skill"),
        ("ocr_problem_solver", "When was this receipt issued?", 1, "OCRBench_Key_Information_Extraction_Skill"),
        ("ocr_problem_solver", "Who is the author of this book?", 1, "OCRBench_Document_Chart_QA_Skill"),
        ("ocr_problem_solver", "What is written in the image?", 1, "OCRBench_Text_Recognition_Skill"),
        ("ocr_problem_solver", "Which vegetable is on facebook? I designed an update", 1, "OCRBench_Scene_Text_QA_Skill"),
        ("Diagram_Reasoning_Skill", "Which letter is being circled?", 1, "Highlighted_Character_Recognition_Skill"),
        ("Diagram_Reasoning_Skill", "Answer as rows={5} columns={6}", 1, "Grid_Structure_Parsing_Skill"),
        ("Diagram_Reasoning_Skill", "Are the two circles touching each other?", 1, "Circle_Contact_and_Overlap_Judge_Skill"),
        ("Diagram_Reasoning_Skill", "How many  single-color\npaths go from A to C?", 1, "Intersection_and_Route_Counting_Skill"),
        ("Diagram_Reasoning_Skill", "Hm?", 1, "Geometric_Shape_Counting_Skill"),
    ],
)
def test_the_tables_of_the_original_with_word_boundaries(parent, text, images, expected):
    assert keyword_choice(parent, text, images) == expected


def test_the_questions_share_no_keyword_with_any_table_and_no_sentence_with_the_examples():
    keywords = {word for skill in CHILDREN for word in (*skill.keywords, *(one for bonus in skill.bonuses for one in bonus.any))}
    examples = {_letters(example) for skill in CHILDREN for example in skill.examples}
    questions = [text for parts in PARAPHRASES.values() for listed in parts.values() for text in listed]
    found = [(text, word) for text in questions for word in keywords if occurs(word, " ".join(text.casefold().split()))]
    assert found == []
    assert [text for text in questions if _letters(text) in examples] == []
    assert len(set(map(_letters, questions))) == len(questions)


def test_there_are_enough_questions_for_each_level_two_skill():
    assert set(PARAPHRASES) == {skill.id for skill in CHILDREN}
    assert {part: min(len(parts[part]) for parts in PARAPHRASES.values()) for part in ("dev", "held_out")} == {"dev": 36, "held_out": 12}


async def test_the_page_has_what_the_recipe_measures():
    lines = await measure(None)
    page = PAGE.read_text(encoding="utf-8")
    shown = page[page.index(MARKS[0]) + len(MARKS[0]) : page.index(MARKS[1])].strip().splitlines()
    assert shown == lines, "run: python recipes/dispatch_accuracy.py --write"
    pooled = next(line for line in lines if line.startswith("| retrieval, pooled (default) | held-out"))
    assert float(pooled.split("|")[-2]) > 0.75


async def test_an_expert_can_be_asked_which_skill_fits():
    named = "Grid_Structure_Parsing_Skill"
    replies = iter([f"<think>a lattice</think>{named}.", "4 by 5"])
    played = stage("maestro_extended", {"Qwen3.5-9B": lambda _: next(replies), "DeepEyes-7B": "<answer>"})
    loaded = played.ensemble.registry
    changed = {
        skill.id: skill.model_copy(update={"dispatch": "expert"} if skill.dispatch != "none" else {}) for skill in loaded.skills.values()
    }
    object.__setattr__(loaded, "skills", changed)
    played.ensemble._use(loaded)
    seen = await played.call("Qwen3.5-9B", "Diagram_Reasoning_Skill", played.task("What size has it?"))
    assert played.order == ["Qwen3.5-9B", "DeepEyes-7B", "Qwen3.5-9B"]
    assert [child.skill for child in seen.children] == ["Diagram_Reasoning_Skill", named, named]
    assert all(child.id in user(played.asked[0][1]) for child in REGISTRY.children("Diagram_Reasoning_Skill"))
    assert seen.value == "4 by 5"


def _letters(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())
