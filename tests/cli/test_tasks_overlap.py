import json

import numpy as np
from PIL import Image

from tests.tasks.rows import write_jsonl


def rows(tmp_path, name, seeds):
    made = []
    for seed in seeds:
        noise = np.random.default_rng(seed).integers(0, 256, (12, 12, 3), dtype=np.uint8)
        Image.fromarray(noise).resize((96, 96), Image.Resampling.BICUBIC).save(tmp_path / f"{seed}.png")
        made.append({"id": f"{name}-{seed}", "question": "What is this?", "image": f"{seed}.png", "answer": str(seed)})
    return str(write_jsonl(tmp_path / f"{name}.jsonl", made))


def test_what_is_in_both_is_told_and_fails_the_gate(maestro, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    train, test, fresh = rows(tmp_path, "train", range(6)), rows(tmp_path, "test", [4, 5, 6, 7]), rows(tmp_path, "fresh", [8, 9])
    code, printed = maestro("tasks", "overlap", train, test, "--gate", "--json")
    assert code == 1
    found = json.loads(printed.out)
    assert (found["tasks"], found["others"], found["leaked"], found["same_question"]) == (4, 6, 2, 4)
    assert [(one["task_id"], one["other_id"]) for one in found["leaks"]] == [("test-4", "train-4"), ("test-5", "train-5")]
    code, printed = maestro("tasks", "overlap", train, test)
    assert code == 0
    assert "train-5" in printed.out
    assert maestro("tasks", "overlap", train, fresh, "--gate")[0] == 0


def test_a_source_without_the_split_says_which_there_are(maestro):
    code, printed = maestro("tasks", "overlap", "playground", "playground", "--train-split", "nowhere", "--limit", "2")
    assert code == 1
    assert "playground: no split 'nowhere'" in printed.err
