"""How many one-coloured routes join the two stations that the question names."""

from __future__ import annotations

import re

from maestro.ensembles.vlms_are_blind.procedures.pictures import first_image
from maestro.skills.protocol import Caller, SkillRequest, SkillResult

_STATION = r"(?:the\s+)?(?:stations?\s+)?[\"'“]?([A-Za-z0-9]{1,12})[\"'”]?"
_PAIRS = (
    re.compile(rf"\bfrom\s+{_STATION}\s+to\s+{_STATION}(?![A-Za-z0-9])", re.IGNORECASE),
    re.compile(rf"\bbetween\s+{_STATION}\s+and\s+{_STATION}(?![A-Za-z0-9])", re.IGNORECASE),
    re.compile(
        rf"\b(?:connect|connecting|join|joining|link|linking)\s+{_STATION}\s+(?:and|to|with)\s+{_STATION}(?![A-Za-z0-9])", re.IGNORECASE
    ),
    # In other words, capitals that stand alone are names ("Starting at B, how many lines end at C?"); "A" is none where a sentence begins.
    re.compile(r"(?<![\w'])([B-HJ-Z]|(?<!^)(?<![.?!:]\s)A|A(?=\s*[-–→]))(?![\w']).*?(?<![\w'])(?!\1)([A-HJ-Z])(?![\w'])", re.DOTALL),
)


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """The number of routes, in curly brackets where the question wants them; None when the picture is no map.

    Raises ValueError when no two stations are named.
    """
    reply = await caller.ask("routes", images=(first_image(request),), stations=list(stations_in(request.question, request.query)))
    if reply["count"] is None:
        return SkillResult(None, evidence=str(reply["evidence"]))
    value = f"{{{reply['count']}}}" if "{" in request.question else str(reply["count"])
    return SkillResult(value, float(reply["confidence"]), str(reply["evidence"]))


def stations_in(*texts: str) -> tuple[str, str]:
    """The two stations named in the first of the texts that names two. Raises ValueError."""
    for text in texts:
        for pattern in _PAIRS:
            if found := pattern.search(text):
                return found[1], found[2]
    raise ValueError("the question must name two stations, for example: how many single-colored paths go from A to C?")


__all__ = ["run", "stations_in"]
