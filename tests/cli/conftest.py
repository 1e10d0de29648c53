from pathlib import Path

import pytest
from PIL import Image

from maestro.cli.main import cli

CARD = """name: toy
summary: A scripted reader.
experts:
  - id: reader
    summary: Reads.
    kind: scripted
    options: {replies: [{reply}]}
    price: {call_usd: 0.01}
  - id: broken
    summary: Is down.
    kind: scripted
    options: {replies: [{failure}]}
"""
SKILL = """---
name: read
description: Reads what is written in the picture.
metadata:
  experts: [reader, broken]
---
Read all text in the picture and reply with it.
"""


def write_registry(
    folder: Path, reply: str = '"The sign says 42."', failure: str = "{error: broken, message: the reader is on fire}"
) -> str:
    """A registry with one prompted skill and two scripted experts, the second one broken unless told otherwise."""
    (folder / "skills" / "read").mkdir(parents=True, exist_ok=True)
    (folder / "registry.yaml").write_text(CARD.replace("{reply}", reply).replace("{failure}", failure))
    (folder / "skills" / "read" / "SKILL.md").write_text(SKILL)
    return str(folder)


@pytest.fixture
def registry(tmp_path):
    return write_registry(tmp_path / "toy")


@pytest.fixture
def sound_registry(tmp_path):
    return write_registry(tmp_path / "sound", failure='"white"')


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "sign.png"
    Image.new("RGB", (80, 40), "white").save(path)
    return str(path)


@pytest.fixture
def maestro(capsys):
    """Run the command line: exit code and what it printed."""

    def run(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main(list(arguments))
        return ended.value.code, capsys.readouterr()

    return run
