import pytest
from PIL import Image

from maestro.skills.detection import Detected, draw_boxes, read_objects

SIZE = (100, 100)


def test_a_list_or_an_object_with_objects():
    entry = {"bbox_2d": [10, 10, 30, 30], "label": " red\ncup "}
    expected = ([Detected((10, 10, 30, 30), "red cup")], 0)
    import json

    assert read_objects(json.dumps([entry]), SIZE, SIZE) == expected
    assert read_objects(json.dumps({"objects": [entry]}), SIZE, SIZE) == expected
    assert read_objects("[]", SIZE, SIZE) == ([], 0)


def test_entries_that_cannot_be_used_are_counted():
    text = '[{"bbox_2d": [1, 1, 9, 9]}, {"bbox_2d": [500, 500, 600, 600], "label": "far"}, 7, {"label": "none"}]'
    assert read_objects(text, SIZE, SIZE) == ([Detected((1, 1, 9, 9), "object")], 3)


@pytest.mark.parametrize("text", ["{}", '"cat"', "[7]", '[{"bbox_2d": [1, 2]}]', "no objects"])
def test_replies_without_any_usable_object(text):
    with pytest.raises(ValueError, match=r"JSON|entry|box"):
        read_objects(text, SIZE, SIZE)


def test_boxes_are_drawn_on_a_copy():
    image = Image.new("RGB", SIZE, (9, 9, 9))
    drawn = draw_boxes(image, [Detected((0, 40, 100, 100), "ü猫 cat"), Detected((98, 0, 100, 2), "x" * 40)])
    assert drawn.getpixel((0, 70)) == (0, 160, 0)
    assert image.getpixel((0, 70)) == (9, 9, 9)
