"""Evidence: what helpers find on the images, as lines of text and further pictures for the expert that the policy chose."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from maestro.skills.message import final_text, quoted
from maestro.skills.protocol import Caller, HelperReply, SkillRequest

Found = TypeVar("Found")
_FAULT_CHARACTERS = 160


@dataclass(frozen=True)
class Finding:
    """What one helper found on one image."""

    line: str = ""
    """For the expert to read; empty when there is nothing to say."""
    picture: str | None = None
    """A further picture to look at."""
    shows: str = ""
    """What that picture is, for example `image 1 with the found objects boxed`."""


Look = Callable[[SkillRequest, Caller, int], Awaitable[Finding]]
"""Asks a helper about the image with this index (from 0)."""


@dataclass(frozen=True)
class Evidence:
    """All there is to look at and to read."""

    images: tuple[str, ...]
    """In the order they are shown: each original followed by the pictures made from it."""
    text: str = ""
    """What was read and found, and what each picture is when there are more than the originals."""


async def together(work: Sequence[Coroutine[Any, Any, Found]]) -> list[Found]:
    """Results in order, all worked on at once. The first failure cancels the rest and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]


def lost(caller: Caller, what: str, reason: str) -> Finding:
    """The finding of a helper that came to nothing: the expert is told here, the policy by the observation."""
    caller.lost.append(what)
    short = " ".join(reason.split())
    if len(short) > _FAULT_CHARACTERS:
        short = short[:_FAULT_CHARACTERS] + "…"
    return Finding(f"{what[0].upper()}{what[1:]} could not be had ({quoted(short)}); do without.")


async def read_text(request: SkillRequest, caller: Caller, index: int) -> Finding:
    """The text in an image, from the helper `ocr`."""
    image = request.images[index]
    reply = await caller.help("ocr", images=(image,), messages=[{"role": "user", "content": "Text Recognition:"}])
    return _told(caller, reply, f"the text in image {index + 1}", f"Text read in image {index + 1}")


async def describe(request: SkillRequest, caller: Caller, index: int) -> Finding:
    """What an image shows in general, from the helper `caption`."""
    prompt = "Describe this image for somebody who has to answer a question about it without seeing it. State only what is visible."
    reply = await caller.help("caption", images=(request.images[index],), messages=[{"role": "user", "content": prompt}])
    return _told(caller, reply, f"the description of image {index + 1}", f"Description of image {index + 1}")


def arrange(images: Sequence[str], findings: Sequence[Sequence[Finding]]) -> Evidence:
    """Evidence from the findings of each image."""
    shown: list[str] = []
    legend: list[str] = []
    lines: list[str] = []
    for number, (image, found) in enumerate(zip(images, findings, strict=True), 1):
        shown.append(image)
        legend.append(f"picture {len(shown)} is image {number}")
        lines += [finding.line for finding in found if finding.line]
        for finding in found:
            if finding.picture is not None:
                shown.append(finding.picture)
                legend.append(f"picture {len(shown)} is {finding.shows}")
    if len(shown) > len(images):
        lines.append(f"You see {len(shown)} pictures: {'; '.join(legend)}.")
    return Evidence(tuple(shown), "\n\n".join(lines))


def _told(caller: Caller, reply: HelperReply, what: str, heading: str) -> Finding:
    if reply.fault:
        return lost(caller, what, reply.fault)
    text = quoted(final_text(reply.text))
    return Finding(f"{heading}:\n{text}" if text else f"{heading}: none found.")
