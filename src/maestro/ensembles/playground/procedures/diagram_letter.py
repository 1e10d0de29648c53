"""Name the letter that a ring surrounds."""

from __future__ import annotations

import numpy as np
from PIL import Image

from maestro.ensembles.playground.procedures.letter_places import letter_places
from maestro.ensembles.playground.procedures.ring_finding import Ring, find_ring, without_ring
from maestro.ensembles.playground.procedures.words import Line, Page, first_image, mean_confidence, page_of
from maestro.skills.protocol import Caller, SkillRequest, SkillResult


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """The ringed letter; None when no ring or no word at the ring was found."""
    image = first_image(request)
    pixels = np.asarray(caller.pixels(image))
    ring = find_ring(pixels)
    if ring is None:
        return SkillResult(None, 0.1, "no ring seen")
    clean = without_ring(pixels, ring)
    page = page_of(await caller.ask("ocr", images=(caller.put(Image.fromarray(clean)),)))
    line = _line_at(page, ring)
    if line is None:
        return SkillResult(None, 0.1, "ring seen, no word there")
    places = letter_places(line, clean)
    distances = sorted((abs(x - ring.x), index) for index, (_, x, _) in enumerate(places))
    nearest, index = distances[0]
    letter, _, measured = places[index]
    spread = (line.box[2] - line.box[0]) / max(1, len(places))
    if nearest > 0.9 * spread:
        return SkillResult(None, 0.15, f"no letter at the ring in {line.text}"[:40])
    # The next letter should be a whole letter further away than the one inside the ring.
    margin = min(1.0, (distances[1][0] - nearest) / (0.7 * spread)) if len(distances) > 1 else 1.0
    fit = (1.0 if measured else 0.7) * (0.5 + 0.5 * margin)
    sure = mean_confidence(line.words) * fit * min(1.0, ring.cover + 0.1)
    return SkillResult(letter, round(sure, 2), f"letter {index + 1} of {''.join(item[0] for item in places)}"[:40])


def _line_at(page: Page, ring: Ring) -> Line | None:
    """The line of text that runs through the ring."""
    left, top, right, bottom = ring.box
    best: tuple[float, Line] | None = None
    for line in page.lines:
        words = tuple(word for word in line.words if not word.stray)
        if not words:
            continue
        # Along a tilt the line's height at the ring differs from its mean.
        level = sum(word.y - page.slope * word.x for word in words) / len(words) + page.slope * ring.x
        if top < level < bottom and words[0].left - (right - left) < ring.x < words[-1].right + (right - left):
            offset = abs(level - ring.y)
            if best is None or offset < best[0]:
                best = (offset, Line(words))
    return None if best is None else best[1]


__all__ = ["run"]
