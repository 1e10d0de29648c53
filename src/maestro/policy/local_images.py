"""Pixels as the vision tower takes them, made once per image."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image

from maestro.errors import ImageError
from maestro.images import ImageStore


@dataclass(frozen=True)
class EncodedImage:
    """One image after the processor."""

    pixel_values: torch.Tensor
    """(patches, channels x temporal patch x patch x patch)"""
    grid: torch.Tensor
    """(1, 3): time, height and width in patches"""
    tokens: int
    """What the image costs in the prompt."""


class ImageEncoder:
    """Runs the image processor, at most once per content hash while it is among the last `capacity` used.

    With `blank`, every picture is replaced by a grey one of the same size: the control that shows whether a policy uses its
    eyes. The vision tower's output is not kept here, because it changes with the weights.
    """

    def __init__(self, processor: Any, images: ImageStore, *, blank: bool = False, capacity: int = 1024) -> None:
        self.processor = processor
        self.images = images
        self.blank = blank
        self.capacity = capacity
        self._encoded: OrderedDict[str, EncodedImage] = OrderedDict()

    def picture(self, name: str) -> Image.Image:
        """The picture that the policy sees. Raises ImageError."""
        pixels = self.images.pixels(name)
        return Image.new("RGB", pixels.size, (128, 128, 128)) if self.blank else pixels

    def encode(self, name: str) -> EncodedImage:
        """One image by hash. Raises ImageError when there is none, or its shape is beyond the processor."""
        if (found := self._encoded.get(name)) is not None:
            self._encoded.move_to_end(name)
            return found
        picture = self.picture(name)
        try:
            made = self.processor.image_processor(images=[picture], return_tensors="pt")
        except ValueError as error:
            raise ImageError(f"the policy cannot look at a picture of {picture.width}x{picture.height} pixels: {error}") from error
        grid = made["image_grid_thw"]
        tokens = int(grid.prod()) // self.processor.image_processor.merge_size**2
        encoded = EncodedImage(made["pixel_values"], grid, tokens)
        self._encoded[name] = encoded
        while len(self._encoded) > self.capacity:
            self._encoded.popitem(last=False)
        return encoded

    def count(self, width: int, height: int) -> int:
        """Tokens of a picture of this size, without looking at one. Raises ImageError when its shape is beyond the processor."""
        look = self.processor.image_processor
        try:
            return int(look.get_number_of_image_patches(height, width, {})) // int(look.merge_size) ** 2
        except ValueError as error:
            raise ImageError(f"the policy cannot look at a picture of {width}x{height} pixels: {error}") from error

    def inputs(self, names: Sequence[str]) -> dict[str, torch.Tensor]:
        """`pixel_values` (patches of all images, width) and `image_grid_thw` (images, 3); empty when there are no images."""
        if not names:
            return {}
        encoded = [self.encode(name) for name in names]
        return {
            "pixel_values": torch.cat([image.pixel_values for image in encoded]),
            "image_grid_thw": torch.cat([image.grid for image in encoded]),
        }
