"""Whether circles touch, overlap or stay apart, for one pair or for many."""

from __future__ import annotations

import re

from maestro.ensembles.playground.procedures.drawn_shapes import first_image
from maestro.skills.protocol import Caller, SkillRequest, SkillResult

_MANY = re.compile(r"\bhow many\b|\bcount\b|\bnumber of\b", re.IGNORECASE)
_APART = re.compile(r"\b(apart|separate|separated|disjoint)\b", re.IGNORECASE)
_OVERLAP = re.compile(r"\boverlap", re.IGNORECASE)
_CONTACT_PX = 1.5
"""Outer edges nearer than this are in contact: half a pixel of blur on each side and the grid of pixels."""


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """The number of touching pairs, `yes` or `no`, or one of `touch`, `overlap` and `apart` when the question offers them."""
    reply = await caller.ask("contacts", images=(first_image(request),))
    gaps = [float(gap) for gap in reply["gaps"]]
    confidence = float(reply["confidence"])
    if not gaps:
        return SkillResult(None, evidence="no pair of circles found")
    touching = sum(1 for gap in gaps if gap <= 0)
    if _MANY.search(request.text):
        return SkillResult(str(touching), confidence, f"{touching} of {len(gaps)} pairs in contact")
    gap = min(gaps)
    if _APART.search(request.text) and _OVERLAP.search(request.text):
        value = "apart" if gap > 0 else "touch" if gap > -2 * _CONTACT_PX else "overlap"
        return SkillResult(value, confidence, f"gap {gap:.1f} px")
    contact = gap <= 0
    if _APART.search(request.text):
        contact = not contact
    return SkillResult("yes" if contact else "no", confidence, f"gap {gap:.1f} px")


__all__ = ["run"]
