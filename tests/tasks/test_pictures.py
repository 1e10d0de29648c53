"""Everybody sees the same pixels: bytes first, else the path, read as ImageStore reads everything."""

import warnings

import numpy as np
import pytest
from PIL import Image

from maestro.images import ImageStore, digest, open_image
from maestro.tasks.file import TaskWarning
from maestro.tasks.opening import file_source
from tests.tasks.rows import encoded, original_row, picture, write_jsonl, write_parquet


def load(path, images, split="train"):
    return file_source(path).load(split, None, images)


def rotated() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(picture(), "JPEG", exif=exif.tobytes())


def see_through() -> bytes:
    return encoded(Image.new("RGBA", (9, 5), (0, 0, 0, 0)))


def indexed() -> bytes:
    return encoded(picture().quantize(4))


def deep() -> bytes:
    return encoded(Image.fromarray(np.arange(60, dtype=np.uint16).reshape(6, 10) * 1000))


def four_colours() -> bytes:
    return encoded(picture().convert("CMYK"), "JPEG")


@pytest.mark.parametrize("make", [rotated, see_through, indexed, deep, four_colours])
def test_every_kind_of_file_gives_the_pixels_of_the_store(tmp_path, make):
    data = make()
    (tmp_path / "a.img").write_bytes(data)
    in_bytes = load(write_parquet(tmp_path / "t.parquet", [original_row(images=[{"bytes": data, "path": None}])]), one := ImageStore())
    by_path = load(write_jsonl(tmp_path / "t.jsonl", [{"question": "Q", "image": "a.img"}]), two := ImageStore(), "all")
    expected = open_image(data)
    assert in_bytes[0].images == by_path[0].images == (digest(expected),)
    for store in (one, two):
        assert store.pixels(digest(expected)).tobytes() == expected.tobytes()
    assert {rotated: (8, 12), see_through: (9, 5)}.get(make, expected.size) == expected.size


def test_without_bytes_the_path_beside_the_file_counts(tmp_path, images):
    (tmp_path / "pictures").mkdir()
    picture("green").save(tmp_path / "pictures" / "a.png")
    row = original_row(images=[{"bytes": None, "path": "pictures/a.png"}])
    (task,) = load(write_parquet(tmp_path / "t.parquet", [row]), images)
    assert images.pixels(task.images[0]).getpixel((5, 5)) == (0, 128, 0)


def test_bytes_win_over_a_file_that_differs_and_that_is_said(tmp_path, images):
    picture("blue").save(tmp_path / "a.png")
    picture("red").save(tmp_path / "same.bmp")
    row = original_row(images=[{"bytes": encoded(picture("red")), "path": name} for name in ("a.png", "same.bmp", "gone.png")])
    with pytest.warns(TaskWarning, match=r"1 image file differs from the bytes in the rows that name them \(.*a\.png\)"):
        (task,) = load(write_parquet(tmp_path / "t.parquet", [row]), images)
    assert {images.pixels(name).getpixel((5, 5)) for name in task.images} == {(255, 0, 0)}


def test_a_file_that_is_no_image_differs_too(tmp_path, images):
    (tmp_path / "a.png").write_text("notes")
    row = original_row(images=[{"bytes": encoded(picture()), "path": "a.png"}])
    with pytest.warns(TaskWarning, match="1 image file differs"):
        load(write_parquet(tmp_path / "t.parquet", [row]), images)


def test_a_known_image_is_not_decoded_again_until_somebody_looks(tmp_path, monkeypatch):
    import maestro.images

    path = write_parquet(tmp_path / "t.parquet", [original_row(number) for number in range(3)])
    decoded = []
    monkeypatch.setattr(maestro.images, "open_image", lambda source: decoded.append(source) or open_image(source))
    first = load(path, ImageStore())
    assert len(decoded) == 1, "three rows with one picture"
    second = load(path, store := ImageStore())
    assert len(decoded) == 1
    assert [task.images for task in first] == [task.images for task in second]
    assert store.pixels(second[0].images[0]).size == (12, 8)
    assert len(decoded) == 2


def test_an_index_that_cannot_be_used_costs_time_and_is_said(tmp_path, own_cache, images):
    (own_cache / "maestro").mkdir()
    (own_cache / "maestro" / "pixels.sqlite").write_text("not a database at all, but long enough to look like one" * 20)
    with pytest.warns(TaskWarning, match="the index of known images .* cannot be used"):
        (task,) = load(write_parquet(tmp_path / "t.parquet", [original_row()]), images)
    assert images.pixels(task.images[0]).size == (12, 8)


def test_a_wrong_entry_of_the_index_is_noticed_when_the_image_is_looked_at(tmp_path, own_cache):
    import sqlite3

    from maestro.errors import ImageError

    path = write_parquet(tmp_path / "t.parquet", [original_row()])
    load(path, ImageStore())
    with sqlite3.connect(own_cache / "maestro" / "pixels.sqlite") as index:
        index.execute("UPDATE pixels SET name = ?", ("0" * 64,))
    index.close()
    (task,) = load(path, store := ImageStore())
    with pytest.raises(ImageError, match="shows something else than when its task was loaded"):
        store.pixels(task.images[0])


def test_nothing_is_said_where_there_is_nothing_to_say(tmp_path, images):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load(write_parquet(tmp_path / "t.parquet", [original_row()]), images)
