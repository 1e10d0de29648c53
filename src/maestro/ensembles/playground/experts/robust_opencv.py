"""OpenCV with a background model, denoising, colour by hue, deskewing and parting of touching blobs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from maestro.ensembles.playground.experts.background import Scene, deskew_angle, look, rotate
from maestro.ensembles.playground.experts.circle_cover import Circle, merge_concentric
from maestro.ensembles.playground.experts.colours import ANCHORS, hue_distance
from maestro.ensembles.playground.experts.components import Blob, Mask, blobs
from maestro.ensembles.playground.experts.contacts import contacts_in_mask
from maestro.ensembles.playground.experts.frames import Frame, frames_in, smallest_group
from maestro.ensembles.playground.experts.grid_lines import fit_comb, profiles, ridges
from maestro.ensembles.playground.experts.headings import inner_mark, pointed_axis
from maestro.ensembles.playground.experts.links import joined_to, joining, middle, part_by_thickness, touched
from maestro.ensembles.playground.experts.pie_slices import pie_slices
from maestro.ensembles.playground.experts.splitting import colour_of, dominant_colours, nearest, shapes_of
from maestro.ensembles.playground.experts.strokes import course, pick, sign_changes, strokes_of
from maestro.ensembles.playground.experts.templates import best_template, template_kind
from maestro.experts.protocol import Pixels


class RobustOpenCv:
    """The expert `robust-opencv`: holds on noise, tint, gradients and rotation, for some ten times the time of the fast one."""

    def do_shapes(self, images: list[Pixels]) -> dict[str, Any]:
        """Shapes in front of the modelled background, touching ones parted."""
        scene = look(images[0])
        shapes = shapes_of(scene, scene.mask)
        height, width = scene.mask.shape
        return {"width": width, "height": height, "shapes": [shape.reply() for shape in shapes], "clarity": scene.clarity}

    def do_rings(self, images: list[Pixels]) -> dict[str, Any]:
        """Rings by the gradient Hough transform on the cleaned foreground, stroke edges merged."""
        import cv2

        scene = look(images[0], thin=True)
        size = min(scene.mask.shape)
        drawing = cv2.GaussianBlur(scene.mask, (0, 0), 1.2)
        votes = cv2.HoughCircles(
            drawing,
            cv2.HOUGH_GRADIENT_ALT,
            1.5,
            0.06 * size,
            param1=300,
            param2=0.72,
            minRadius=round(0.04 * size),
            maxRadius=round(0.5 * size),
        )
        found = (
            [] if votes is None else [Circle(float(v[0]), float(v[1]), float(v[2]), 1.0, 1.0) for v in votes.reshape(-1, votes.shape[-1])]
        )
        rings = merge_concentric(found, 0.05 * size)
        explained = _explained(scene.mask, rings)
        return {"count": len(rings), "confidence": explained * scene.clarity if rings else 0.0}

    def do_contacts(self, images: list[Pixels]) -> dict[str, Any]:
        """Gaps between paired discs in front of the modelled background; one blob of two is a contact."""
        scene = look(images[0], thin=True)
        found = contacts_in_mask(scene.mask, max(40, scene.mask.size // 1500))
        return {**found, "confidence": found["confidence"] * scene.clarity}

    def do_grid(self, images: list[Pixels]) -> dict[str, Any]:
        """Even combs fitted to the profiles of thin lines after deskewing."""
        import cv2

        scene = look(images[0], thin=True)
        grey = cv2.cvtColor(scene.rgb, cv2.COLOR_RGB2GRAY)
        strength = ridges(grey, 4)
        strong = np.where(strength > 0.4 * np.percentile(strength, 99), 255, 0).astype(np.uint8)
        degrees, _ = deskew_angle(strong)
        if abs(degrees) > 0.15:
            strength = ridges(rotate(grey, degrees, (float(np.median(grey)),)), 4)
        across, down = profiles(strength)
        (rows, sure_rows), (columns, sure_columns) = fit_comb(across), fit_comb(down)
        return {"rows": rows, "columns": columns, "confidence": min(sure_rows, sure_columns)}

    def do_crossings(self, images: list[Pixels], colours: list[str] | None = None) -> dict[str, Any]:
        """Swaps of side of the two strokes along the direction in which both are single-valued; else the blobs where they meet."""
        import cv2

        scene = look(images[0], thin=True)
        strokes = [stroke for stroke in strokes_of(scene, scene.mask) if stroke.extent > 0.25 * max(scene.mask.shape)]
        chosen = pick(strokes, colours) if colours and len(colours) >= 2 else strokes[:2]
        if len(chosen) < 2:
            return {"count": None, "confidence": 0.0}
        first, second = chosen[0].mask, chosen[1].mask
        meeting = len(blobs(np.asarray(cv2.bitwise_and(*(cv2.dilate(m, np.ones((5, 5), np.uint8)) for m in (first, second)))), 6))
        courses = [(course(first.T if turned else first), course(second.T if turned else second)) for turned in (False, True)]
        (a, single_a), (b, single_b) = max(courses, key=lambda pair: min(pair[0][1], pair[1][1]))
        if min(single_a, single_b) < 0.85:
            return {"count": meeting, "confidence": 0.45 * scene.clarity}
        count, reach = sign_changes(a, b, 2.5)
        agreement = 1.0 if count == meeting else 0.6
        return {"count": count, "confidence": float(np.clip(reach / 3.0, 0.3, 1.0)) * agreement * scene.clarity}

    def do_pie(self, images: list[Pixels]) -> dict[str, Any]:
        """Angles that the colours span on a ring inside the disc."""
        scene = look(images[0])
        slices, sure = pie_slices(scene, scene.mask)
        return {"slices": [part.reply() for part in slices], "confidence": sure}

    def do_frame(self, images: list[Pixels], colour: str | None = None) -> dict[str, Any]:
        """The most complete rectangle drawn in one colour, whatever colour that is; a named colour is preferred."""
        scene = look(images[0], thin=True)
        found = [
            replace(frame, colour=s.colour, rgb=s.rgb) for s in strokes_of(scene, scene.mask, 16.0, 0.02) for frame in frames_in(s.mask)
        ]
        found = found or frames_in(scene.mask)
        if not found:
            return {"box": None, "confidence": 0.0}
        named = [frame for frame in found if frame.colour == colour]
        if colour in ANCHORS and not named:
            # Between two names' ranges of hue: take the frame whose colour is nearest to the name.
            nearest_hue = min(hue_distance(frame.rgb, ANCHORS[colour]) for frame in found)
            named = [replace(frame, sides=0.6 * frame.sides) for frame in found if hue_distance(frame.rgb, ANCHORS[colour]) <= nearest_hue]
        best, *others = sorted(named or found, key=lambda frame: -frame.sides)
        rivals = [frame for frame in others if frame.sides > 0.9 * best.sides and _apart(frame, best)]
        return {"box": list(best.inner), "confidence": best.sides * (0.6 if rivals else 1.0), "colour": colour if named else best.colour}

    def do_smallest(self, images: list[Pixels]) -> dict[str, Any]:
        """The smallest group of marks in front of the modelled background."""
        scene = look(images[0], thin=True)
        found = smallest_group(scene.mask)
        return {"box": None, "confidence": 0.0} if found is None else {"box": list(found), "confidence": 0.8 * scene.clarity}

    def do_heading(self, images: list[Pixels]) -> dict[str, Any]:
        """The mirror axis towards the tip of the silhouette that is least like a regular shape; on a lone round body its mark."""
        scene = look(images[0])
        found = blobs(scene.mask, max(40, scene.mask.size // 2500))
        if not found:
            return {"degrees": None, "confidence": 0.0}
        ranked = sorted(found, key=_regularity)
        main, solid = ranked[0], ranked[0].filled
        if len(found) == 1 and template_kind(solid)[0] == "circle":
            degrees, sure = inner_mark(solid, _mark(scene, solid, main.box))
        else:
            degrees, sure = pointed_axis(solid)
        return {"degrees": round(degrees, 1), "confidence": sure * scene.clarity}

    def do_routes(self, images: list[Pixels], stations: list[str]) -> dict[str, Any]:
        """Line colours that come near both stations, gaps at crossings bridged."""
        scene = look(images[0], thin=True)
        work = part_by_thickness(scene.mask, 13, 150)
        ends = [_of_colour(scene, work.markers, station) for station in stations]
        if ends[0] is None or ends[1] is None:
            return {"count": None, "lines": 0, "confidence": 0.0}
        lines = [stroke.mask for stroke in strokes_of(scene, work.thin, 15.0) if stroke.extent > 25]
        counts = [joining(line, ends[0], ends[1], 5, 12) for line in lines]
        reach = [min(touched(line, end, 5) for end in ends if end is not None) for line in lines]
        doubtful = sum(1 for count, near in zip(counts, reach, strict=True) if count == 0 and near > 0)
        return {"count": sum(counts), "lines": len(lines), "confidence": scene.clarity * 0.95 / (1 + doubtful)}

    def do_path(self, images: list[Pixels], start: str = "black") -> dict[str, Any]:
        """The marker at the other end of the line from the start dot, dashes joined."""
        scene = look(images[0], thin=True)
        work = part_by_thickness(scene.mask, 9, 60)
        origin = _of_colour(scene, work.markers, start)
        if origin is None:
            return {"end": None, "confidence": 0.0}
        reached: list[tuple[int, Blob]] = []
        for gap in (2, 5, 8, 12):
            line = joined_to(work.thin, origin, gap)
            reached = [(count, marker) for marker in work.markers if marker is not origin and (count := touched(line, marker, 5)) >= 3]
            if reached:
                break
        if not reached:
            return {"end": None, "confidence": 0.0}
        _, best = max(reached, key=lambda pair: pair[0])
        colour, sure = colour_of(scene, best.mask, best.box)
        x, y = middle(best)
        return {"end": colour, "at": [round(x), round(y)], "confidence": scene.clarity * (0.5 + 0.5 * sure) / len(reached)}


def _regularity(blob: Blob) -> float:
    """How well one regular shape covers the blob's filled outline, 0..1; bigger irregular blobs come first."""
    solid = blob.filled
    _, _, fit = best_template(solid)
    return fit - 0.02 * float(np.log(blob.area))


