"""OCR by RapidOCR (PP-OCR networks on ONNX Runtime), at three operating points."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

from maestro.ensembles.playground.experts.ocr_reading import Reading, ReadingMemory, WordReading, common_slope, fold, single_image
from maestro.errors import MissingDependency
from maestro.experts.protocol import Pixels

_SIDES = {"small": (0, 192), "full": (576, 1280)}
"""Longer side, in pixels, of the image looked at: a smaller image is enlarged to the first, a larger one reduced to the second."""
_DETECTION = {"small": (0.3, 0.5), "full": (0.2, 0.35)}
"""Thresholds per pixel and per box: `full` also follows up weak traces of text, such as a digit alone."""
_LEAST_SCORE = 0.3
"""Lines recognised with less confidence are dropped."""
_LEAST_SIDE = 4
"""Pixels; nothing can be read in a stripe narrower than this, and the library raises an error for one."""
_LONGEST, _THINNEST = 2000, 32
"""The library reduces a longer side to the first (pixels), and raises an error where then nothing is left of the shorter one."""
_MARGIN_TOLERANCE = 12
"""Grey levels by which the pixels of a plain margin may differ."""


class RapidOcr:
    """Reads words with PP-OCR. Not safe for concurrent calls on one object.

    `line` recognises the whole image as one line of text, `small` detects and recognises on a reduced image, `full` on an
    image enlarged so that small text is found.
    """

    def __init__(self, mode: str = "full", sides: tuple[int, int] | None = None, threads: int = 1) -> None:
        """`mode` is `line`, `small` or `full`; `sides` are the least and most pixels of the longer side that is looked at.

        `threads` are ONNX Runtime's. Raises ValueError, MissingDependency.
        """
        if mode not in {"line", "small", "full"}:
            raise ValueError(f"unknown mode {mode!r} of RapidOcr; it has line, small, full.")
        try:
            import cv2
            from rapidocr import RapidOCR
        except ImportError as error:
            raise MissingDependency(
                f"{error.name} is not installed, so the rapidocr experts cannot be called. "
                "Install the extra: pip install 'maestro-orchestrator[playground]'."
            ) from error
        self._cv2 = cv2
        self._mode = mode
        self._sides = tuple(sides or _SIDES.get(mode, (0, 0)))
        self._memory = ReadingMemory()
        self._engine = RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.text_score": _LEAST_SCORE,
                "EngineConfig.onnxruntime.intra_op_num_threads": threads,
                "EngineConfig.onnxruntime.inter_op_num_threads": threads,
                # Sizes are chosen here, so the detector is told to change nothing.
                "Det.limit_type": "max",
                "Det.thresh": _DETECTION.get(mode, (0.3, 0.5))[0],
                "Det.box_thresh": _DETECTION.get(mode, (0.3, 0.5))[1],
                "Det.limit_side_len": max(self._sides) or 960,
                # By default every crop is padded to 320 pixels and joined with five others. Labels are mostly shorter, and
                # one at a time without the padding costs a third.
                "Rec.rec_img_shape": [3, 48, 48],
                "Rec.rec_batch_num": 1,
            }
        )
        logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)

    def do_ocr(self, images: list[Pixels]) -> Reading:
        """Words of one RGB image: {"words": [{"text", "confidence", "box", "line"}], "width", "height"}."""
        return self._memory.recall(single_image(images), self._read)

    def _read(self, image: Pixels) -> Reading:
        height, width = image.shape[:2]
        if min(height, width) < _LEAST_SIDE:
            return {"words": [], "width": width, "height": height, "slope": 0.0}
        words, slope = (self._line(image), 0.0) if self._mode == "line" else self._page(image)
        return {"words": words, "width": width, "height": height, "slope": slope}

    def _line(self, image: Pixels) -> list[WordReading]:
        left, top, right, bottom = _inside_margins(image)
        part = _thickened(np.ascontiguousarray(image[top:bottom, left:right, ::-1]))
        # Every flag at every call: RapidOCR keeps the ones it was given last.
        found = self._engine(part, use_det=False, use_cls=False, use_rec=True, return_word_box=False)
        text = fold(found.txts[0]) if found.txts else ""
        # A whole scene squeezed into one line reads as a Chinese character or two; that is no text seen.
        if not any(character.isascii() and character.isalnum() for character in text) or found.scores[0] < _LEAST_SCORE:
            return []
        return _spread(text, float(found.scores[0]), (left, top, right, bottom))

    def _page(self, image: Pixels) -> tuple[list[WordReading], float]:
        height, width = image.shape[:2]
        longer = max(height, width)
        scale = min(max(longer, self._sides[0]), self._sides[1]) / longer
        bgr = np.ascontiguousarray(image[:, :, ::-1])
        if scale != 1.0:
            method = self._cv2.INTER_CUBIC if scale > 1 else self._cv2.INTER_AREA
            bgr = self._cv2.resize(bgr, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=method)
        found = self._engine(bgr, use_det=True, use_cls=False, use_rec=True, return_word_box=True)
        if found.txts is None or found.boxes is None:
            return [], 0.0
        words: list[WordReading] = []
        for line, (text, score, parts, quad) in enumerate(zip(found.txts, found.scores, found.word_results, found.boxes, strict=True)):
            words += self._words(text, float(score), parts, quad, scale, line)
        return words, common_slope([_top_edge(quad) for quad in found.boxes])

    def _words(self, text: str, score: float, parts: Any, quad: Any, scale: float, line: int) -> list[WordReading]:
        """The words of one detected line; their boxes come from the recogniser's columns, their text from the line."""
        words: list[WordReading] = []
        for shown, corners in _rejoined(fold(text), parts):
            points = np.asarray(corners, dtype=float).reshape(-1, 2) / scale
            box = [*points.min(axis=0).round().astype(int).tolist(), *points.max(axis=0).round().astype(int).tolist()]
            words.append({"text": shown, "confidence": round(score, 4), "box": box, "line": line})
        if words:
            # The recogniser's columns are coarse; where a line begins and ends the detector knows better.
            edges = np.asarray(quad, dtype=float)[:, 0] / scale
            words[0]["box"][0], words[-1]["box"][2] = round(edges[[0, 3]].mean()), round(edges[[1, 2]].mean())
        if words or not text.strip():
            return words
        points = np.asarray(quad, dtype=float) / scale
        left, top = points.min(axis=0).round().astype(int).tolist()
        right, bottom = points.max(axis=0).round().astype(int).tolist()
        return _spread(fold(text), score, (left, top, right, bottom), line)


