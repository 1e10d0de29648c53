"""The helper `detection`: finds the objects that a question is about and marks them on a copy of the image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from maestro.skills.evidence import Finding, lost
from maestro.skills.frame import Size, box_on_image, framed
from maestro.skills.message import final_text, json_value, quoted
from maestro.skills.protocol import Caller, SkillRequest
from maestro.skills.region import Box

_MOST_OBJECTS = 300
_LABEL_CHARACTERS = 40
_GREEN, _RED, _WHITE = (0, 160, 0), (200, 0, 0), (255, 255, 255)
_PROMPT = """Find every object in the picture that this question is about, each one by itself, partly hidden ones too:
{question}
{hint}Reply with JSON only, a list with one entry per object:
[{{"bbox_2d": [x1, y1, x2, y2], "label": "what it is"}}]
Coordinates are pixels of this picture. Reply [] when there is no such object."""


@dataclass(frozen=True)
class Detected:
    """One object, in pixels of the image."""

    box: Box
    label: str


async def detect(request: SkillRequest, caller: Caller, index: int) -> Finding:
    """The objects in question on an image: a line that lists them, and the image with their boxes drawn when there are any."""
    what = f"the detected objects of image {index + 1}"
    image = request.images[index]
    pixels = caller.pixels(image)
    try:
        frame = framed(pixels)
    except ValueError as error:
        return lost(caller, what, str(error))
    hint = caller.hint("detection")
    prompt = _PROMPT.format(question=request.text, hint=f"{hint}\n" if hint else "")
    reply = await caller.help("detection", images=(caller.put(frame),), messages=[{"role": "user", "content": prompt}])
    if reply.fault:
        return lost(caller, what, reply.fault)
    try:
        found, unusable = read_objects(final_text(reply.text), frame.size, pixels.size)
    except ValueError as error:
        return lost(caller, what, f"the answer cannot be used: {error}")
    heading = f"Objects detected in image {index + 1}"
    left_out = f" ({unusable} more could not be placed)" if unusable else ""
    if not found:
        return Finding(f"{heading}: none found{left_out}.")
    listed = "\n".join(f"{number}. {one.label} at {','.join(map(str, one.box))}" for number, one in enumerate(found, 1))
    boxed = caller.put(draw_boxes(pixels, found))
    return Finding(
        f"{heading}, {len(found)} in all{left_out}; the detector errs, so check each:\n{listed}",
        picture=boxed,
        shows=f"image {index + 1} with the detected objects boxed and numbered",
    )


def read_objects(text: str, frame: Size, image: Size) -> tuple[list[Detected], int]:
    """The objects in a detector's reply, and how many entries could not be used.

    The reply is a JSON list, or an object whose `objects` is one. Raises ValueError when it is neither, or when none of its
    entries can be used.
    """
    value = json_value(text)
    entries = value.get("objects") if isinstance(value, dict) else value
    if not isinstance(entries, list):
        raise ValueError("the JSON is no list of objects")  # noqa: TRY004 (a model's reply is data, not a type error)
    found: list[Detected] = []
    faults: list[str] = []
    for entry in entries[:_MOST_OBJECTS]:
        try:
            found.append(_read_object(entry, frame, image))
        except ValueError as error:
            faults.append(str(error))
    if faults and not found:
        raise ValueError(faults[0])
    return found, len(faults) + max(0, len(entries) - _MOST_OBJECTS)


def _read_object(entry: Any, frame: Size, image: Size) -> Detected:
    if not isinstance(entry, dict):
        raise ValueError("an entry is no object")  # noqa: TRY004 (a model's reply is data, not a type error)
    box = box_on_image(entry.get("bbox_2d"), frame, image)
    label = entry.get("label")
    words = " ".join(label.split()) if isinstance(label, str) else ""
    return Detected(box, quoted(words)[:_LABEL_CHARACTERS] or "object")


def draw_boxes(image: Image.Image, found: Sequence[Detected]) -> Image.Image:
    """A copy of the image with each object's box in green and its number and label above it in red."""
    drawn = image.copy()
    brush = ImageDraw.Draw(drawn)
    size = max(10, min(image.size) // 40)
    font = ImageFont.load_default(size)
    for number, one in enumerate(found, 1):
        left, top, right, bottom = one.box
        brush.rectangle((left, top, right - 1, bottom - 1), outline=_GREEN, width=max(1, size // 8))
        tag = f"{number} {one.label}"
        at = (left, max(0, top - size - 2))
        brush.rectangle(brush.textbbox(at, tag, font=font), fill=_WHITE)
        brush.text(at, tag, fill=_RED, font=font)
    return drawn
