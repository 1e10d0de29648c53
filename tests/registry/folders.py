"""Writes registries to edit in tests."""

from __future__ import annotations

import os
from pathlib import Path
from textwrap import dedent

import pytest

from maestro.document import Problems, parse_document
from maestro.registry.cards import read_cards
from maestro.registry.registry import InvalidRegistry, Registry

CARDS = """\
name: small
summary: Two experts.
experts:
  - id: cheap-reader
    summary: Reads plain print.
    kind: scripted
    options: {replies: ["42"]}
    price: {call_usd: 0.001}
  - id: strong-reader
    summary: Reads anything.
    kind: openai
    endpoint: http://localhost:9/v1
    target: strong
    api_key_env: STRONG_KEY
    price: {call_usd: 0.01}
"""
READ = """\
---
name: read
description: Reads text.
metadata:
  experts: [cheap-reader, strong-reader]
  dispatch: retrieval
  takes: [question, region]
---
Dispatches.
"""
READ_FIELD = """\
---
name: read-field
description: Reads one field.
metadata:
  experts: [strong-reader]
  examples: ["What is the total?"]
---
Find the field and copy it.
"""
READ_LINE = """\
---
name: read-line
description: Reads one line.
---
Copy the line.
"""
ANSWER = """\
---
name: answer
description: Answers anything.
metadata:
  experts: [strong-reader]
  gives: expression
---
Answer in a few words.
"""


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text), encoding="utf-8")
    return path


def small_registry(folder: Path) -> Path:
    """Two experts; `answer`, and `read` over `read-field` and `read-line`."""
    write(folder / "registry.yaml", CARDS)
    write(folder / "skills/answer/SKILL.md", ANSWER)
    write(folder / "skills/read/SKILL.md", READ)
    write(folder / "skills/read/read-field/SKILL.md", READ_FIELD)
    write(folder / "skills/read/read-line/SKILL.md", READ_LINE)
    return folder


def replace(path: Path, old: str, new: str) -> None:
    """Change one place of a file; fails when it is not there exactly once."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, (old, text)
    path.write_text(text.replace(old, new), encoding="utf-8")


def problems(folder) -> list[str]:
    """What is wrong with a registry that cannot be loaded, as `path:line: message`."""
    with pytest.raises(InvalidRegistry) as caught:
        Registry.load(folder)
    return [f"{os.path.relpath(problem.path, folder)}:{problem.line}: {problem.message}" for problem in caught.value.problems]


def card_problems(text: str) -> list[str]:
    """What is wrong with a registry.yaml of this text."""
    with pytest.raises(Problems) as caught:
        read_cards(parse_document(text, "registry.yaml"))
    return [str(problem) for problem in caught.value.problems]
