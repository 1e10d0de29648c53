"""A picture drawn together with what a perfect reader would read in it, so that a procedure can be tested without an engine."""

from __future__ import annotations

import math
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from maestro.images import ImageStore
from maestro.skills.protocol import Caller, SkillRequest


class Sheet:
    def __init__(self, width: int = 400, height: int = 300, paper: str = "white") -> None:
        self.image = Image.new("RGB", (width, height), paper)
        self.draw = ImageDraw.Draw(self.image)
        self.words: list[dict[str, Any]] = []
        self.asked: list[str] = []

    def write(
        self, x: float, y: float, text: str, size: int = 16, confidence: float = 0.95, fill: str = "black", seen: str | None = None
    ) -> None:
        """Draw a line of text with its left middle at (x, y); `seen` is what the reader makes of it."""
        font = ImageFont.load_default(size)
        for drawn, read in zip(text.split(), (seen or text).split(), strict=True):
            self.draw.text((x, y), drawn, font=font, fill=fill, anchor="lm")
            box = self.draw.textbbox((x, y), drawn, font=font, anchor="lm")
            self.words.append({"text": read, "confidence": confidence, "box": [round(edge) for edge in box], "line": len(self.words)})
            x = box[2] + 0.3 * size

    def middle(self, x: float, y: float, text: str, size: int = 16, **options: Any) -> None:
        """The same with the middle at (x, y)."""
        self.write(x - ImageFont.load_default(size).getlength(text) / 2, y, text, size, **options)

    def tilt(self, degrees: float) -> None:
        """Turn the picture and its words clockwise about the centre."""
        self.image = self.image.rotate(-degrees, Image.Resampling.BICUBIC, fillcolor=self.image.getpixel((1, 1)))
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        for word in self.words:
            left, top, right, bottom = word["box"]
            dx, dy = (left + right) / 2 - self.image.width / 2, (top + bottom) / 2 - self.image.height / 2
            x, y = self.image.width / 2 + cos * dx - sin * dy, self.image.height / 2 + sin * dx + cos * dy
            wide, tall = (right - left) / 2, (bottom - top) / 2
            word["box"] = [round(x - wide), round(y - tall), round(x + wide), round(y + tall)]

    def ask(self, question: str, query: str = "") -> tuple[SkillRequest, Caller]:
        store = ImageStore(None)

        async def ask(operation: str, images: tuple[str, ...] = (), **_: Any) -> Any:
            assert operation == "ocr"
            self.asked += images
            return {"words": self.words, "width": self.image.width, "height": self.image.height, "slope": 0.0}

        caller = Caller(expert="reader", ask=ask, pixels=store.pixels, put=store.put)
        return SkillRequest(question, query, (store.put(self.image),)), caller
