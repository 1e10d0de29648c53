"""OCR by Tesseract, in process through tesserocr: cheap, made for printed pages."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from PIL import Image

from maestro.ensembles.playground.experts.ocr_reading import Reading, ReadingMemory, WordReading, common_slope, fold, single_image
from maestro.errors import MissingDependency
from maestro.experts.protocol import Pixels

_SEGMENTATION = {"page": 6, "sparse": 11}
"""Tesseract's page segmentation modes: 6 is one uniform block, 11 is as much text as possible in no order."""


def find_tessdata(language: str = "eng") -> Path:
    """Folder that holds `<language>.traineddata`: TESSDATA_PREFIX first, then where systems put it. Raises MissingDependency."""
    folders = []
    if prefix := os.environ.get("TESSDATA_PREFIX"):
        folders += [Path(prefix), Path(prefix) / "tessdata"]
    for root in ("/usr/share", "/usr/local/share", "/opt/homebrew/share", "/opt/local/share"):
        # Newest version first where the version is part of the path, as on Debian.
        folders += sorted(Path(root).glob("tesseract-ocr/*/tessdata"), reverse=True)
        folders += [Path(root) / "tesseract-ocr" / "tessdata", Path(root) / "tessdata"]
    for folder in folders:
        if (folder / f"{language}.traineddata").is_file():
            return folder
    raise MissingDependency(
        f"Tesseract's data file {language}.traineddata was not found (looked in {', '.join(map(str, folders))}). "
        "Install it (Debian: apt install tesseract-ocr) or set TESSDATA_PREFIX to the folder that holds it. "
        "Until then page-tesseract and sparse-tesseract cannot be called."
    )


class TesseractOcr:
    """Reads words with Tesseract's LSTM engine. Not safe for concurrent calls on one object."""

    def __init__(self, mode: str = "page", enlarge: float = 1.0, language: str = "eng") -> None:
        """`mode` is `page` or `sparse`; images are enlarged by `enlarge` first. Raises ValueError, MissingDependency."""
        if mode not in _SEGMENTATION:
            raise ValueError(f"unknown mode {mode!r} of TesseractOcr; it has {', '.join(_SEGMENTATION)}.")
        try:
            import tesserocr
        except ImportError as error:
            raise MissingDependency(
                "the package tesserocr is not installed, so page-tesseract and sparse-tesseract cannot be called. "
                "Install the extra: pip install 'maestro-orchestrator[tesseract]' (and Debian's tesseract-ocr for its data)."
            ) from error
        self._tesserocr = tesserocr
        self._enlarge = enlarge
        self._memory = ReadingMemory()
        path = str(find_tessdata(language))
        # Leptonica and Tesseract print their diagnostics to stderr otherwise.
        tesserocr.set_leptonica_log_level(tesserocr.LeptLogLevel.NONE)
        self._engine = tesserocr.PyTessBaseAPI(path=path, lang=language, psm=_SEGMENTATION[mode], oem=tesserocr.OEM.LSTM_ONLY)
        self._engine.SetVariable("debug_file", os.devnull)

    def do_ocr(self, images: list[Pixels]) -> Reading:
        """Words of one RGB image: {"words": [{"text", "confidence", "box", "line"}], "width", "height"}."""
        return self._memory.recall(single_image(images), self._read)

    def _read(self, image: Pixels) -> Reading:
        height, width = image.shape[:2]
        picture = Image.fromarray(image)
        if self._enlarge != 1.0:
            picture = picture.resize((round(width * self._enlarge), round(height * self._enlarge)), Image.Resampling.BICUBIC)
        self._engine.SetImage(picture)
        self._engine.SetSourceResolution(150)
        self._engine.Recognize()
        words, slope = self._words()
        self._engine.Clear()
        return {"words": [word for word in words if word["text"]], "width": width, "height": height, "slope": slope}

    def _words(self) -> tuple[list[WordReading], float]:
        """Words in Tesseract's order and the tilt of their baselines."""
        iterator = self._engine.GetIterator()
        if iterator is None:
            return [], 0.0
        level = self._tesserocr.RIL.WORD
        words: list[WordReading] = []
        baselines: list[tuple[float, float, float]] = []
        line = -1
        for item in self._tesserocr.iterate_level(iterator, level):
            if item.Empty(level):
                continue
            if item.IsAtBeginningOf(self._tesserocr.RIL.TEXTLINE):
                line += 1
                if (baseline := self._baseline(item)) is not None:
                    baselines.append(baseline)
            words.append(self._word(item, level, max(line, 0)))
        return words, common_slope(baselines)

    def _baseline(self, item: Any) -> tuple[float, float, float] | None:
        """Slope, length and text height of the line that an item begins."""
        level = self._tesserocr.RIL.TEXTLINE
        ends, box = item.Baseline(level), item.BoundingBox(level)
        if ends is None or box is None or ends[1][0] <= ends[0][0]:
            return None
        run, rise = ends[1][0] - ends[0][0], ends[1][1] - ends[0][1]
        return rise / run, float(run), float(max(1, box[3] - box[1] - abs(rise)))

    def _word(self, item: Any, level: int, line: int) -> WordReading:
        box = [round(value / self._enlarge) for value in item.BoundingBox(level)]
        confidence = min(1.0, max(0.0, item.Confidence(level) / 100.0))
        return {"text": fold(item.GetUTF8Text(level)).strip(), "confidence": round(confidence, 4), "box": box, "line": line}


__all__ = ["TesseractOcr", "find_tessdata"]
