"""Text, fields, tables, receipts, equations and programs, from words that are known."""

from __future__ import annotations

import pytest

from maestro.ensembles.playground.procedures import read_cell, read_change, read_code, read_column, read_equation, read_field, read_text
from maestro.skills.protocol import SkillRequest
from tests.ensembles.playground.sheet import Sheet


def sheet_of(lines: list[str], left: int = 20, step: int = 34) -> Sheet:
    sheet = Sheet(420, 30 + step * len(lines))
    for index, line in enumerate(lines):
        sheet.write(left, 24 + step * index, line)
    return sheet


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("What does the sign say?", "Open daily KX-4739 at 19 Mill Lane"),
        ("What code is printed here?", "KX-4739"),
        ("What is the second line of text?", "KX-4739 at"),
        ("What is the last word?", "Lane"),
        ("What number do you see?", "19"),
        ("Which word comes after Mill?", "Lane"),
        ("Read line 3.", "19 Mill Lane"),
    ],
)
async def test_read_text_takes_what_is_asked(question: str, value: str) -> None:
    result = await read_text.run(*sheet_of(["Open daily", "KX-4739 at", "19 Mill Lane"]).ask(question))
    assert result.value == value
    assert result.confidence > 0.7


async def test_a_dash_between_words_stays_and_a_speck_goes() -> None:
    assert (await read_text.run(*sheet_of(["| 8 am - 6 pm ~"]).ask("What does it say?"))).value == "8 am - 6 pm"


async def test_a_code_read_in_two_pieces_is_joined() -> None:
    sheet = Sheet()
    sheet.write(20, 40, "KX-")
    sheet.write(48, 40, "4739")
    assert (await read_text.run(*sheet.ask("Which code is shown?"))).value == "KX-4739"


async def test_nothing_read_is_no_value() -> None:
    result = await read_text.run(*Sheet().ask("What does it say?"))
    assert result.value is None
    assert result.confidence == 0.0


async def test_low_engine_confidence_is_passed_on() -> None:
    sheet = Sheet()
    sheet.write(20, 40, "Harbour", confidence=0.3)
    assert (await read_text.run(*sheet.ask("Read it"))).confidence == pytest.approx(0.3)


async def test_a_task_without_an_image_is_refused() -> None:
    _, caller = Sheet().ask("")
    with pytest.raises(ValueError, match="has none"):
        await read_text.run(SkillRequest("What does it say?"), caller)


FORM = ["Corner Cafe", "Name: Walnut", "Date: 12.11.2031 14:05", "Seat 17", "Total: 8.40", "Phone: +49 30 55521"]


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("What is the entry of the field Name?", "Walnut"),
        ("What is written behind Seat?", "17"),
        ("Which day is on the form?", "12.11.2031"),
        ("How much is due in total?", "8.40"),
        ("What is the telephone number?", "+49 30 55521"),
        ("What is the name of the shop?", "Corner Cafe"),
        ("Which date is given?", "12.11.2031"),
    ],
)
async def test_read_field(question: str, value: str) -> None:
    assert (await read_field.run(*sheet_of(FORM).ask(question))).value == value


async def test_a_field_that_is_not_there_is_not_made_up() -> None:
    result = await read_field.run(*sheet_of(FORM[:3]).ask("What is the value of the field Gate?"))
    assert result.value is None


async def test_a_misread_label_still_fits() -> None:
    sheet = Sheet()
    sheet.write(20, 40, "Weight: 88", seen="We1ght: 88")
    assert (await read_field.run(*sheet.ask("What is given for Weight?"))).value == "88"


def table(tilt: float = 0.0) -> Sheet:
    sheet = Sheet(420, 260)
    for row, cells in enumerate([("Item", "Mon", "Fri Sales"), ("Red Apples", "12", "305"), ("Apples", "7", "41"), ("Kale", "19", "8")]):
        for left, cell in zip((20, 180, 290), cells, strict=True):
            sheet.write(left, 40 + 45 * row, cell)
    if tilt:
        sheet.tilt(tilt)
    return sheet


@pytest.mark.parametrize("tilt", [0.0, 4.0, -4.0])
@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("What is the value in row Apples, column Mon?", "7"),
        ("Which number stands for red apples under Fri Sales?", "305"),
        ("How much kale was sold on Mon?", "19"),
    ],
)
async def test_read_cell(question: str, value: str, tilt: float) -> None:
    assert (await read_cell.run(*table(tilt).ask(question))).value == value


