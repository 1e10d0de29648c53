"""The fourteen benchmarks of the reproduction, from files in the layouts of their Hub data sets."""

import pytest

from maestro.tasks.benchmarks.catalogue import BENCHMARKS
from maestro.tasks.opening import task_source
from maestro.types import unlisted

EXPECTED = {
    "chartqa": ("test", 6, "What is the value of bar 0?", ("10",), "chartqa", "human"),
    "geometry3k": ("test", 3, "Find x in figure 0.", ("2",), "geometry3k", ""),
    "microvqa": ("test", 3, "Which stain is seen in field 0?", ("A", "DAPI"), "microvqa", "perception"),
    "msearth": ("test", 3, "What does panel 0 show?\nA. rain\nB. wind\nC. ice\nD. sand", ("A", "rain"), "msearth", ""),
    "slake": ("test", 3, "Is the lung healthy?", ("Yes",), "slake", "closed-en"),
    "tallyqa": ("test", 3, "How many dogs are in yard 0?", ("0",), "tallyqa", "simple"),
    "hr_bench": ("4k", 4, "What colour is the door in the 4k picture?", ("B",), "hr_bench", "single"),
    "v_star": ("test", 3, None, ("A",), "v_star", "direct_attributes"),
    "mathvision": ("test", 3, "How many corners has shape 0?\n<image1>", ("B",), "mathvision", "counting"),
    "erqa": ("test", 3, None, ("A",), "erqa", "Action Reasoning"),
    "ocrbench": ("test", 2, "What is written in picture 0?", ("OPEN", "Open"), "ocrbench", "Regular Text Recognition"),
    "vlms_are_blind": (
        "valid",
        3,
        "Are the two circles touching? Answer with Yes/No.",
        ("Yes",),
        "vlms_are_blind",
        "Touching Circles",
    ),
    "humaneval_v": ("test", 1, None, None, "humaneval_v", "Transformation"),
}


def tasks_of(name, folders, images, split=None, options=""):
    source = task_source(f"{name}:{folders / name}{options}")
    return source.load(split or source.measured, None, images)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_first_task(name, folders, images):
    split, count, question, references, profile, category = EXPECTED[name]
    source = task_source(f"{name}:{folders / name}")
    tasks = source.load(split, None, images)
    first = tasks[0]
    assert (source.measured, source.splits[0], len(tasks), source.count(split, None)) == (split, split, count, count)
    assert question is None or first.question == question
    assert references is None or first.references == references
    assert (first.profile, first.category, first.source) == (profile, category, f"{name}/{split}")
    assert first.id.startswith(f"{name}/{split}/")
    assert {task.profile for task in tasks} <= set(BENCHMARKS[name].profiles)
    assert all(images.pixels(picture).size == (32, 24) for task in tasks for picture in task.images)


def test_pictures_keep_their_order_and_number(folders, images):
    for name in ("microvqa", "erqa"):
        several = tasks_of(name, folders, images)[1]
        marks = [images.pixels(picture).getpixel((0, 0)) for picture in several.images]
        assert [mark[0] for mark in marks] == [1, {"microvqa": 51, "erqa": 71}[name]]


def test_a_picture_inside_the_text_is_marked_there(folders, images):
    single, several, _ = tasks_of("erqa", folders, images)
    assert "[image" not in single.question
    assert several.question.startswith("Where [image 2] must gripper 1 go now?")
    assert single.choices == ("Left.", "Right.", "Up.", "Down.")


def test_options_in_the_question_are_choices_and_not_laid_out_again(folders, images):
    star = tasks_of("v_star", folders, images)[0]
    assert star.question.endswith("Answer with the option's letter from the given choices directly.")
    assert star.choices == ("cotton", "rubber")
    assert unlisted(star.question, star.choices) == ()
    stain = tasks_of("microvqa", folders, images)[0]
    assert unlisted(stain.question, stain.choices) == ("DAPI", "H&E", "GFP")


def test_the_orders_of_a_question_are_one_cluster(folders, images):
    tasks = tasks_of("hr_bench", folders, images)
    assert len({task.cluster for task in tasks}) == 1
    assert tasks[0].choices == ("red", "green", "blue", "white")
    assert {task.choices["ABCD".index(task.references[0])] for task in tasks} == {"green"}
    others = tasks_of("hr_bench", folders, images, "8k")
    assert others[0].cluster != tasks[0].cluster
    assert others[0].source == "hr_bench/8k"


def test_scans_are_clusters_and_languages_are_splits(folders, images):
    tasks = tasks_of("slake", folders, images)
    assert [task.cluster for task in tasks] == ["slake/0", "slake/0", "slake/1"]
    assert [task.id for task in tasks_of("slake", folders, images, "test-en")] == ["slake/test-en/0", "slake/test-en/1"]
    assert [task.references for task in tasks_of("slake", folders, images, "test-zh")] == [("是",)]


def test_parameters_of_the_rules(folders, images):
    blind = tasks_of("vlms_are_blind", folders, images)[1]
    assert (blind.params, blind.references) == ({"task": "Line Plot Intersections"}, ("1",))
    formula = tasks_of("ocrbench", folders, images)[1]
    assert formula.profile == "ocrbench_hme100k"
    coded = tasks_of("humaneval_v", folders, images)[0]
    assert coded.params == {"signature": "def solution(x: int) -> int:"}
    assert coded.references[0].startswith("def test():")
    assert "def solution(x: int)" in coded.question
    assert "2 * x" not in coded.model_dump_json()


def test_another_profile_for_like_for_like_numbers(folders, images):
    tasks = tasks_of("microvqa", folders, images, options="?profile=compat-original:microvqa")
    assert {task.profile for task in tasks} == {"compat-original:microvqa"}
    assert tasks[0].references == ("A", "DAPI")


def test_a_policy_sees_none_of_it(folders, images):
    for name in EXPECTED:
        for task in tasks_of(name, folders, images):
            shown = task.unanswered()
            assert (shown.references, shown.category, shown.cluster, shown.params, shown.profile) == ((), "", "", {}, "exact")


def test_find_and_categories(folders, images):
    source = task_source(f"chartqa:{folders / 'chartqa'}")
    assert source.find("chartqa/test/4", images).references == ("13",)
    assert source.find("chartqa/test/40", images) is None
    assert source.find("other/test/4", images) is None
    assert [task.id for task in source.of_category("test", "augmented", 2, images)] == ["chartqa/test/4", "chartqa/test/5"]


def test_the_digest_follows_the_content(folders, images, tmp_path):
    import shutil

    first = task_source(f"slake:{folders / 'slake'}").content_digest
    copy = shutil.copytree(folders / "slake", tmp_path / "slake")
    assert task_source(f"slake:{copy}").content_digest == first
    (copy / "test.json").write_text((copy / "test.json").read_text(encoding="utf-8").replace("Lung", "Heart"), encoding="utf-8")
    assert task_source(f"slake:{copy}").content_digest != first
