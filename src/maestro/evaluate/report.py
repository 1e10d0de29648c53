"""`report.html`: one file, no network, readable in light and dark; every text from outside is escaped."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from importlib import resources
from pathlib import Path

from maestro.errors import ImageError
from maestro.evaluate.results import Result
from maestro.images import ImageStore
from maestro.money import dollars
from maestro.types import Answer, Call, Episode, Malformed, Task, Turn

SHOWN_PIXELS = 420
"""Pictures are shown at most this wide and high."""


@dataclass(frozen=True)
class Table:
    """A table with a caption; `best` rows are set in bold."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    best: frozenset[str] = frozenset()
    """First cells of the rows to stress."""
    prose: bool = False
    """Cells hold sentences: set to the left and broken into lines."""


@dataclass(frozen=True)
class Figure:
    """A drawing (SVG text made by `maestro.evaluate.figures`) with what it shows."""

    title: str
    svg: str
    note: str = ""


@dataclass(frozen=True)
class Illustration:
    """One episode to be shown step by step."""

    task: Task
    episode: Episode
    result: Result | None = None


@dataclass
class Report:
    """What a report says, in order."""

    title: str
    lead: str = ""
    facts: list[tuple[str, str]] = field(default_factory=list)
    """(value, what it is) of the few numbers that matter."""
    sections: list[Table | Figure] = field(default_factory=list)
    illustrations: list[Illustration] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def html(self, images: ImageStore) -> str:
        """The page."""
        sections = "".join(_table(section) if isinstance(section, Table) else _figure(section) for section in self.sections)
        episodes = "".join(_episode(shown, images) for shown in self.illustrations)
        style = resources.files("maestro.evaluate").joinpath("report.css").read_text(encoding="utf-8")
        facts = "".join(f"<div><strong>{escape(value)}</strong><span>{escape(what)}</span></div>" for value, what in self.facts)
        notes = "".join(f"<li>{escape(note)}</li>" for note in self.notes)
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light dark">'
            f"<title>{escape(self.title)}</title><style>{style}</style></head><body><main>"
            f'<header><h1>{escape(self.title)}</h1><p class="lead">{escape(self.lead)}</p></header>'
            + (f'<div class="facts">{facts}</div>' if facts else "")
            + sections
            + (f'<section><h2>Episodes, step by step</h2><div class="episodes">{episodes}</div></section>' if episodes else "")
            + (f"<section><h2>Notes</h2><ul>{notes}</ul></section>" if notes else "")
            + "</main></body></html>"
        )

    def write(self, path: Path, images: ImageStore) -> None:
        """Write the page to a file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.html(images), encoding="utf-8")


def _table(table: Table) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in table.columns)
    body, prose = "", ' class="prose"' if table.prose else ""
    for row in table.rows:
        stressed = ' class="best"' if row and row[0] in table.best else ""
        body += f"<tr{stressed}>" + "".join(_number(cell) for cell in row) + "</tr>"
    return (
        f"<section><h2>{escape(table.title)}</h2>{_note(table.note)}"
        f'<div class="wide"><table{prose}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></section>'
    )


def _number(cell: str) -> str:
    """A cell; an interval in brackets is set small below its estimate."""
    value, bracket, interval = cell.partition(" [")
    if not bracket:
        return f"<td>{escape(cell)}</td>"
    return f"<td>{escape(value)}<small>[{escape(interval)}</small></td>"


def _figure(figure: Figure) -> str:
    return f'<section><h2>{escape(figure.title)}</h2>{_note(figure.note)}<figure class="wide">{figure.svg}</figure></section>'


def _note(text: str) -> str:
    return f'<p class="note">{escape(text)}</p>' if text else ""


def _episode(shown: Illustration, images: ImageStore) -> str:
    task, episode, result = shown.task, shown.episode, shown.result
    pictures = "".join(_picture(name, images) for name in task.images)
    steps = "".join(_turn(turn) for turn in episode.turns)
    verdict = ""
    if result is not None:
        word, kind = ("right", "ok") if result.score >= 1 else ("wrong", "bad") if result.score <= 0 else (f"{result.score:.2f}", "half")
        expected = " or ".join(task.references[:3])
        verdict = (
            f'<span class="verdict {kind}">{word}</span><span>expected {escape(expected)}</span><span>utility {result.utility:.2f}</span>'
        )
    meta = f"<span>{escape(task.category.replace('_', ' '))}</span>" if task.category else ""
    return (
        f'<article><div class="pictures">{pictures}</div><div class="story"><h3>{escape(task.question)}</h3><ol>{steps}</ol>'
        f'<p class="meta">{verdict}{meta}<span>{dollars(episode.cost_usd)}</span><span>{escape(episode.policy)}</span>'
        f"<span>{escape(episode.stop.value.replace('_', ' '))}</span></p></div></article>"
    )


def _turn(turn: Turn) -> str:
    thought = _thought(turn.decision.text)
    said = f'<p class="thought">{escape(thought)}</p>' if thought else ""
    match turn.action:
        case Call(expert=expert, skill=skill, query=query):
            asked = f" <q>{escape(query)}</q>" if query else ""
            action = f'<p class="call"><b>{escape(expert)}</b> follows <b>{escape(skill)}</b>{asked}</p>'
        case Answer(text=text):
            action = f'<p class="answer">answers <b>{escape(text)}</b></p>'
        case Malformed(reason=reason):
            action = f'<p class="call bad">no action: {escape(reason)}</p><pre>{escape(turn.decision.text)}</pre>'
    seen = ""
    if turn.observation is not None:
        observation = turn.observation
        kind = "" if observation.status == "ok" else " bad"
        price = f"<small>{dollars(observation.cost_usd)} · {observation.latency_seconds:.2f} s</small>"
        seen = f'<pre class="seen{kind}">{escape(observation.text)}</pre>{price}'
    return f"<li>{said}{action}{seen}</li>"


def _thought(text: str) -> str:
    """What a policy wrote inside its thinking block, if it did."""
    _, opened, rest = text.partition("<think>")
    return rest.partition("</think>")[0].strip() if opened else ""


def _picture(name: str, images: ImageStore) -> str:
    try:
        image = images.pixels(name)
    except ImageError as error:
        return f'<p class="note">{escape(str(error))}</p>'
    image = image.copy()
    image.thumbnail((SHOWN_PIXELS, SHOWN_PIXELS))
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", optimize=True)
    return f'<img alt="the picture of the question" src="data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}">'
