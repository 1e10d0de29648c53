import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maestro.errors import ImageError
from maestro.images import ImageFile, ImageStore, digest, open_image, plain_jpeg


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=format, **options)
    return buffer.getvalue()


def test_the_hash_is_of_pixels_not_of_files() -> None:
    image = Image.effect_noise((20, 10), 40).convert("RGB")
    store = ImageStore()
    assert store.put(encoded(image, "PNG")) == store.put(encoded(image, "BMP")) == digest(image)


def test_alpha_lies_on_white_and_palettes_expand() -> None:
    clear = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    assert open_image(encoded(clear, "PNG")).getpixel((0, 0)) == (255, 255, 255)
    palette = Image.new("RGB", (4, 4), (10, 200, 30)).quantize(4)
    assert open_image(encoded(palette, "PNG")).getpixel((1, 1)) == (10, 200, 30)


def test_exif_rotation_is_applied() -> None:
    image = Image.new("RGB", (40, 20))
    exif = Image.Exif()
    exif[0x0112] = 6
    assert open_image(encoded(image, "JPEG", exif=exif)).size == (20, 40)


def test_sixteen_bit_grey_keeps_its_range() -> None:
    deep = Image.fromarray(np.array([[0, 65535]], dtype=np.uint16))
    image = open_image(encoded(deep, "PNG"))
    assert [image.getpixel((x, 0))[0] for x in (0, 1)] == [0, 255]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.png", b"not an image", "not an image"),
        ("b.png", b"", "is empty"),
        ("c.pdf", b"%PDF-1.7\n", "save its page as a picture"),
        ("d.heic", b"\0\0\0\x18ftypheic" + b"\0" * 99, "save it as JPEG"),
        ("e.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>', "save it as PNG"),
    ],
)
def test_what_is_no_image_says_so(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ImageError, match=message):
        open_image(tmp_path / name)
    with pytest.raises(ImageError, match=message):
        open_image(content)


def test_missing_folder_and_torn_files_say_so(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="no image at"):
        open_image(tmp_path / "none.png")
    with pytest.raises(ImageError, match="folder"):
        open_image(tmp_path)
    whole = encoded(Image.effect_noise((64, 64), 40), "PNG")
    with pytest.raises(ImageError, match="damaged"):
        open_image(whole[: len(whole) // 2])


def test_folder_store_reads_back(tmp_path: Path) -> None:
    image = Image.effect_noise((8, 8), 40).convert("RGB")
    name = ImageStore(tmp_path).put(image)
    again = ImageStore(tmp_path)
    assert digest(again.pixels(name)) == name
    assert digest(open_image(again.png(name))) == name
    with pytest.raises(ImageError, match="no image with hash"):
        again.pixels("0" * 64)


def test_capacity_drops_the_oldest() -> None:
    store = ImageStore(capacity=2)
    names = [store.put(Image.new("RGB", (i + 1, 1))) for i in range(3)]
    with pytest.raises(ImageError):
        store.pixels(names[0])
    assert store.pixels(names[2]).size == (3, 1)


@pytest.mark.parametrize("array", [np.zeros((4, 4, 3)), np.zeros((4, 4, 2), np.uint8), np.zeros((0, 4), np.uint8), np.zeros(4, np.uint8)])
def test_an_array_that_is_no_image_says_what_is(array):
    with pytest.raises(ImageError, match=r"give \(H, W\).* of uint8"):
        ImageStore().put(array)


def test_an_array_is_the_image_with_its_pixels():
    values = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    store = ImageStore()
    assert store.put(values) == store.put(Image.fromarray(values))


def test_linked_images_are_read_again_instead_of_filling_memory(tmp_path: Path) -> None:
    store = ImageStore(linked_bytes=2 * 20 * 10 * 4)
    noise = [Image.effect_noise((20, 10), 40 + number).convert("RGB") for number in range(4)]
    for number, image in enumerate(noise):
        image.save(tmp_path / f"{number}.png")
    names = [store.link(tmp_path / f"{number}.png") for number in range(3)] + [store.link(encoded(noise[3], "PNG"))]
    assert names == [digest(image) for image in noise]
    assert len(store._linked) == 2
    for _ in range(2):
        assert [store.pixels(name).tobytes() for name in names] == [image.tobytes() for image in noise]
    assert open_image(store.png(names[0])).tobytes() == noise[0].tobytes()
    assert len(store._linked) == 2


def test_a_linked_file_that_changes_or_goes_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (4, 4), "red").save(path)
    name = digest(Image.new("RGB", (4, 4), "red"))
    store = ImageStore()
    assert store.link(path, name) == name
    Image.new("RGB", (4, 4), "blue").save(path)
    with pytest.raises(ImageError, match=r"a\.png shows something else than when its task was loaded"):
        store.pixels(name)
    path.unlink()
    with pytest.raises(ImageError, match="no image at"):
        store.pixels(name)


def test_a_name_that_is_known_costs_no_decoding(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("not looked at")
    assert ImageStore().link(tmp_path / "a.png", "0" * 64) == "0" * 64


def jpeg(image: Image.Image, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


def test_a_plain_jpeg_is_kept_as_it_is(tmp_path):
    noise = Image.effect_noise((20, 10), 40)
    for data in (jpeg(noise.convert("RGB"), quality=80), jpeg(noise), jpeg(noise.convert("RGB"), progressive=True, dpi=(72, 72))):
        store = ImageStore(capacity=1)
        (tmp_path / "a.jpg").write_bytes(data)
        name = store.put(tmp_path / "a.jpg")
        assert store.file(name) == ImageFile("image/jpeg", data)
        assert digest(open_image(data)) == name
        store.put(Image.new("RGB", (3, 3)))
        assert store.file(name) is None


def test_a_file_that_shows_or_tells_anything_else_is_not():
    colour = Image.effect_noise((20, 10), 40).convert("RGB")
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    told = [jpeg(colour, exif=exif), jpeg(colour, comment="mine"), jpeg(colour, icc_profile=b"x" * 200), jpeg(colour, xmp=b"<x/>")]
    other = [jpeg(colour.convert("CMYK")), jpeg(colour) + b"a film", encoded(colour, "PNG")]
    store = ImageStore()
    for data in (*told, *other):
        assert plain_jpeg(data) is None
        assert store.file(store.put(data)) is None


def test_a_folder_has_files_of_everything(tmp_path):
    store = ImageStore(tmp_path)
    name = store.put(Image.effect_noise((20, 10), 40))
    file = store.file(name)
    assert file.media_type == "image/png"
    assert digest(open_image(file.data)) == name
