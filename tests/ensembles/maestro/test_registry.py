"""What `maestro` and `maestro-extended` say, against the tables of the original."""

import importlib

import pytest

from maestro.registry.plugins import Registrar
from maestro.registry.registry import InvalidRegistry, Registry
from maestro.registry.targets import check_targets
from tests.ensembles.maestro.stage import FOLDERS

FIVE = {
    "qwen3-vl-8b-instruct": (2362, "qwen3-VL-8B-Instruct"),
    "Chart-R1": (2364, "Chart-R1"),
    "Intern-S1-mini": (2368, "Intern-S1-mini"),
    "medgemma-1.5-4b-it": (2369, "medgemma-1.5-4b-it"),
    "GLM-4.6V-Flash": (2376, "GLM-4.6V-Flash"),
}
TWO = {"Qwen3.5-9B": (2381, "Qwen3.5-9B"), "Step3-VL-10B": (2382, "Step3-VL-10B")}
HELPERS = {
    "DeepEyes-7B": (2370, "DeepEyes-7B"),
    "GLM-OCR": (2388, "GLM-OCR"),
    "PR1-Qwen2.5-VL-3B-Detection": (2389, "PR1-Qwen2.5-VL-3B-Detection"),
}
SKILLS = [f"{kind}_Problem_Solver" for kind in ("Geometric", "Chart", "Science", "Counting", "Perception")]
MORE = ["Code_Problem_Solver", "Embodied_Scene_QA_Skill", "ocr_problem_solver", "Diagram_Reasoning_Skill"]
LOADED = {name: Registry.load(folder) for name, folder in FOLDERS.items()}


@pytest.mark.parametrize(("name", "experts"), [("maestro", FIVE), ("maestro_extended", FIVE | TWO)])
def test_ports_served_names_and_the_menu(name, experts):
    registry = LOADED[name]
    found = {one.id: (int(one.endpoint.rsplit(":", 1)[1].split("/")[0]), one.target) for one in registry.experts.values()}
    assert found == experts | HELPERS
    menu = registry.menu()
    assert {one.id for one in menu.experts} == set(experts)
    assert set(menu.pairs) == {(expert, skill.id) for skill in menu.skills for expert in experts}
    assert check_targets(registry) == []


def test_the_skills_by_their_exact_names():
    assert [skill.id for skill in LOADED["maestro"].level_one] == SKILLS
    extended = LOADED["maestro_extended"]
    assert [skill.id for skill in extended.level_one] == SKILLS + MORE
    assert [len(extended.children(skill)) for skill in MORE] == [0, 5, 5, 5]
    assert [extended.skill(skill).dispatch for skill in MORE] == ["none", "retrieval", "retrieval", "retrieval"]


def test_both_say_the_same_of_what_both_have():
    small, large = LOADED["maestro"], LOADED["maestro_extended"]
    for expert in (*FIVE, *HELPERS):
        assert small.expert(expert) == large.expert(expert)
    for skill in SKILLS:
        own = {"experts", "digest"}
        assert small.skill(skill).model_dump(exclude=own) == large.skill(skill).model_dump(exclude=own)
    assert small.settings.observation == large.settings.observation


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("geometric_problem_solver", "Geometric_Problem_Solver"),
        ("Geometric-Problem-Solver", "Geometric_Problem_Solver"),
        ("GEOMETRICPROBLEMSOLVER", "Geometric_Problem_Solver"),
        ("OCRBench_Master_Router_Skill", "ocr_problem_solver"),
        ("erqa-embodied-scene-qa-skill", "Embodied_Scene_QA_Skill"),
        ("vlmsareblind_master_router_skill", "Diagram_Reasoning_Skill"),
        ("My_Geometric_Problem_Solver_2", None),
        ("appointment", None),
        ("ocr", None),
    ],
)
def test_skills_resolve_by_alias_and_never_by_substring(said, meant):
    assert LOADED["maestro_extended"].menu().skill_id(said) == meant


@pytest.mark.parametrize(
    ("said", "meant"),
    [("Qwen3-VL-8B-Instruct", "qwen3-vl-8b-instruct"), ("chart-r1", "Chart-R1"), ("Qwen3-VL-235B", None), ("DeepEyes-7B", None)],
)
def test_experts_resolve_likewise(said, meant):
    assert LOADED["maestro"].menu().expert_id(said) == meant


def test_an_endpoint_comes_from_the_environment_and_the_digest_does_not_notice(monkeypatch):
    monkeypatch.setenv("MAESTRO_CHART_R1_URL", "https://gpu.example:9000/v1")
    moved = Registry.load(FOLDERS["maestro"])
    assert moved.expert("Chart-R1").endpoint == "https://gpu.example:9000/v1"
    assert moved.digest == LOADED["maestro"].digest
    assert moved.lock() == LOADED["maestro"].lock()
    monkeypatch.setenv("MAESTRO_CHART_R1_URL", "gpu.example:9000")
    with pytest.raises(InvalidRegistry, match=r"registry.yaml:\d+: expert Chart-R1: endpoint"):
        Registry.load(FOLDERS["maestro"])


def test_no_description_is_asked_of_anybody_by_default():
    captions = {
        skill.helpers["caption"] for registry in LOADED.values() for skill in registry.skills.values() if "caption" in skill.helpers
    }
    assert captions == {None}
    assert {expert.api_key_env for registry in LOADED.values() for expert in registry.experts.values()} == {None}


def test_observations_are_the_tail_of_the_last_message():
    settings = LOADED["maestro"].settings.observation
    assert (settings.max_characters, settings.side, settings.boundary, settings.form) == (1000, "tail", "character", "message")


@pytest.mark.parametrize("name", ["maestro", "maestro_extended"])
def test_the_plugin_offers_the_registry(name):
    registrar = Registrar()
    importlib.import_module(f"maestro.ensembles.{name}.plugin").register(registrar)
    assert registrar.registries == {name.replace("_", "-"): FOLDERS[name]}
