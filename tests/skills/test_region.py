import pytest
from PIL import Image

from maestro.skills.region import clip, enlargement, parse_region


def test_parse() -> None:
    assert parse_region("10,20,30,40") == (10, 20, 30, 40)
    assert parse_region(" [1, 2,3 ,4] ") == (1, 2, 3, 4)
    assert parse_region("10,20,30") is None
    assert parse_region("the box 1,2,3,4") is None
    assert parse_region("-1,2,3,4") is None


def test_clip_keeps_what_is_inside() -> None:
    image = Image.new("RGB", (100, 50))
    assert clip((90, 40, 500, 500), image) == (90, 40, 100, 50)
    with pytest.raises(ValueError, match="100x50"):
        clip((200, 10, 300, 20), image)


def test_enlargement_is_bounded() -> None:
    assert enlargement((0, 0, 10, 10)) == 4.0
    assert enlargement((0, 0, 80, 20)) == 2.0
    assert enlargement((0, 0, 400, 20)) == 1.0
