"""The parts of a SKILL.md body: what stands above the first `## ` heading, and each section by its heading."""

from __future__ import annotations

import re

_HEADING = re.compile(r"## +(?P<title>.+?) *#* *")
_FENCE = re.compile(r" {0,3}(```+|~~~+)")


def sections(body: str) -> tuple[str, dict[str, str]]:
    """The text above the first second-level heading, and the text of each section by heading.

    Headings inside code fences are text. Of two sections with one heading the first counts.
    """
    intro: list[str] = []
    found: dict[str, list[str]] = {}
    current = intro
    fence = ""
    for line in body.splitlines():
        mark = _FENCE.match(line)
        if mark and (not fence or mark[1].startswith(fence)):
            fence = "" if fence else mark[1][:3]
        heading = None if fence else _HEADING.fullmatch(line)
        if heading is None:
            current.append(line)
        else:
            current = found.setdefault(heading["title"], []) if heading["title"] not in found else []
    return "\n".join(intro).strip(), {title: "\n".join(lines).strip() for title, lines in found.items()}
