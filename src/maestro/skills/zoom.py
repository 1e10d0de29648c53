"""The helper `zoom`: a model that says which part of an image is worth a closer look; that part is cut out and enlarged."""

from __future__ import annotations

from typing import Any

import orjson

from maestro.skills.evidence import Finding, lost
from maestro.skills.frame import box_on_image, framed
from maestro.skills.message import json_value
from maestro.skills.protocol import Caller, SkillRequest
from maestro.skills.region import enlargement

_TOOL = "image_zoom_in_tool"
_STOPS = ("</tool_call>", "</answer>")
_SIGNATURE = {
    "type": "function",
    "function": {
        "name": _TOOL,
        "description": "Cut a rectangle out of the picture and look at it enlarged.",
        "parameters": {
            "type": "object",
            "properties": {
                "bbox_2d": {
                    "type": "array",
                    "items": {"type": "number"},
                    "minItems": 4,
                    "maxItems": 4,
                    "description": "The rectangle as [x1, y1, x2, y2] in pixels, from its upper left to its lower right corner.",
                },
                "label": {"type": "string", "description": "What is expected inside (optional)."},
            },
            "required": ["bbox_2d"],
        },
    },
}
_SYSTEM = f"""You look at pictures for somebody else, and you have a tool for looking closer. Its signature:
<tools>
{orjson.dumps(_SIGNATURE).decode()}
</tools>

To use it write one JSON object inside tags:
<tool_call>
{{"name": "{_TOOL}", "arguments": {{"bbox_2d": [x1, y1, x2, y2], "label": "what is there"}}}}
</tool_call>"""
_TASK = (
    f"Think briefly inside <think></think>. If a part of the picture has to be seen larger to answer, call {_TOOL} on it; "
    "if everything can be seen as it is, write <answer></answer> with your answer instead."
)


async def zoom(request: SkillRequest, caller: Caller, index: int, boxed: str | None = None) -> Finding:
    """The part of an image that the helper wants enlarged; an empty finding when it wants none.

    The helper sees the image, and `boxed` behind it: the same image with objects marked. Its box is scaled from the frame it
    saw to the image, which is what the part is cut from.
    """
    what = f"a closer look at image {index + 1}"
    image = request.images[index]
    try:
        frames = [framed(caller.pixels(one)) for one in (image, *([boxed] if boxed else []))]
    except ValueError as error:
        return lost(caller, what, str(error))
    hint = caller.hint("zoom")
    again = "The second picture is the same with objects marked; give the box for either." if boxed else ""
    words = "\n".join(part for part in (f"Question: {request.text}", hint, again, _TASK) if part)
    reply = await caller.help(
        "zoom",
        images=tuple(caller.put(frame) for frame in frames),
        messages=[{"role": "system", "content": _SYSTEM}, {"role": "user", "content": words}],
        sampling={"stop": list(_STOPS)},
    )
    if reply.fault:
        return lost(caller, what, reply.fault)
    if "<tool_call>" not in reply.text:
        return Finding()
    try:
        box = box_on_image(_asked_box(reply.text), frames[0].size, caller.pixels(image).size)
    except ValueError as error:
        return lost(caller, what, f"the answer cannot be used: {error}")
    place = "left {}, top {}, right {}, bottom {}".format(*box)
    return Finding(picture=caller.crop(image, box, enlargement(box)), shows=f"the part of image {index + 1} from {place}, cut out")


def _asked_box(text: str) -> Any:
    """What the tool call gives as its box. Raises ValueError when it is no call of the tool."""
    call = json_value(text.partition("<tool_call>")[2].partition("</tool_call>")[0])
    arguments = call.get("arguments") if isinstance(call, dict) else None
    if not isinstance(arguments, dict) or call.get("name") != _TOOL:
        raise ValueError(f"no call of {_TOOL} with arguments")
    return arguments.get("bbox_2d")
