"""Counting_Problem_Solver: list the objects with their places, then verify and count. Two calls.

On every image the detector is asked first; the zoom model then sees the image and the same with the detected objects boxed.
"""

from __future__ import annotations

from maestro.skills.detection import detect
from maestro.skills.evidence import Finding, arrange, together
from maestro.skills.prompted import result_of, run_steps
from maestro.skills.protocol import Caller, SkillRequest, SkillResult
from maestro.skills.zoom import zoom


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """How many of what the question asks about are in the images."""
    assert caller.skill is not None
    findings = await together([_findings(request, caller, index) for index in range(len(request.images))])
    evidence = arrange(request.images, findings)
    return result_of((await run_steps(caller.skill, request, caller, evidence))[-1], caller.skill)


async def _findings(request: SkillRequest, caller: Caller, index: int) -> list[Finding]:
    """What the detector and then the zoom model find on one image."""
    found = [await detect(request, caller, index)] if caller.has("detection") else []
    if caller.has("zoom"):
        found.append(await zoom(request, caller, index, boxed=found[0].picture if found else None))
    return found
