"""From the pictures that a row names to images in a store: bytes first, else the path."""

from __future__ import annotations

from pathlib import Path

from maestro.errors import ImageError
from maestro.images import ImageStore, digest, open_image
from maestro.tasks.known_pixels import KnownPixels
from maestro.tasks.row import Picture, RowFault


class PictureReader:
    """Reads the pictures of one file's rows; paths are relative to the file's folder.

    Where a row has bytes they are what everybody sees. A file at its path that shows something else is noted in `differing`: it is
    ignored, but its owner may think otherwise.
    """

    def __init__(self, folder: Path, images: ImageStore, known: KnownPixels) -> None:
        self.folder = folder
        self.images = images
        self.known = known
        self.differing: list[Path] = []
        self._by_path: dict[str, str] = {}

    def read(self, pictures: tuple[Picture, ...]) -> tuple[str, ...]:
        """Hashes of the pictures, which are then in the store. Raises RowFault naming every one that cannot be read."""
        names: list[str] = []
        faults: list[str] = []
        for picture in pictures:
            try:
                names.append(self._one(picture))
            except ImageError as error:
                faults.append(f"{picture.column}: {error}")
        if faults:
            raise RowFault(faults)
        return tuple(names)

    def _one(self, picture: Picture) -> str:
        if picture.data is None:
            return self._file(picture.path or "")
        name = self._named(picture.data, picture.data)
        if picture.path is not None:
            self._compare(name, picture)
        return name

    def _file(self, path: str) -> str:
        if (name := self._by_path.get(path)) is None:
            if "://" in path or path.startswith("data:"):
                raise ImageError(f"{path[:60]} is an address, not a file. Download it and give its path.")
            file = self.folder / path
            name = self._by_path[path] = self._named(_bytes(file), file)
        return name

    def _named(self, data: bytes, origin: Path | bytes) -> str:
        """The hash of an image file, from an earlier reading where there was one."""
        known = self.known.get(data)
        name = self.images.link(origin, known)
        if known is None:
            self.known.add(data, name)
        return name

    def _compare(self, name: str, picture: Picture) -> None:
        """Note a file at the picture's path that shows something else than its bytes."""
        file = self.folder / str(picture.path)
        try:
            data = file.read_bytes()
        except OSError:
            return  # most such paths belong to another machine, and the bytes are what counts
        if data == picture.data:
            return
        there = self.known.get(data)
        if there is None:
            try:
                there = digest(open_image(data))
            except ImageError:
                there = ""
            else:
                self.known.add(data, there)
        if there != name:
            self.differing.append(file)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError as error:
        raise ImageError(f"no image at {file}. Paths are relative to the file that names them.") from error
    except OSError as error:
        raise ImageError(f"{file} cannot be read: {error.strerror}") from error
