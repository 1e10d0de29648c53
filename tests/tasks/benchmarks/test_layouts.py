"""Where benchmarks' files lie: shards, tables with base64, JSON beside folders of pictures, a file a row; and what is told otherwise."""

import base64
import csv
import json
import zipfile

import pyarrow as pa
import pytest
from pyarrow import parquet
from recipes.reproduce.stand_ins import chartqa, picture, struct

from maestro.errors import TaskError
from maestro.tasks.benchmarks.revision import RECORD
from maestro.tasks.opening import task_source

TRIED = ("geometry3k_choice", "gqa", "medxpertqa", "medxpertqa_text", "mmbench")


def write_rows(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.Table.from_pylist(rows), path)
    return path


def write_table(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter="\t")
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


def write_picture(path, number=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(picture(number))


def encoded(number):
    return base64.b64encode(picture(number)).decode()


def test_shards_are_one_split_and_ids_count_through(tmp_path, images):
    rows = chartqa()
    write_rows(tmp_path / "data" / "test-00000-of-00002-abcdef12.parquet", rows[:4])
    write_rows(tmp_path / "data" / "test-00001-of-00002-abcdef12.parquet", rows[4:])
    write_rows(tmp_path / "data" / "train-00000-of-00001.parquet", rows[:1])
    source = task_source(f"chartqa:{tmp_path}")
    tasks = source.load("test", None, images)
    assert source.splits == ("test", "train")
    assert [task.id for task in tasks] == [f"chartqa/test/{number}" for number in range(1, 7)]
    assert [task.id for task in source.load("test", 5, images)] == [task.id for task in tasks[:5]]
    assert source.find("chartqa/test/6", images) == tasks[5]
    assert source.of_category("test", "augmented", 9, images) == tasks[3:]


def test_shards_of_the_converted_branch(tmp_path, images):
    write_rows(tmp_path / "default" / "test" / "0000.parquet", chartqa())
    assert len(task_source(f"chartqa:{tmp_path}").load("test", None, images)) == 6


def test_one_form_is_read_where_a_split_is_there_in_two(tmp_path, images):
    write_rows(tmp_path / "data" / "test-00000-of-00001.parquet", chartqa())
    write_json(tmp_path / "test.json", [{"imgname": "x.png", "query": "?", "label": "1"}])
    write_json(tmp_path / ".cache" / "test.json", [])
    assert len(task_source(f"chartqa:{tmp_path}").load("test", None, images)) == 6


def test_chartqa_of_its_authors(tmp_path, images):
    write_json(tmp_path / "test" / "test_human.json", [{"imgname": "1.png", "query": "Peak?", "label": "14"}])
    write_json(tmp_path / "test" / "test_augmented.json", [{"imgname": "1.png", "query": "Low?", "label": "3"}])
    write_picture(tmp_path / "test" / "png" / "1.png", 4)
    tasks = task_source(f"chartqa:{tmp_path}").load("test", None, images)
    assert {(task.question, task.references) for task in tasks} == {("Peak?", ("14",)), ("Low?", ("3",))}
    assert tasks[0].images == tasks[1].images


def test_a_single_file(tmp_path, images):
    path = write_rows(tmp_path / "mine.parquet", chartqa())
    source = task_source(f"chartqa:{path}")
    assert (source.splits, len(source.load("test", None, images))) == (("test",), 6)


def test_a_table_with_base64(tmp_path, images):
    rows = [
        {
            "index": 0,
            "image": encoded(1),
            "question": 'Which "way"?',
            "A": "north",
            "B": "south",
            "C": "",
            "answer": "B",
            "category": "single",
        },
        {"index": 1, "image": "0", "question": "And now?", "A": "north", "B": "south", "C": "", "answer": "A", "category": "cross"},
    ]
    write_table(tmp_path / "hr_bench_4k.tsv", rows)
    tasks = task_source(f"hr_bench:{tmp_path}").load("4k", None, images)
    assert [(task.question, task.choices, task.references) for task in tasks] == [
        ('Which "way"?', ("north", "south"), ("B",)),
        ("And now?", ("north", "south"), ("A",)),
    ]
    assert tasks[0].images == tasks[1].images


def test_a_table_that_is_damaged(tmp_path, images):
    row = {"index": 0, "image": "*" * 80, "question": "Q?", "A": "a", "B": "b", "answer": "B", "category": "c"}
    write_table(tmp_path / "hr_bench_4k.tsv", [row, {**row, "image": "77"}])
    with pytest.raises(TaskError, match=r"(?s)row 1, image: is no base64.*row 2, image: names the row with the index '77'"):
        task_source(f"hr_bench:{tmp_path}").load("4k", None, images)
    (tmp_path / "hr_bench_4k.tsv").write_text("index\timage\tquestion\tA\tB\tanswer\n1\tx\n", encoding="utf-8")
    with pytest.raises(TaskError, match="row 1, has 2 cells, the heading 6"):
        task_source(f"hr_bench:{tmp_path}").load("4k", None, images)


def test_mmbench_shows_the_hint_and_knows_hidden_answers(tmp_path, images):
    row = {"index": 3, "question": "Which?", "hint": "Look.", "A": "a", "B": "b", "answer": "A", "category": "c", "image": encoded(1)}
    write_table(tmp_path / "MMBench_DEV_EN.tsv", [row])
    write_table(tmp_path / "MMBench_TEST_EN.tsv", [{name: cell for name, cell in row.items() if name != "answer"}])
    source = task_source(f"mmbench:{tmp_path}")
    assert source.load("dev", None, images)[0].question == "Look.\nWhich?"
    with pytest.raises(TaskError, match="use the split 'dev'"):
        source.load("test", None, images)


def test_mmbench_asked_in_every_order_is_one_cluster_and_can_be_asked_once(tmp_path, images):
    row = {"index": 3, "question": "Which?", "A": "a", "B": "b", "answer": "A", "category": "c", "image": encoded(1)}
    turned = {**row, "index": 1_000_003, "A": "b", "B": "a", "answer": "B"}
    write_table(tmp_path / "MMBench_DEV_EN.tsv", [row, turned, {**row, "index": 4}])
    write_rows(tmp_path / "hub" / "en" / "dev-00000-of-00001.parquet", [{**each, "image": struct(1)} for each in (row, turned)])
    source = task_source(f"mmbench:{tmp_path / 'MMBench_DEV_EN.tsv'}")
    assert [task.cluster for task in source.load("dev", None, images)] == ["mmbench/3", "mmbench/3", "mmbench/4"]
    assert [task.id for task in source.load("dev-once", None, images)] == ["mmbench/dev-once/3", "mmbench/dev-once/4"]
    once = task_source(f"mmbench:{tmp_path / 'hub'}").load("dev-once", None, images)
    assert [(task.choices, task.references) for task in once] == [(("a", "b"), ("A",))]


def test_slake_tells_to_unpack_its_pictures(tmp_path, images):
    row = {"img_id": 1, "img_name": "a/source.jpg", "question": "Q?", "answer": "Yes", "q_lang": "en", "answer_type": "CLOSED", "qid": 1}
    write_json(tmp_path / "test.json", [row])
    with zipfile.ZipFile(tmp_path / "imgs.zip", "w") as packed:
        packed.writestr("imgs/a/source.jpg", picture(1))
    with pytest.raises(TaskError, match=r"still packed\. Unpack them: unzip"):
        task_source(f"slake:{tmp_path}")
    zipfile.ZipFile(tmp_path / "imgs.zip").extractall(tmp_path)
    assert len(task_source(f"slake:{tmp_path}").load("test", None, images)[0].images) == 1


def test_tallyqa_of_its_authors(tmp_path, images):
    rows = [{"image": "VG_100K/7.png", "question": "How many?", "answer": 12, "question_id": 5, "image_id": 7, "issimple": False}]
    write_json(tmp_path / "test.json", rows)
    with pytest.raises(TaskError, match=r"entry 1, image: no image at .*VG_100K/7.png"):
        task_source(f"tallyqa:{tmp_path}").load("test", None, images)
    write_picture(tmp_path / "VG_100K" / "7.png")
    task = task_source(f"tallyqa:{tmp_path}").load("test", None, images)[0]
    assert (task.references, task.category, task.cluster) == (("12",), "complex", "tallyqa/7")


def test_v_star_of_its_authors_is_put_in_another_order(tmp_path, images):
    for number in range(12):
        name = tmp_path / "direct_attributes" / f"sa_{number}"
        write_json(name.with_suffix(".json"), {"question": "Which?", "options": ["It is red.", "It is blue.", "It is grey."]})
        write_picture(name.with_suffix(".jpg"), number)
    tasks = task_source(f"v_star:{tmp_path}").load("test", None, images)
    again = task_source(f"v_star:{tmp_path}").load("test", None, images)
    assert tasks == again
    assert {task.choices["ABC".index(task.references[0])] for task in tasks} == {"It is red."}
    assert {task.references[0] for task in tasks} == {"A", "B", "C"}
    assert (tasks[0].category, len(tasks[0].images)) == ("direct_attributes", 1)


def test_v_star_as_lines(tmp_path, images):
    row = {"image": "direct_attributes/1.png", "text": "Which?\n(A) red\n(B) blue\nAnswer with the letter.", "label": "B", "question_id": 0}
    (tmp_path / "test_questions.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    write_picture(tmp_path / "direct_attributes" / "1.png")
    task = task_source(f"v_star:{tmp_path}").load("test", None, images)[0]
    assert (task.choices, task.references) == (("red", "blue"), ("B",))


def test_docvqa_of_its_authors(tmp_path, images):
    row = {"questionId": 1, "question": "Whose?", "image": "documents/a.png", "docId": 4, "answers": ["Ann"]}
    write_json(tmp_path / "val_v1.0_withQT.json", {"dataset_name": "SP-DocVQA", "data": [row]})
    write_picture(tmp_path / "documents" / "a.png")
    assert task_source(f"docvqa:{tmp_path}").load("validation", None, images)[0].cluster == "docvqa/4"


def test_mathvista_of_its_authors_is_a_mapping(tmp_path, images):
    row = {
        "question": "Q?",
        "image": "images/1.png",
        "choices": None,
        "answer": "3",
        "answer_type": "integer",
        "question_type": "free_form",
    }
    write_json(tmp_path / "data" / "testmini.json", {"11": row})
    write_picture(tmp_path / "images" / "1.png")
    task = task_source(f"mathvista:{tmp_path}").load("testmini", None, images)[0]
    assert (task.id, task.params) == ("mathvista/testmini/11", {"answer_type": "integer"})


@pytest.mark.parametrize(
    ("name", "folder", "profile"), [("medxpertqa", "MM", "medxpertqa"), ("medxpertqa_text", "Text", "medxpertqa_text")]
)
def test_medxpertqa_options_by_letter(name, folder, profile, tmp_path, images):
    options = {letter: f"drug {letter}" for letter in "CABDE"}
    row = {"id": f"{folder}-1", "question": "Which drug?", "options": options, "label": "E", "medical_task": "Treatment"}
    pictures = {"images": ["1.png"]} if folder == "MM" else {}
    path = tmp_path / folder / "test.jsonl"
    path.parent.mkdir()
    path.write_text(json.dumps({**row, **pictures}) + "\n", encoding="utf-8")
    write_picture(tmp_path / "images" / "1.png")
    task = task_source(f"{name}:{tmp_path}").load("test", None, images)[0]
    assert task.choices == ("drug A", "drug B", "drug C", "drug D", "drug E")
    assert (task.references, task.profile, len(task.images)) == (("E",), profile, len(pictures))


def test_gqa_of_its_authors(tmp_path, images):
    write_json(
        tmp_path / "testdev_balanced_questions.json",
        {"201": {"question": "Is it left?", "answer": "no", "imageId": "n1", "types": {"structural": "verify"}}},
    )
    write_picture(tmp_path / "images" / "n1.jpg")
    task = task_source(f"gqa:{tmp_path}").load("testdev", None, images)[0]
    assert (task.id, task.references, task.category, task.cluster) == ("gqa/testdev/201", ("no",), "verify", "gqa/n1")


def test_geometry3k_by_choices(tmp_path, images):
    row = {"images": [struct(1)], "problem": "<image>Find x.", "answer": "3", "choices": ["1", "2", "3", "4"], "ground_truth": "C", "id": 8}
    write_rows(tmp_path / "data" / "test-00000-of-00001.parquet", [row])
    free = task_source(f"geometry3k:{tmp_path}").load("test", None, images)[0]
    task = task_source(f"geometry3k_choice:{tmp_path}").load("test", None, images)[0]
    assert (free.choices, free.references, free.profile) == ((), ("3",), "geometry3k")
    assert (task.choices, task.references, task.profile) == (("1", "2", "3", "4"), ("C",), "geometry3k_choice")


def test_bytes_win_over_a_path(tmp_path, images):
    row = {**chartqa()[0], "image": {"bytes": picture(3), "path": "nowhere.png"}}
    write_rows(tmp_path / "test.parquet", [row])
    assert len(task_source(f"chartqa:{tmp_path}").load("test", None, images)[0].images) == 1


def test_a_path_alone_is_read_from_the_folder(tmp_path, images):
    write_rows(tmp_path / "data" / "test-00000-of-00001.parquet", [{**chartqa()[0], "image": {"bytes": None, "path": "pictures/1.png"}}])
    write_picture(tmp_path / "pictures" / "1.png")
    assert len(task_source(f"chartqa:{tmp_path}").load("test", None, images)[0].images) == 1


def test_the_same_id_twice_is_told(tmp_path, images):
    rows = [{"image": struct(n), "question": "Q?", "answer": "1", "question_id": 4} for n in range(2)]
    write_rows(tmp_path / "test.parquet", rows)
    with pytest.raises(TaskError, match="the id 'tallyqa/test/4' is that of row 1 already"):
        task_source(f"tallyqa:{tmp_path}").load("test", None, images)


def test_names_that_lead_nowhere(tmp_path, own_places):
    with pytest.raises(TaskError, match=r"not on this machine; looked in .*benchmarks/chartqa[\s\S]*maestro tasks download chartqa"):
        task_source("chartqa")
    with pytest.raises(
        TaskError,
        match=r"hf download DreamMr/HR-Bench --repo-type dataset --revision [0-9a-f]{40} --include '\*.parquet' --local-dir hr_bench",
    ):
        task_source("hr_bench")
    with pytest.raises(TaskError, match="no benchmark 'chartq'; did you mean chartqa"):
        task_source(f"chartq:{tmp_path}")
    with pytest.raises(TaskError, match=r"there is no file or folder .*gone"):
        task_source(f"chartqa:{tmp_path / 'gone'}")
    with pytest.raises(TaskError, match="names no folder behind the colon"):
        task_source("chartqa:")
    with pytest.raises(TaskError, match=r"no option .*'shuffle=1'"):
        task_source(f"chartqa:{tmp_path}?shuffle=1")
    with pytest.raises(TaskError, match="option"):
        task_source(f"chartqa:{tmp_path}?revision")
    (tmp_path / "notes.json").write_text("{}")
    with pytest.raises(TaskError, match=r"holds no split of ChartQA. It has notes.json .*test: test or test_human"):
        task_source(f"chartqa:{tmp_path}")


def test_the_usual_place_and_the_revision(folders, tmp_path, images, monkeypatch):
    import shutil

    monkeypatch.setenv("MAESTRO_BENCHMARKS", str(tmp_path))
    shutil.copytree(folders / "slake", tmp_path / "slake")
    assert len(task_source("slake").load("test", None, images)) == 3
    with pytest.raises(TaskError, match=r"does not say which revision.*maestro tasks download slake --revision abc"):
        task_source("slake?revision=abc")
    record = {"benchmark": "slake", "dataset": "BoKelvin/SLAKE", "commit": "abcdef", "date": "2026-01-01T00:00:00+00:00"}
    write_json(tmp_path / "slake" / RECORD, record)
    assert task_source("slake?revision=abc").name == "slake?revision=abc"
    with pytest.raises(TaskError, match="holds the revision abcdef of BoKelvin/SLAKE, not 123"):
        task_source("slake?revision=123")
    (tmp_path / "slake" / RECORD).write_text("{}")
    with pytest.raises(TaskError, match="is damaged"):
        task_source("slake?revision=123")


def test_files_that_hold_no_rows(tmp_path, images):
    (tmp_path / "test.json").write_text("not json")
    with pytest.raises(TaskError, match="is no JSON"):
        task_source(f"tallyqa:{tmp_path}").load("test", None, images)
    (tmp_path / "test.json").write_text("[]")
    with pytest.raises(TaskError, match="holds no rows"):
        task_source(f"tallyqa:{tmp_path}").load("test", None, images)
    (tmp_path / "test.json").write_text('[{"image": "a", "question": "b", "answer": "c"}, 4]')
    with pytest.raises(TaskError, match="entry 2, is no object but 4"):
        task_source(f"tallyqa:{tmp_path}").load("test", None, images)
    (tmp_path / "test.json").unlink()
    (tmp_path / "test.tsv").write_text("")
    with pytest.raises(TaskError, match="is empty"):
        task_source(f"tallyqa:{tmp_path}").load("test", None, images)