def _rejoined(text: str, parts: Any) -> list[tuple[str, list[Any]]]:
    """(word, corner points) of a line: RapidOCR also cuts words where letters are far apart; the line's spaces are right."""
    wanted = text.split()
    pieces = [(fold(part).replace(" ", ""), corners) for part, _, corners in parts]
    if "".join(piece for piece, _ in pieces) != "".join(wanted):
        return [(piece, corners) for piece, corners in pieces if piece]
    joined: list[tuple[str, list[Any]]] = []
    for word in wanted:
        have = ""
        points: list[Any] = []
        while pieces and len(have) < len(word):
            piece, corners = pieces.pop(0)
            have, points = have + piece, [*points, *corners]
        if have == word:
            joined.append((word, points))
        else:  # a piece reaches over a space: leave it whole
            joined.append((have, points))
            return joined + [(piece, corners) for piece, corners in pieces]
    return joined


def _top_edge(quad: Any) -> tuple[float, float, float]:
    """Slope, length and height of a detected line by its upper edge; a line that stands upright has no length."""
    (x0, y0), (x1, y1), _, (x3, y3) = np.asarray(quad, dtype=float)
    run, height = x1 - x0, float(np.hypot(x3 - x0, y3 - y0))
    return ((y1 - y0) / run, run, height) if run > abs(y1 - y0) else (0.0, 0.0, 1.0)


def _spread(text: str, score: float, box: tuple[int, int, int, int], line: int = 0) -> list[WordReading]:
    """The words of one line, their boxes in proportion to their letters."""
    left, top, right, bottom = box
    step = (right - left) / max(1, len(text))
    words: list[WordReading] = []
    start = 0
    for part in text.split():
        start = text.index(part, start)
        end = start + len(part)
        edges = [round(left + start * step), top, round(left + end * step), bottom]
        words.append({"text": part, "confidence": round(score, 4), "box": edges, "line": line})
        start = end
    return words


def _thickened(image: Pixels) -> Pixels:
    """A stripe too thin for the library with its own most common shade below or beside it; any other image as it is."""
    height, width = image.shape[:2]
    least = -(-max(height, width) * _THINNEST // _LONGEST)
    if max(height, width) <= _LONGEST or min(height, width) >= least:
        return image
    whole = np.empty((max(height, least), max(width, least), 3), np.uint8)
    whole[:] = np.median(image.reshape(-1, 3), axis=0)
    whole[:height, :width] = image
    return whole


def _inside_margins(image: Pixels) -> tuple[int, int, int, int]:
    """Box of what is inside a plain margin (left, top, right, bottom), with a little air; the whole image without one."""
    height, width = image.shape[:2]
    whole = (0, 0, width, height)
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]]).astype(np.int16)
    plain = np.median(border, axis=0)
    if np.mean(np.abs(border - plain).max(axis=1) > _MARGIN_TOLERANCE) > 0.02:
        return whole
    differs = np.abs(image.astype(np.int16) - plain).max(axis=2) > 3 * _MARGIN_TOLERANCE
    rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
    if rows.size == 0:
        return whole
    air = max(3, round(0.2 * (rows[-1] - rows[0] + 1)))
    return (
        max(0, int(columns[0]) - air),
        max(0, int(rows[0]) - air),
        min(width, int(columns[-1]) + 1 + air),
        min(height, int(rows[-1]) + 1 + air),
    )


__all__ = ["RapidOcr"]
