"""Small pictures for the tests of the pixel experts, drawn here so that no test depends on the task generator."""

import json
import math
import random

import numpy as np
from PIL import Image, ImageDraw

from maestro.skills.protocol import Caller, SkillRequest

SHADES = {
    "red": "#e6194b",
    "blue": "#4363d8",
    "green": "#3cb44b",
    "orange": "#f58231",
    "purple": "#911eb4",
    "yellow": "#ffe119",
    "brown": "#9a6324",
    "black": "#101010",
}


def paper(size=(320, 240), colour="white"):
    image = Image.new("RGB", size, colour)
    return image, ImageDraw.Draw(image)


def shape(draw, kind, x, y, radius, colour, outline=None, width=2):
    fill = SHADES.get(colour, colour)
    if kind == "circle":
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill, outline=outline, width=width)
        return
    radii = {"triangle": [radius] * 3, "square": [radius] * 4, "pentagon": [radius] * 5, "star": [radius, radius * 0.45] * 5}[kind]
    first = -math.pi / 2 + (math.pi / 4 if kind == "square" else 0)
    points = [
        (x + r * math.cos(first + 2 * math.pi * i / len(radii)), y + r * math.sin(first + 2 * math.pi * i / len(radii)))
        for i, r in enumerate(radii)
    ]
    draw.polygon(points, fill=fill)


def grainy(image, sigma=14.0, seed=0):
    """A shaded, tinted, noisy version of a picture."""
    pixels = np.asarray(image, dtype=np.float32)
    shade = np.linspace(0.72, 0.98, image.width)[None, :, None] * np.array([0.95, 1.0, 0.9])
    noisy = pixels * shade + np.random.default_rng(seed).normal(0, sigma, pixels.shape)
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def scattered(count, size=(320, 240), radius=15, seed=0):
    """Middles of `count` shapes well apart."""
    rng = random.Random(seed)
    cells = [(x, y) for x in range(size[0] // (3 * radius)) for y in range(size[1] // (3 * radius))]
    return [(3 * radius * (x + 0.5), 3 * radius * (y + 0.5)) for x, y in rng.sample(cells, count)]


def caller(model, image):
    """A caller whose expert is `model`, looking at `image`; replies pass through JSON as they do between processes."""
    pixels = np.asarray(image.convert("RGB"))

    async def ask(operation, images=(), **arguments):
        assert images == ("picture",)
        return json.loads(json.dumps(getattr(model, f"do_{operation}")([pixels], **arguments)))

    return Caller(expert="x", ask=ask, pixels=None, put=None)


def request(question):
    return SkillRequest(question=question, images=("picture",))