def _of_colour(scene: Scene, markers: list[Blob], colour: str) -> Blob | None:
    """The largest marker of a colour."""
    return max((marker for marker in markers if colour_of(scene, marker.mask, marker.box)[0] == colour), key=lambda m: m.area, default=None)


def _explained(mask: Mask, rings: list[Circle]) -> float:
    """Share of the foreground that lies on one of the circles."""
    import cv2

    drawn = np.zeros_like(mask)
    for ring in rings:
        cv2.circle(drawn, (round(ring.x), round(ring.y)), round(ring.radius), 255, 7)
    return float(((drawn > 0) & (mask > 0)).sum() / max(int((mask > 0).sum()), 1))


def _mark(scene: Scene, solid: Mask, box: tuple[int, int, int, int]) -> Mask:
    """The smaller colour well inside a silhouette."""
    import cv2

    left, top, right, bottom = box
    radius = np.sqrt((solid > 0).sum() / np.pi)
    core = cv2.erode(solid, np.ones((3, 3), np.uint8), iterations=max(1, round(0.12 * radius))) > 0
    lab = scene.lab[top:bottom, left:right]
    centres = dominant_colours(lab[core], 18.0, 0.02)
    if len(centres) < 2:
        return np.zeros_like(solid)
    return np.where(core & (nearest(lab, centres) != 0), 255, 0).astype(np.uint8)


def _apart(first: Frame, second: Frame) -> bool:
    return max(abs(a - b) for a, b in zip(first.inner, second.inner, strict=True)) > 8
