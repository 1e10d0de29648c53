import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance

from maestro.evaluate.overlap import normalised, overlap, shingles
from maestro.images import ImageStore
from maestro.types import Task


def drawing(seed, size=200):
    """A line drawing on white: mostly the same colour whatever is on it."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (size, size), "white")
    pen = ImageDraw.Draw(image)
    for _ in range(3):
        points = [tuple(point) for point in rng.uniform(0, size, (3, 2))]
        pen.line(points, fill=tuple(int(value) for value in rng.integers(0, 200, 3)), width=3)
    return image


@pytest.fixture
def images():
    return ImageStore()


def tasks(images, pictures, question="How many times do the lines cross?", answer="1"):
    return [Task(id=f"t{n}", question=question, images=(images.put(one),), references=(answer,)) for n, one in enumerate(pictures)]


def test_a_copy_is_found_scaled_recompressed_and_brightened(images):
    original = drawing(1)
    changed = [
        original.copy(),
        original.resize((320, 320), Image.Resampling.BICUBIC),
        ImageEnhance.Brightness(original).enhance(0.99),
        Image.fromarray(
            np.clip(np.asarray(original, dtype=int) + np.random.default_rng(0).integers(-3, 4, (200, 200, 3)), 0, 255).astype("uint8")
        ),
    ]
    found = overlap(tasks(images, changed), tasks(images, [drawing(n) for n in range(6)]), images)
    assert len(found.leaks) == 4
    assert {one.other_id for one in found.leaks} == {"t1"}
    assert [one.picture for one in found.leaks] == ["same", "near", "near", "near"]
    assert (found.same_picture, found.near_picture) == (1, 3)
    assert all(one.answer for one in found.leaks)


def test_other_drawings_of_a_kind_under_the_same_question_are_no_leak(images):
    found = overlap(tasks(images, [drawing(n) for n in range(40)]), tasks(images, [drawing(n) for n in range(100, 160)]), images)
    assert found.leaks == found.pictures == ()
    assert (found.same_question, found.same_picture, found.near_picture) == (40, 0, 0)


def test_a_known_picture_under_another_question_is_listed_apart(images):
    ours = tasks(images, [drawing(1)])
    theirs = tasks(images, [drawing(1)], "Which colour is the longest line?")
    found = overlap(ours, theirs, images)
    assert found.leaks == ()
    assert [(one.task_id, one.picture, one.question) for one in found.pictures] == [("t0", "same", "different")]


def test_questions_without_pictures_are_compared_by_text(images):
    text = "A train leaves the station at noon and travels at sixty miles an hour for three hours; how far does it get?"
    ours = [Task(id="a", question=text), Task(id="b", question="What is the capital of France?", choices=("Paris", "Rome"))]
    theirs = [
        Task(id="x", question=text.upper().replace(";", " ;") + " "),
        Task(id="y", question=text.replace("noon", "night")),
        Task(id="z", question="What is the capital of France?", choices=("Lyon", "Nice")),
    ]
    found = overlap(ours, theirs, images)
    assert [(one.task_id, one.other_id, one.picture, one.question) for one in found.leaks] == [("a", "x", "none", "same")]
    near = overlap(ours, theirs[1:], images)
    assert [(one.other_id, one.question) for one in near.leaks] == []
    longer = text + " Think first."
    assert overlap([Task(id="a", question=longer)], theirs[:1], images).leaks[0].question == "near"


def test_several_pictures_have_to_agree_in_order(images):
    first, second, third = (images.put(drawing(n)) for n in (1, 2, 3))
    ours = [Task(id="a", question="Same?", images=(first, second))]
    for others, leaks in (((first, second), 1), ((second, first), 0), ((first, third), 0), ((first,), 0)):
        found = overlap(ours, [Task(id="b", question="Same?", images=others)], images)
        assert len(found.leaks) == leaks, others


def test_a_template_over_many_pictures_stays_cheap(images):
    picture = images.put(drawing(1))
    many = [Task(id=str(n), question="How many?", images=(picture if n == 0 else f"{n:064x}",)) for n in range(1)]
    found = overlap(many, [Task(id=str(n), question="How many?", images=(picture,)) for n in range(3000)], images)
    assert found.leaks[0].other_id == "0"


def test_normalising():
    assert normalised("  How MANY\tＣats?\n") == "how many cats"
    assert shingles("a b") == {"a b"}
    assert shingles("a b c d") == {"a b c", "b c d"}
    assert normalised("Is 3+4, here, 7?") == normalised("is 3 + 4 here 7") != normalised("Is 3-4 here 7?")
