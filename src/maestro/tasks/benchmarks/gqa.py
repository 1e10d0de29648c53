"""GQA: questions composed over scene graphs of photographs."""

from __future__ import annotations

from maestro.tasks.benchmarks.benchmark import Benchmark, Hub
from maestro.tasks.benchmarks.reading import first_of, gold, one_picture, plain, task_row
from maestro.tasks.row import Columns, Place, Row


def parse(row: Columns, place: Place) -> Row:
    """The authors' JSON, a mapping by question; pictures lie in `images/`, named by `imageId`."""
    if row.has("imageId"):
        row.values = {**row.values, "image": f"images/{plain(row, 'imageId')}.jpg"}
    return task_row(
        row,
        place,
        "gqa",
        key=plain(row, first_of(row, "key", "id")),
        question=row.text("question", required=True),
        references=gold(row, "answer"),
        profile="gqa",
        category=plain(row.inside("types"), "structural"),
        cluster=plain(row, "imageId"),
        pictures=one_picture(row, "image"),
    )


BENCHMARK = Benchmark(
    name="gqa",
    title="GQA",
    measured="testdev",
    splits={"testdev": ("testdev", "testdev_balanced*"), "val": ("val", "val_balanced*"), "train": ("train", "train_balanced*")},
    layouts=(frozenset({"question", "answer", "imageId"}), frozenset({"question", "answer", "image"})),
    profiles=("gqa",),
    parse=parse,
    hub=Hub("lmms-lab/GQA", revision="a6e72d6e1b912da88af8b2f9eba05d5ea8ec2dd8"),
    note="Read from the authors' JSON and pictures; on the Hub pictures and questions are in separate files, which are not joined here.",
)
