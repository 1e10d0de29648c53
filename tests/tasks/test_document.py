"""The example in docs/tasks.md is what it says."""

import re
from pathlib import Path

from maestro.tasks.opening import file_source
from tests.tasks.rows import picture

DOCUMENT = Path(__file__).parents[2] / "docs" / "tasks.md"


def test_the_example_rows_load(tmp_path, images):
    (text,) = re.findall(r"^```jsonl\n(.*?)^```$", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    (tmp_path / "signs.jsonl").write_text(text, encoding="utf-8")
    for name in ("door.png", "price.jpg"):
        picture().save(tmp_path / name)
    source = file_source(tmp_path / "signs.jsonl")
    assert source.splits == ("train", "val", "all")
    (door,), (price,), (side,) = (source.load(split, None, images) for split in source.splits)
    assert (door.id, price.params, side.references) == ("door", {"absolute": 0.01}, ("B", "right"))
