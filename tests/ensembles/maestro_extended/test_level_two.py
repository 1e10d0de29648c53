"""The fifteen level-2 solvers: which helpers are asked for which evidence, one call of the expert, instructions of their own."""

import pytest

from maestro.registry.registry import Registry
from tests.ensembles.maestro.stage import BOXES, CROP_CALL, DETECTION, FOLDERS, OCR, ZOOM, stage, system

MAIN = "Step3-VL-10B"
NONE: set[str] = set()
ASKED = {
    "ERQA_Trajectory_Outcome_Solver": NONE,
    "ERQA_Pointing_Localization_Solver": NONE,
    "ERQA_Multi_View_Task_Solver": NONE,
    "ERQA_Action_Adjustment_Solver": NONE,
    "ERQA_Spatial_Mechanics_Solver": NONE,
    "OCRBench_Text_Recognition_Skill": {OCR, ZOOM},
    "OCRBench_Formula_Recognition_Skill": {OCR, ZOOM},
    "OCRBench_Key_Information_Extraction_Skill": {OCR, ZOOM, DETECTION},
    "OCRBench_Scene_Text_QA_Skill": {OCR, ZOOM, DETECTION},
    "OCRBench_Document_Chart_QA_Skill": {OCR, ZOOM},
    "Highlighted_Character_Recognition_Skill": {OCR, ZOOM},
    "Grid_Structure_Parsing_Skill": {ZOOM},
    "Circle_Contact_and_Overlap_Judge_Skill": {ZOOM},
    "Intersection_and_Route_Counting_Skill": {ZOOM},
    "Geometric_Shape_Counting_Skill": {ZOOM},
}
CAPTIONED = {skill for skill in ASKED if skill.startswith("ERQA")} | {"OCRBench_Scene_Text_QA_Skill", "OCRBench_Document_Chart_QA_Skill"}
REGISTRY = Registry.load(FOLDERS["maestro_extended"])


def test_there_are_fifteen_and_each_is_only_a_skill_file():
    children = [skill for skill in REGISTRY.skills.values() if skill.level == 2]
    assert {skill.id for skill in children} == set(ASKED)
    assert {skill.target for skill in children} == {None}
    assert {skill.id for skill in children if "caption" in skill.helpers} == CAPTIONED


@pytest.mark.parametrize("skill", ASKED)
async def test_helpers_are_asked_for_what_is_shown_and_the_expert_once(skill):
    card = REGISTRY.skill(skill)
    played = stage("maestro_extended", {OCR: "seen text", ZOOM: CROP_CALL, DETECTION: BOXES, MAIN: "done\n42"})
    assert card.parent is not None
    seen = await played.call(MAIN, card.parent, played.task(card.examples[0]))
    assert {child.skill for child in seen.children} == {skill}
    assert (set(played.order[:-1]), len(played.order)) == (ASKED[skill], len(ASKED[skill]) + 1)
    request = played.requests(MAIN)[0]
    assert system(request).startswith(card.body.split("\n\n## ")[0])
    assert len(request.images) == 1 + len(ASKED[skill] & {ZOOM, DETECTION})
    assert (seen.status, seen.value, seen.text) == ("ok", "42", "done\n42")


async def test_a_caption_comes_from_whom_the_user_names(tmp_path):
    """One line in registry.yaml, and the skills that show descriptions ask for them."""
    import shutil

    folder = tmp_path / "mine"
    shutil.copytree(FOLDERS["maestro_extended"], folder)
    path = folder / "registry.yaml"
    path.write_text(path.read_text().replace("\nexperts:\n", "\nhelpers: {caption: Qwen3.5-9B, zoom: null}\n\nexperts:\n"))
    mine = Registry.load(folder)
    assert mine.skill("Science_Problem_Solver").helpers == {"caption": "Qwen3.5-9B", "ocr": OCR, "zoom": None}
    played = stage("maestro_extended", {"Qwen3.5-9B": "two cups", OCR: "", MAIN: "7"})
    played.ensemble._use(mine)
    seen = await played.call(MAIN, "Science_Problem_Solver", played.task("?"))
    assert sorted(played.order[:-1]) == sorted(["Qwen3.5-9B", OCR])
    assert "Description of image 1:\ntwo cups" in played.requests(MAIN)[0].arguments["messages"][1]["content"]
    assert seen.value == "7"
