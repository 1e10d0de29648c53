"""Images as data URLs, encoded once and kept by content hash, for requests that carry them."""

from __future__ import annotations

import asyncio
import base64
import io
import os
import threading
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor

from PIL import Image

from maestro.images import ImageFile, ImageStore


def encode(image: Image.Image) -> ImageFile:
    """RGB pixels as PNG: lossless, so the expert sees the pixels that the orchestrator sees.

    Level 1: half the time of Pillow's default for an eighth more bytes.
    """
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", compress_level=1)
    return ImageFile("image/png", buffer.getvalue())


class DataURLs:
    """Data URLs of an image store's images: each made once, in a thread, and kept up to `capacity_bytes` in all.

    A file that the store has is passed on as it is; only what has none (crops, rotated or transparent pictures) is encoded.

    Any number of calls, episodes and event loops share one encoding, also while it is being made.
    """

    def __init__(self, images: ImageStore, capacity_bytes: int = 256 << 20) -> None:
        self.capacity_bytes = capacity_bytes
        self._images = images
        self._lock = threading.Lock()
        self._made: OrderedDict[str, bytes] = OrderedDict()
        self._making: dict[str, Future[bytes]] = {}
        self._held_bytes = 0
        self._threads: ThreadPoolExecutor | None = None
        self.made = 0
        """How many were made, for tests and reports."""

    async def get(self, name: str) -> bytes:
        """The data URL of an image by its hash. Raises ImageError when the store does not have it."""
        with self._lock:
            if (made := self._made.get(name)) is not None:
                self._made.move_to_end(name)
                return made
            making = self._making.get(name)
            if making is None:
                pixels = self._images.pixels(name)
                self._threads = self._threads or ThreadPoolExecutor(len(os.sched_getaffinity(0)), thread_name_prefix="maestro-encode")
                making = self._making[name] = self._threads.submit(self._make, name, pixels)
        return await asyncio.shield(asyncio.wrap_future(making))  # a caller that leaves does not spoil it for the others

    def close(self) -> None:
        """Let the threads end; what is being encoded is finished."""
        with self._lock:
            threads, self._threads = self._threads, None
        if threads is not None:
            threads.shutdown(wait=True)

    def _make(self, name: str, pixels: Image.Image) -> bytes:
        try:
            file = self._images.file(name) or encode(pixels)
            url = b"data:%s;base64,%s" % (file.media_type.encode(), base64.b64encode(file.data))
        except BaseException:
            with self._lock:
                del self._making[name]
            raise
        with self._lock:
            del self._making[name]
            self.made += 1
            self._made[name] = url
            self._held_bytes += len(url)
            while self._held_bytes > self.capacity_bytes and len(self._made) > 1:
                _, dropped = self._made.popitem(last=False)
                self._held_bytes -= len(dropped)
        return url
