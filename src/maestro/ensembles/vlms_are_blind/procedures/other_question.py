"""Questions that are not about a drawing: turned down before anything is measured, because shapes are found in grids and maps, too."""

from __future__ import annotations

from maestro.skills.protocol import Caller, SkillRequest, SkillResult


async def run(request: SkillRequest, caller: Caller) -> SkillResult:  # noqa: ARG001
    """None with confidence 0, and which skills to try."""
    return SkillResult(
        None, evidence="not a question about shapes or lines of a drawing; grid-size, circled-letter or subway-routes may take it"
    )


__all__ = ["run"]
