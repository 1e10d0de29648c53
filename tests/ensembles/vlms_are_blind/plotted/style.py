"""What a figure is drawn with, and what happens to its file afterwards: one axis of variation at a time."""

import io
import itertools
import math
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageOps

SEEN = ("plain", "jpeg", "shrunk", "dark", "thick", "grey", "close")
"""Axes looked at while experts were mended. `close` is what only one kind finds hard: near contact, corners that touch, faint lines."""
HELD_OUT = ("nearest", "padded", "aliased", "small", "tight", "recoloured", "dashed", "enlarged", "gif")
AXES = SEEN + HELD_OUT
_TAB10 = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#17becf", "#bcbd22")
_SET2 = ("#e41a1c", "#377eb8", "#4daf4a", "#984ea3", "#ff7f00", "#a65628", "#f781bf", "#005f73", "#9b9b00")


@dataclass(frozen=True)
class Style:
    """Lengths in pixels of the figure as drawn; `zoom` is the factor that the finish scales it by."""

    axis: str
    side: int
    line: float
    paper: str = "#ffffff"
    ink: str = "#000000"
    two: tuple[str, str] = ("#0000ff", "#ff0000")
    palette: tuple[str, ...] = _TAB10
    smooth: bool = True
    dashed: bool = False
    tight: bool = False
    zoom: float = 1.0

    @property
    def least(self) -> float:
        """The smallest distance that is drawn on purpose: three pixels of the finished picture."""
        return 3.0 / min(1.0, self.zoom)


def style_of(axis, rng):
    """The style of one picture of an axis."""
    side = int(rng.choice([384, 512, 640, 768, 1152, 1920], p=[0.2, 0.2, 0.2, 0.2, 0.15, 0.05]))
    line = float(rng.integers(2, 5)) * max(1.0, side / 800)
    style = Style(axis, side, line)
    if axis == "thick":
        return replace(style, line=float(rng.integers(6, 11)) * max(1.0, side / 800))
    if axis == "shrunk":
        return replace(style, zoom=float(rng.uniform(0.45, 0.85)), side=max(side, 640))
    if axis == "nearest":
        return replace(style, zoom=float(rng.uniform(0.6, 1.8)), side=min(side, 768), line=max(line, 3.0))
    if axis == "enlarged":
        return replace(style, zoom=float(rng.uniform(1.5, 3.0)), side=min(side, 512))
    if axis == "small":
        return replace(style, side=600, zoom=float(rng.integers(140, 200)) / 600, line=6.0)
    return replace(style, **_coloured(axis, rng))


def _coloured(axis, rng):
    if axis == "dark":
        return {
            "paper": str(rng.choice(["#000000", "#111111", "#1e1e2e", "#002b36"])),
            "ink": "#eeeeee",
            "two": ("#6699ff", "#ff5555"),
            "palette": _SET2,
        }
    if axis == "grey":
        return {"paper": str(rng.choice(["#eaeaf2", "#d0d0d0", "#e5e5e5", "#c0c0c0"]))}
    if axis == "recoloured":
        two = [("#008000", "#ffa500"), ("#800080", "#008b8b"), ("#000000", "#d62728"), ("#1f77b4", "#ff7f0e")][int(rng.integers(4))]
        return {"ink": str(rng.choice(["#7a1f5c", "#115f9a", "#386641", "#888888"])), "two": two, "palette": _SET2}
    return {"dashed": axis == "dashed", "smooth": axis != "aliased", "tight": axis == "tight"}


def finished(image, style, rng):
    """The picture as its file shows it."""
    image = image.convert("RGB")
    if style.zoom != 1.0:
        size = tuple(max(1, round(side * style.zoom)) for side in image.size)
        ways = {"nearest": "NEAREST", "shrunk": "BILINEAR", "enlarged": "BICUBIC", "small": "LANCZOS"}
        image = image.resize(size, Image.Resampling[ways[style.axis]])
    if style.axis == "padded":
        borders = tuple(int(v) for v in rng.integers(0, image.width // 2, 4))
        image = ImageOps.expand(image, borders, style.paper)
    if style.axis == "jpeg":
        return _encoded(image, "JPEG", quality=int(rng.integers(60, 96)))
    if style.axis == "close" and rng.random() < 0.5:
        return _encoded(image, "JPEG", quality=int(rng.integers(75, 96)))
    return _encoded(image.quantize(32), "GIF") if style.axis == "gif" else image


def _encoded(image, format_, **options):
    data = io.BytesIO()
    image.save(data, format_, **options)
    return Image.open(io.BytesIO(data.getvalue())).convert("RGB")


class Sheet:
    """A matplotlib figure whose data units are pixels from the upper left."""

    def __init__(self, style, width=None, height=None):
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.style, self.width, self.height = style, width or style.side, height or style.side
        self.figure = Figure(figsize=(self.width / 100, self.height / 100), dpi=100, facecolor=style.paper)
        self.canvas = FigureCanvasAgg(self.figure)
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set_axis_off()
        self.axes.set_xlim(0, self.width)
        self.axes.set_ylim(self.height, 0)

    def patch(self, patch, colour, line=None, *, filled=False, dashable=True):
        """Add a matplotlib patch, outlined or filled."""
        patch.set(
            facecolor=colour if filled else "none", edgecolor="none" if filled and not line else colour, antialiased=self.style.smooth
        )
        patch.set_linewidth((line or self.style.line) * 0.72)
        if self.style.dashed and dashable and not filled:
            patch.set_linestyle((0, (4, 1.5)))
        self.axes.add_patch(patch)

    def line(self, xs, ys, colour, line=None, *, dashable=True):
        """Add a run of straight pieces."""
        dashed = self.style.dashed and dashable
        self.axes.plot(
            xs, ys, color=colour, linewidth=(line or self.style.line) * 0.72, antialiased=self.style.smooth,
            linestyle=(0, (4, 1.5)) if dashed else "-", solid_capstyle="butt", solid_joinstyle="miter",
        )  # fmt: skip

    def text(self, x, y, words, size, colour=None, **options):
        """Add centred text, `size` in pixels."""
        self.axes.text(x, y, words, fontsize=size * 0.72, color=colour or self.style.ink, ha="center", va="center", **options)

    def image(self):
        """The figure's pixels."""
        data = io.BytesIO()
        box = {"bbox_inches": "tight", "pad_inches": 0.05} if self.style.tight else {}
        self.figure.savefig(data, format="png", facecolor=self.style.paper, **box)
        return Image.open(data).convert("RGB")


def colours(style, count, varied):
    """`count` colours in turn, or the ink."""
    return list(itertools.islice(itertools.cycle(style.palette), count)) if varied else [style.ink] * count


def generator(*words):
    """Random numbers of their own for these words and numbers."""
    return np.random.default_rng([sum(map(ord, w)) * 31 + len(w) if isinstance(w, str) else w for w in words])


def apart(points, least):
    """Whether all points are at least so far from each other."""
    return all(math.dist(a, b) >= least for a, b in itertools.combinations(points, 2))
