"""Charts, figures, gauges, circuits and ringed letters, from pictures drawn here and words that are known."""

from __future__ import annotations

import math

import pytest

from maestro.ensembles.playground.procedures import (
    chart_bar,
    chart_difference,
    chart_line,
    diagram_letter,
    geometry_angle,
    geometry_perimeter,
    geometry_right,
    science_circuit,
    science_gauge,
)
from tests.ensembles.playground.sheet import Sheet

VALUES = {"North": 34, "East": 81, "South": 57, "Far West": 12}


def chart(kind: str, ticks: tuple[int, ...] = (0, 20, 40, 60, 80, 100), paper: str = "white", ink: str = "black") -> Sheet:
    sheet = Sheet(520, 360, paper)
    bottom, high = 300, 40

    def y(value: float) -> float:
        return bottom - (bottom - high) * value / 100

    sheet.draw.line([(60, high - 10), (60, bottom), (500, bottom)], fill=ink, width=2)
    for tick in ticks:
        sheet.write(22, y(tick), str(tick), 14, fill=ink)
        sheet.draw.line([(60, y(tick)), (500, y(tick))], fill="#c8c8c8" if paper == "white" else "#404048", width=1)
    points = []
    for index, (name, value) in enumerate(VALUES.items()):
        x = 115 + 110 * index
        sheet.middle(x, 320, name, 14, fill=ink)
        points.append((x, y(value)))
        if kind == "bar":
            sheet.draw.rectangle([x - 28, y(value), x + 28, bottom], fill="#3070c0")
    if kind == "line":
        sheet.draw.line(points, fill="#c03030", width=3)
        for x, level in points:
            sheet.draw.ellipse([x - 5, level - 5, x + 5, level + 5], fill="#c03030")
    return sheet


@pytest.mark.parametrize(("paper", "ink"), [("white", "black"), ("#202030", "white")])
@pytest.mark.parametrize("name", list(VALUES))
@pytest.mark.parametrize(("kind", "skill"), [("bar", chart_bar), ("line", chart_line)])
async def test_chart_value(kind: str, skill: object, name: str, paper: str, ink: str) -> None:
    result = await skill.run(*chart(kind, paper=paper, ink=ink).ask(f"What is the value of {name}?"))  # type: ignore[attr-defined]
    assert float(result.value) == pytest.approx(VALUES[name], abs=1.5)
    assert result.confidence > 0.7


async def test_a_tilted_chart_is_levelled() -> None:
    sheet = chart("bar")
    sheet.tilt(4)
    result = await chart_bar.run(*sheet.ask("How high is the South bar?"))
    assert float(result.value or "nan") == pytest.approx(57, abs=2.5)


async def test_a_bar_above_the_highest_tick_that_was_read() -> None:
    result = await chart_bar.run(*chart("bar", ticks=(0, 20, 40, 60)).ask("How high is the East bar?"))
    assert float(result.value or "nan") == pytest.approx(81, abs=1.5)


async def test_a_misread_tick_is_left_out() -> None:
    sheet = chart("bar")
    next(word for word in sheet.words if word["text"] == "80")["text"] = "30"
    result = await chart_bar.run(*sheet.ask("How high is the East bar?"))
    assert float(result.value or "nan") == pytest.approx(81, abs=1.5)


async def test_bars_on_their_side() -> None:
    sheet = Sheet(500, 320)
    for tick in (0, 10, 20, 30):
        sheet.middle(90 + 12 * tick, 300, str(tick), 14)
    for index, (name, value) in enumerate((("Tea", 23), ("Milk", 9), ("Rice", 31))):
        y = 60 + 80 * index
        sheet.write(20, y, name, 14)
        sheet.draw.rectangle([90, y - 22, 90 + 12 * value, y + 22], fill="#d08020")
    result = await chart_bar.run(*sheet.ask("What is the value of Rice?"))
    assert float(result.value or "nan") == pytest.approx(31, abs=0.5)


@pytest.mark.parametrize(
    ("question", "value"), [("Which direction has the tallest bar?", "East"), ("Which bar is the lowest?", "Far West")]
)
async def test_extremes(question: str, value: str) -> None:
    assert (await chart_bar.run(*chart("bar").ask(question))).value == value


@pytest.mark.parametrize(
    ("question", "difference"),
    [("How much higher is East than North?", 47), ("How far is North below South?", 23), ("What is the gap between North and East?", 47)],
)
async def test_chart_difference(question: str, difference: float) -> None:
    result = await chart_difference.run(*chart("bar").ask(question))
    first, second = (float(part) for part in (result.value or "").split("-"))
    assert first - second == pytest.approx(difference, abs=2)
    assert result.gives == "expression"


async def test_an_unknown_label_gives_no_value() -> None:
    result = await chart_bar.run(*chart("bar").ask("How high is the Zebra bar?"))
    assert result.value is None
    assert result.confidence < 0.3


def triangle(labels: tuple[str, str, str]) -> Sheet:
    sheet = Sheet()
    sheet.draw.polygon([(60, 250), (340, 250), (60, 60)], outline="black", width=2)
    for (x, y), label in zip(((30, 155), (200, 272), (225, 135)), labels, strict=True):
        sheet.middle(x, y, label)
    return sheet


