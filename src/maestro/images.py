"""Images by content: every room names pixels by hash, and the orchestrator and the experts see the same ones."""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from maestro.errors import ImageError

ImageLike = Image.Image | str | Path | bytes | NDArray[np.uint8]
"""An image as pixels, path or file bytes; arrays are (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA."""
MAX_PIXELS = 64_000_000
"""Larger images are refused rather than decoded (decompression bombs)."""
LINKED_BYTES = 1 << 30
"""Decoded pixels of linked images (see `ImageStore.link`) that a store keeps; the rest are decoded again when asked for."""
DECODING = "1"
"""Changes whenever `open_image` gives other pixels for the same file; part of what a remembered hash depends on."""


@dataclass(frozen=True)
class ImageFile:
    """An image as a file that can be sent: whoever decodes it sees the pixels of its hash, and nothing else is in it."""

    media_type: str
    data: bytes


def normalise(image: Image.Image) -> Image.Image:
    """RGB pixels as a person would see them: EXIF rotation applied, palette expanded, alpha laid on white."""
    image = ImageOps.exif_transpose(image)
    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, rgba).convert("RGB")
    if image.mode.startswith("I;16") or image.mode in {"I", "F"}:
        return _deep_grey(image)
    return image.convert("RGB")


def _deep_grey(image: Image.Image) -> Image.Image:
    """Grey of more than eight bits as RGB: 16-bit values keep their scale, others are stretched over their range."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float64))
    low, high = (0.0, 65535.0) if image.mode.startswith("I;16") else (float(values.min()), float(values.max()))
    scaled = (values - low) * (255.0 / ((high - low) or 1.0))
    return Image.fromarray(np.clip(scaled, 0, 255).astype(np.uint8)).convert("RGB")


def open_image(source: str | Path | bytes) -> Image.Image:
    """Read and normalise one image from a path or from bytes.

    Raises ImageError when there is nothing there, it is not an image, it is cut short or larger than `MAX_PIXELS`.
    """
    if not isinstance(source, str | Path | bytes):
        kinds = "a path, file bytes, a PIL image or a numpy array"
        raise ImageError(f"a {type(source).__name__} is no image; give {kinds}.")
    name = f"{len(source)} bytes" if isinstance(source, bytes) else str(source)
    if not isinstance(source, bytes) and Path(source).exists() and not (Path(source).is_file() or Path(source).is_dir()):
        raise ImageError(f"{name} is no ordinary file (a pipe or device); copy the image into one first.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise _too_large(name, f"{image.width * image.height / 1e6:.0f} megapixels ({image.width}x{image.height})")
                image.load()
                return normalise(image)
    except FileNotFoundError as error:
        if re.match(r"(https?|ftp|s3|data):", name):
            address = re.sub(r":/(?!/)", "://", name, count=1)  # a path joins its slashes
            raise ImageError(f"{address} is an address; pictures are read from files. Download it, and give the file.") from error
        raise ImageError(f"no image at {name}. Check the path.") from error
    except IsADirectoryError as error:
        raise ImageError(f"{name} is a folder, not an image file.") from error
    except UnidentifiedImageError as error:
        raise ImageError(f"{name} {_what(source)} (PNG, JPEG, WebP, GIF, BMP and TIFF can be read).") from error
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        size = re.search(r"\((\d+) pixels\)", str(error))  # Pillow's own bound lies above ours, and is told as ours
        raise _too_large(name, f"{int(size[1]) / 1e6:.0f} megapixels" if size else "too many pixels") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise ImageError(f"image {name} is damaged: {error}") from error


def _what(source: str | Path | bytes) -> str:
    """What a file is that is no image, as far as its first bytes tell, and what to do with it."""
    if isinstance(source, bytes):
        head = source[:64]
    else:
        with Path(source).open("rb") as file:
            head = file.read(64)
    if not head:
        return "is empty, and no image"
    if head.startswith(b"%PDF"):
        return "is a PDF, not an image; save its page as a picture first, for example with: pdftoppm -png"
    if head[4:8] == b"ftyp" and head[8:12] in {b"heic", b"heix", b"mif1", b"msf1", b"avif"}:
        return "is a HEIC or AVIF photo; save it as JPEG first"
    if b"<svg" in head or head.startswith(b"<?xml"):
        return "is a drawing in SVG or XML; save it as PNG first"
    return "is not an image that can be read"


def _too_large(name: str, size: str) -> ImageError:
    return ImageError(f"image {name} has {size}; at most {MAX_PIXELS / 1e6:.0f} megapixels are read. Make it smaller first.")


def plain_jpeg(source: str | Path | bytes) -> ImageFile | None:
    """The file itself, if it is a JPEG whose decoded pixels are what `open_image` gives and that tells nothing else.

    Rotation, a profile, a comment, a thumbnail or whatever else a camera writes (where the picture was taken, for one) rules
    it out.
    """
    data = source if isinstance(source, bytes) else Path(source).read_bytes()
    if not (data.startswith(b"\xff\xd8") and data.endswith(b"\xff\xd9")):
        return None
    with Image.open(io.BytesIO(data)) as image:
        segments = getattr(image, "applist", [])
        quiet = all(
            (name == "APP0" and body.startswith(b"JFIF")) or (name == "APP14" and body.startswith(b"Adobe")) for name, body in segments
        )
        return ImageFile("image/jpeg", data) if image.format == "JPEG" and image.mode in {"RGB", "L"} and quiet else None


def _from_array(values: NDArray[Any]) -> Image.Image:
    """The image of an array. Raises ImageError when its shape or type leaves open what is meant."""
    grey = values.ndim == 2
    if values.dtype != np.uint8 or not (grey or (values.ndim == 3 and values.shape[2] in {3, 4})) or 0 in values.shape:
        raise ImageError(
            f"an array of shape {values.shape} and type {values.dtype} is no image; give (H, W), (H, W, 3) or (H, W, 4) of uint8. "
            "Floats from 0 to 1: (255 * array).round().astype('uint8')."
        )
    return Image.fromarray(values)


def digest(image: Image.Image) -> str:
    """SHA-256 over size and RGB bytes: the same pixels have the same name whatever the file format was."""
    return hashlib.sha256(b"%dx%d:" % image.size + image.tobytes()).hexdigest()


class ImageStore:
    """Pixels and their PNG encoding by content hash, each made once.

    In memory up to `capacity` images; with `folder`, every image is also kept there as `<hash>.png` and older ones are
    read back from it. Images that were linked rather than put are read again from where they came from, so that of them at most
    `linked_bytes` of pixels stay in memory however many there are. Of a plain JPEG the file is kept too.
    """

    def __init__(self, folder: Path | None = None, capacity: int = 4096, linked_bytes: int = LINKED_BYTES) -> None:
        self.folder = folder
        self.capacity = capacity
        self.linked_bytes = linked_bytes
        self._pixels: OrderedDict[str, Image.Image] = OrderedDict()
        self._encoded: dict[str, bytes] = {}
        self._origins: dict[str, Path | bytes] = {}
        self._linked: OrderedDict[str, Image.Image] = OrderedDict()
        self._linked_size = 0
        self._files: dict[str, ImageFile] = {}
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def put(self, image: ImageLike) -> str:
        """Keep an image and return its hash. Raises ImageError."""
        if isinstance(image, np.ndarray):
            image = _from_array(image)
        pixels = normalise(image) if isinstance(image, Image.Image) else open_image(image)
        name = digest(pixels)
        if name not in self._pixels:
            if self.folder is not None and not (path := self.folder / f"{name}.png").exists():
                partial = path.with_suffix(".part")
                pixels.save(partial, format="PNG")
                partial.replace(path)
            self._remember(name, pixels)
        if name not in self._files and isinstance(image, str | Path | bytes) and (file := plain_jpeg(image)) is not None:
            self._files[name] = file
        return name

    def link(self, origin: Path | bytes, name: str | None = None) -> str:
        """Keep an image by the file, or the bytes of the file, that it can be read from again, and return its hash.

        With `name`, its hash as known from an earlier reading, nothing is decoded until the pixels are asked for; they must then
        have that hash. Raises ImageError.
        """
        if name is None:
            pixels = open_image(origin)
            name = digest(pixels)
            if name not in self._pixels:
                self._remember_linked(name, pixels)
        self._origins.setdefault(name, origin)
        return name

    def pixels(self, name: str) -> Image.Image:
        """The RGB image of a hash. Raises ImageError when it was never put here, or a linked file has changed since."""
        if (found := self._pixels.get(name)) is not None:
            self._pixels.move_to_end(name)
            return found
        if name in self._origins:
            return self._linked_pixels(name)
        if self.folder is not None and (path := self.folder / f"{name}.png").exists():
            image = open_image(path)
            self._remember(name, image)
            return image
        raise ImageError(f"no image with hash {name[:12]}… in this store ({len(self._pixels)} in memory, folder: {self.folder}).")

    def file(self, name: str) -> ImageFile | None:
        """A file that holds the pixels of a hash, if there is one without encoding them."""
        if (found := self._files.get(name)) is not None:
            return found
        path = None if self.folder is None else self.folder / f"{name}.png"
        return ImageFile("image/png", path.read_bytes()) if path is not None and path.exists() else None

    def png(self, name: str) -> bytes:
        """The PNG bytes of a hash, encoded once."""
        if name not in self._encoded:
            buffer = io.BytesIO()
            self.pixels(name).save(buffer, format="PNG")
            self._encoded[name] = buffer.getvalue()
        return self._encoded[name]

    def _linked_pixels(self, name: str) -> Image.Image:
        if (found := self._linked.get(name)) is not None:
            self._linked.move_to_end(name)
            return found
        origin = self._origins[name]
        image = open_image(origin)
        if digest(image) != name:
            where = origin if isinstance(origin, Path) else f"of {len(origin)} bytes"
            raise ImageError(f"the image {where} shows something else than when its task was loaded; load the tasks again.")
        self._remember_linked(name, image)
        return image

    def _remember_linked(self, name: str, image: Image.Image) -> None:
        if name in self._linked:
            return
        self._linked[name] = image
        self._linked_size += _size(image)
        while self._linked_size > self.linked_bytes and len(self._linked) > 1:
            oldest, dropped = self._linked.popitem(last=False)
            self._linked_size -= _size(dropped)
            self._encoded.pop(oldest, None)

    def _remember(self, name: str, image: Image.Image) -> None:
        self._pixels[name] = image
        while len(self._pixels) > self.capacity:
            oldest, _ = self._pixels.popitem(last=False)
            self._encoded.pop(oldest, None)
            self._files.pop(oldest, None)


def _size(image: Image.Image) -> int:
    """Bytes of RGB pixels in memory, where Pillow gives each one four."""
    return image.width * image.height * 4