async def test_a_row_that_is_not_there_gives_no_cell() -> None:
    assert (await read_cell.run(*table().ask("What is the Mon value of Turnips?"))).value is None


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("Add up the Mon column.", "12+7+19"),
        ("What is the average of the Fri Sales column?", "(305+41+8)/3"),
        ("How many did Apples and Kale sell together on Mon?", "7+19"),
    ],
)
async def test_read_column(question: str, value: str) -> None:
    result = await read_column.run(*table().ask(question))
    assert (result.value, result.gives) == (value, "expression")


async def test_an_unreadable_number_spoils_the_sum() -> None:
    sheet = table()
    sheet.words[-2]["text"] = "al:"
    assert (await read_column.run(*sheet.ask("Add up the Mon column."))).value is None


@pytest.mark.parametrize(
    ("lines", "question", "value"),
    [
        (["Milk 3.20", "Bread 2.10", "Total 5.30", "Cash 10.00"], "How much change is given?", "10.00-5.30"),
        (["Tea 4.00", "Subtotal 4.00", "Tax 0.40", "T0tal 4.40", "Paid $5.00"], "What is the change?", "5.00-4.40"),
        (["Jam 2.75", "Total 2.75"], "She paid with a $20 note. How much comes back?", "20-2.75"),
    ],
)
async def test_read_change(lines: list[str], question: str, value: str) -> None:
    assert (await read_change.run(*sheet_of(lines).ask(question))).value == value


async def test_less_paid_than_due_is_doubtful() -> None:
    result = await read_change.run(*sheet_of(["Total 50.00", "Cash 20.00"]).ask("What is the change?"))
    assert result.confidence < 0.4


@pytest.mark.parametrize(
    ("text", "question", "value"),
    [
        ("3x + 4 = 19", "Solve for x.", "3*x+4=19"),
        ("9k = 42 + 2k", "What is k?", "9*k=42+2*k"),
        ("2 (Y - 3) = l4", "Which y makes it true?", "2*(y-3)=14"),
        ("a + 7 = 21", "What does a equal?", "a+7=21"),
        ("6 × n - 5 = 31", "Find n.", "6*n-5=31"),
        (".5x t 3 = 1S .", "Solve for x", "5*x+3=15"),
    ],
)
async def test_read_equation(text: str, question: str, value: str) -> None:
    assert (await read_equation.run(*sheet_of(["Exercise", text]).ask(question))).value == value


@pytest.mark.parametrize("text", ["8a 28 = -4", "no equation here", "4 + = 9x"])
async def test_what_is_no_equation_is_not_given_as_one(text: str) -> None:
    assert (await read_equation.run(*sheet_of([text]).ask("Solve for a."))).value is None


async def test_a_lost_line_shows_in_the_confidence() -> None:
    whole = await read_code.run(*sheet_of(["t = 4", "t += 3", "print(t)"]).ask("What is printed?"))
    part = await read_code.run(*sheet_of(["t += 3", "print(t)"]).ask("What is printed?"))
    assert part.confidence < 0.5 < whole.confidence


async def test_read_code_finds_indentation_and_repairs() -> None:
    sheet = Sheet()
    for left, y, text in ((20, 30, "total = O"), (20, 65, "for i 1n range(5)"), (55, 100, "Total + = i"), (20, 135, "prlnt(total")):
        sheet.write(left, y, text, size=20)
    result = await read_code.run(*sheet.ask("What does it print?"))
    assert result.value == "total = 0\nfor i in range(5):\n    total += i\nprint(total)"
    assert result.gives == "code"
    assert 0.5 < result.confidence < 0.95


async def test_strings_in_code_stay_as_read() -> None:
    result = await read_code.run(*sheet_of(["w = 'ranger'", "print(w[1:3])"]).ask("What does it print?"))
    assert result.value == "w = 'ranger'\nprint(w[1:3])"


async def test_code_that_does_not_parse_has_little_confidence() -> None:
    assert (await read_code.run(*sheet_of(["if a b c", "print(((x"]).ask("Run it"))).confidence < 0.3
