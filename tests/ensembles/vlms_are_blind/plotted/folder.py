"""A folder of such pictures in the layout of recorded folders.

python -m tests.ensembles.vlms_are_blind.plotted.folder FOLDER [first-last] [kind,...] [axis,...]
"""

import json
import sys
from pathlib import Path

from tests.ensembles.vlms_are_blind.plotted import maps, scenes
from tests.ensembles.vlms_are_blind.plotted.style import AXES, finished, generator, style_of

KINDS = {
    "lines": scenes.lines, "contact": scenes.contact, "rings": scenes.rings, "pentagons": scenes.pentagons, "squares": scenes.squares,
    "blank_grid": scenes.blank_grid, "word_grid": scenes.word_grid, "letter": scenes.letter, "subway": maps.subway,
}  # fmt: skip


def plotted(kind, axis, number):
    """The scene of this kind, axis and number with its finished picture; always the same."""
    rng = generator(kind, axis, number)
    style = style_of(axis, rng)
    scene = KINDS[kind](rng, style)
    return finished(scene.image, style, rng), scene


def write_folder(folder, numbers, kinds=tuple(KINDS), axes=AXES):
    """tasks.jsonl and images/, one question a picture, the two wordings in turn. Gives the rows."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    rows = []
    for kind in kinds:
        for axis in axes:
            for number in numbers:
                image, scene = plotted(kind, axis, number)
                name = f"{kind}-{axis}-{number}"
                image.save(folder / "images" / f"{name}.png")
                question, answer = list(scene.questions.items())[number % 2]
                shared = {
                    "dataset": "vlms_are_blind",
                    "split": "dev",
                    "task": kind,
                    "category": scene.category,
                    "answer_type": scene.answer_type,
                }
                rows.append(
                    {**shared, "task_id": name, "scene_id": name, "image": f"images/{name}.png", "question": question, "answer": answer}
                )
    (folder / "tasks.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return rows


def main(folder, numbers="0-4", kinds="", axes=""):
    first, last = (int(value) for value in numbers.split("-"))
    write_folder(Path(folder), range(first, last), kinds.split(",") if kinds else tuple(KINDS), axes.split(",") if axes else AXES)


if __name__ == "__main__":
    main(*sys.argv[1:])
