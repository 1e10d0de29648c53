"""The real engines on small pictures; each is skipped where it is not installed."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from maestro.ensembles.playground.experts import ocr_tesseract
from maestro.ensembles.playground.experts.ocr_rapid import RapidOcr
from maestro.ensembles.playground.experts.ocr_reading import ReadingMemory, common_slope, fold
from maestro.ensembles.playground.experts.ocr_tesseract import TesseractOcr, find_tessdata
from maestro.errors import MissingDependency


def picture(lines: list[str], size: int = 24, width: int = 420) -> np.ndarray:
    image = Image.new("RGB", (width, 30 + 44 * len(lines)), "white")
    for index, line in enumerate(lines):
        ImageDraw.Draw(image).text((20, 20 + 44 * index), line, font=ImageFont.load_default(size), fill="black")
    return np.array(image)


def engine(name: str) -> Any:
    if name in {"page", "sparse"}:
        pytest.importorskip("tesserocr")
        try:
            return TesseractOcr(name, enlarge=1.5)
        except MissingDependency as missing:
            pytest.skip(str(missing))
    pytest.importorskip("rapidocr")
    return RapidOcr(name)


@pytest.mark.parametrize("name", ["page", "sparse", "small", "full"])
def test_words_with_boxes_and_confidence(name: str) -> None:
    pixels = picture(["Harbour Road 42", "closed today"])
    reading = engine(name).do_ocr([pixels])
    assert [word["text"] for word in reading["words"]] == ["Harbour", "Road", "42", "closed", "today"]
    assert (reading["width"], reading["height"]) == (pixels.shape[1], pixels.shape[0])
    for word in reading["words"]:
        left, top, right, bottom = word["box"]
        assert left < right <= reading["width"] + 2
        assert top < bottom <= reading["height"] + 2
        assert 0.5 < word["confidence"] <= 1
    lefts = [word["box"][0] for word in reading["words"][:3]]
    assert lefts == sorted(lefts)


def test_line_mode_reads_one_line_and_not_a_page() -> None:
    line = engine("line")
    assert " ".join(word["text"] for word in line.do_ocr([picture(["KX-4739 ready"])])["words"]) == "KX-4739 ready"
    page = line.do_ocr([picture([f"line number {index}" for index in range(8)])])
    assert "line number 3" not in " ".join(word["text"] for word in page["words"])


def test_modes_do_not_leak_into_each_other() -> None:
    full, line = engine("full"), engine("line")
    line.do_ocr([picture(["first"])])
    assert [word["text"] for word in full.do_ocr([picture(["second one", "third"])])["words"]] == ["second", "one", "third"]


@pytest.mark.parametrize("name", ["page", "line", "small", "full"])
def test_a_blank_picture_has_no_words(name: str) -> None:
    assert engine(name).do_ocr([np.full((120, 200, 3), 255, np.uint8)])["words"] == []


@pytest.mark.parametrize("name", ["page", "line", "small", "full"])
@pytest.mark.parametrize(("height", "width"), [(40, 8000), (5, 5000), (8000, 20), (1, 9000)])
def test_a_thin_stripe_is_looked_at_like_any_picture(name: str, height: int, width: int) -> None:
    stripe = np.full((height, width, 3), 255, np.uint8)
    reading = engine(name).do_ocr([stripe])
    assert (reading["words"], reading["width"], reading["height"]) == ([], width, height)


def test_one_image_is_asked_for() -> None:
    with pytest.raises(ValueError, match="exactly one image"):
        engine("line").do_ocr([])


def test_unknown_modes_are_named() -> None:
    with pytest.raises(ValueError, match="line, small, full"):
        RapidOcr("fast")
    with pytest.raises(ValueError, match="page, sparse"):
        TesseractOcr("line")


def test_missing_data_says_where_it_looked(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path))
    with pytest.raises(MissingDependency, match="TESSDATA_PREFIX") as missing:
        find_tessdata("no-such-language")
    assert str(tmp_path) in str(missing.value)


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any, **options: Any) -> Any:
        if name in {"tesserocr", "rapidocr"}:
            raise ImportError(f"No module named {name!r}", name=name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingDependency, match=r"\[tesseract\]"):
        ocr_tesseract.TesseractOcr("page")
    with pytest.raises(MissingDependency, match=r"rapidocr is not installed"):
        RapidOcr("line")


def test_fold() -> None:
    assert fold("Κν—4７") == "Kv-47"
    assert fold("35° 10 Ω café ġ") == "35° 10 Ω café g"


def test_memory_reads_the_same_pixels_once() -> None:
    memory, runs = ReadingMemory(capacity=2), []

    def read(image: np.ndarray) -> Any:
        runs.append(image)
        return {"words": [], "width": len(runs), "height": 0, "slope": 0.0}

    pictures = [np.full((4, 4, 3), value, np.uint8) for value in range(3)]
    assert memory.recall(pictures[0], read) is memory.recall(pictures[0].copy(), read)
    memory.recall(pictures[1], read)
    memory.recall(pictures[2], read)  # forgets the first
    memory.recall(pictures[0], read)
    assert len(runs) == 4


def test_common_slope_ignores_short_lines() -> None:
    assert common_slope([(0.05, 200, 20), (0.04, 100, 20), (0.9, 30, 20)]) == 0.05
    assert common_slope([(0.9, 30, 20)]) == 0.0
