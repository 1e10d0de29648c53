"""Skills that are only a SKILL.md: the body is the instruction, the expert's reply is the result."""

from __future__ import annotations

from maestro.skills.protocol import Caller, SkillRequest, SkillResult
from maestro.types import Skill


async def run_prompted(skill: Skill, request: SkillRequest, caller: Caller) -> SkillResult:
    """One chat call with the skill's body as instructions; the value is the reply's last non-empty line."""
    options = "".join(f"\n- {choice}" for choice in request.choices)
    user = request.text + (f"\nOptions:{options}" if options else "")
    reply = str(
        await caller.ask(
            "chat",
            images=request.images,
            messages=[{"role": "system", "content": skill.body}, {"role": "user", "content": user}],
        )
    )
    lines = [line.strip() for line in reply.splitlines() if line.strip()]
    return SkillResult(value=lines[-1] if lines else None, confidence=0.5, evidence="", gives=skill.gives)
