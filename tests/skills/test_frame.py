import pytest
from PIL import Image

from maestro.skills.frame import box_on_image, frame_size, framed


@pytest.mark.parametrize(
    ("size", "frame"),
    [((280, 140), (280, 140)), ((1000, 500), (1008, 504)), ((10, 10), (56, 56)), ((30, 400), (28, 392)), ((8000, 6000), (4116, 3080))],
)
def test_a_frame_is_what_the_processor_would_leave_alone(size, frame):
    assert frame_size(size) == frame
    assert frame_size(frame) == frame
    assert frame[0] % 28 == frame[1] % 28 == 0
    assert 56 * 56 <= frame[0] * frame[1] <= 16384 * 28 * 28


def test_a_sliver_has_no_frame():
    with pytest.raises(ValueError, match="too narrow"):
        framed(Image.new("RGB", (2000, 4)))


def test_boxes_are_ordered_scaled_and_cut():
    assert box_on_image([10, 20, 30, 40], (100, 100), (200, 50)) == (20, 10, 60, 20)
    assert box_on_image([30.5, 40, 10, 20], (100, 100), (100, 100)) == (10, 20, 31, 40)
    assert box_on_image([-50, -50, 500, 500], (100, 100), (100, 100)) == (0, 0, 100, 100)


@pytest.mark.parametrize(
    "corners",
    [
        None,
        "1,2,3,4",
        [1, 2, 3],
        [1, 2, 3, "4"],
        [1, 2, 3, True],
        [1, 2, 3, float("nan")],
        [1, 2, 3, float("inf")],
        [5, 5, 5, 5],
        [900, 900, 950, 950],
    ],
)
def test_what_is_no_box(corners):
    with pytest.raises(ValueError, match="box"):
        box_on_image(corners, (100, 100), (100, 100))