@pytest.mark.parametrize(
    ("labels", "value"),
    [(("35°", "72°", "?"), "180-35-72"), (("350", "72°", "?"), "180-35-72"), (("48o", "?", "67"), "180-48-67"), (("35°", "?", "?"), None)],
)
async def test_missing_angle(labels: tuple[str, str, str], value: str | None) -> None:
    assert (await geometry_angle.run(*triangle(labels).ask("How large is the third angle?"))).value == value


@pytest.mark.parametrize(
    ("labels", "question", "value"),
    [
        (("6", "8", "?"), "How long is the hypotenuse?", "sqrt(6**2+8**2)"),
        (("6 cm", "8 cm", "?"), "Find the side with the question mark.", "sqrt(6**2+8**2)"),
        (("?", "8", "10"), "Find the side with the question mark.", "sqrt(10**2-8**2)"),
        (("5", "?", "13"), "How long is the missing leg?", "sqrt(13**2-5**2)"),
        (("6", "?", "?"), "How long is the hypotenuse?", None),
    ],
)
async def test_right_triangle(labels: tuple[str, str, str], question: str, value: str | None) -> None:
    assert (await geometry_right.run(*triangle(labels).ask(question))).value == value


async def test_perimeter_and_a_missing_label() -> None:
    complete = await geometry_perimeter.run(*triangle(("6", "8", "10")).ask("What is the perimeter?"))
    assert complete.value == "6+8+10"
    sheet = Sheet()
    sheet.draw.polygon([(60, 60), (340, 40), (360, 250), (40, 230)], outline="black", width=2)
    for x, y, label in ((200, 35, "9"), (375, 150, "7"), (200, 260, "11")):
        sheet.middle(x, y, label)
    missing = await geometry_perimeter.run(*sheet.ask("What is the perimeter?"))
    assert missing.confidence < 0.6 < complete.confidence


def gauge(value: float, top: int = 50, start: float = 150, sweep: float = 240) -> Sheet:
    sheet = Sheet(400, 320, "#f4f0e6")
    x, y, radius = 200, 170, 120

    def at(distance: float, angle: float) -> tuple[float, float]:
        return x + distance * math.cos(math.radians(angle)), y + distance * math.sin(math.radians(angle))

    sheet.draw.arc([x - radius, y - radius, x + radius, y + radius], start, start + sweep, fill="black", width=3)
    for tick in range(0, top + 1, 10):
        angle = start + sweep * tick / top
        sheet.draw.line([at(radius, angle), at(radius - 12, angle)], fill="black", width=2)
        sheet.middle(*at(radius - 30, angle), str(tick), 16)
    angle = start + sweep * value / top
    sheet.draw.line([at(-20, angle), at(0.66 * radius, angle)], fill="#a02020", width=4)
    sheet.draw.ellipse([x - 7, y - 7, x + 7, y + 7], fill="black")
    return sheet


@pytest.mark.parametrize("value", [3, 17, 28, 46])
async def test_gauge(value: float) -> None:
    result = await science_gauge.run(*gauge(value).ask("What does the gauge show?"))
    assert float(result.value or "nan") == pytest.approx(value, abs=1.2)
    assert result.confidence > 0.6


async def test_a_misread_scale_number_is_left_out() -> None:
    sheet = gauge(28)
    sheet.words[2]["text"] = "70"
    result = await science_gauge.run(*sheet.ask("What does the gauge show?"))
    assert float(result.value or "nan") == pytest.approx(28, abs=1.2)


@pytest.mark.parametrize(
    ("labels", "value"),
    [
        (((100, 140, "10"), (200, 140, "20"), (300, 140, "5")), "10+20+5"),
        (((190, 60, "40 Ω"), (210, 140, "60 Ω")), "1/(1/40+1/60)"),
        (((100, 140, "R1=10Ω"), (300, 140, "R2=200")), "10+20"),
        (((100, 140, "10"),), None),
    ],
)
async def test_circuit(labels: tuple[tuple[float, float, str], ...], value: str | None) -> None:
    sheet = Sheet()
    for x, y, label in labels:
        sheet.middle(x, y, label)
    assert (await science_circuit.run(*sheet.ask("What is the total resistance?"))).value == value


@pytest.mark.parametrize("ring", ["#d02020", "black"])
@pytest.mark.parametrize("index", [0, 3, 5])
async def test_ringed_letter(index: int, ring: str) -> None:
    sheet = Sheet(460, 200)
    word, step = "HOLLOW", 55
    for place, letter in enumerate(word):
        sheet.middle(90 + step * place, 100, letter, 36)
    x = 90 + step * index
    sheet.draw.ellipse([x - 22, 68, x + 22, 132], outline=ring, width=3)
    result = await diagram_letter.run(*sheet.ask("Which letter is circled?"))
    assert result.value == word[index]


async def test_no_ring_no_letter() -> None:
    sheet = Sheet(460, 200)
    sheet.middle(200, 100, "HOLLOW", 40)
    result = await diagram_letter.run(*sheet.ask("Which letter is circled?"))
    assert result.value is None
    assert not sheet.asked  # the expert is not paid for nothing
