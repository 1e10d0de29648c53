"""How many one-coloured routes join two stations of a map."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from maestro.ensembles.vlms_are_blind.experts.backdrop import LEAST_SIDE, Mask, backdrop_of, enlarged, ink_mask, reduced, single_picture
from maestro.ensembles.vlms_are_blind.experts.colour_layers import Layer, layers_of
from maestro.ensembles.vlms_are_blind.experts.line_ends import End, ends_of
from maestro.ensembles.vlms_are_blind.experts.recogniser import LineRecogniser
from maestro.ensembles.vlms_are_blind.experts.stations import Sign, named, parted
from maestro.experts.protocol import Pixels

_LONGEST = 1280
"""Pixels of the longer side that is looked at."""
_SHORTEST = 300
"""Pixels of the shorter side below which a picture is enlarged."""


class SubwayRoutes:
    """The expert `route-tracer`. Not safe for concurrent calls on one object."""

    def __init__(self, threads: int = 1) -> None:
        """`threads` are ONNX Runtime's. Raises MissingDependency."""
        self._recogniser = LineRecogniser(threads)

    def do_routes(self, images: list[Pixels], stations: list[str]) -> dict[str, Any]:
        """Routes between two named stations: {"count", "confidence", "evidence"}; count None and confidence 0 without a map.

        Raises ValueError when `stations` are not two different names.
        """
        if len(stations) != 2 or stations[0].lower() == stations[1].lower() or not all(stations):
            raise ValueError(f"routes run between two different stations, not {stations}. Name two, for example A and C.")
        image = reduced(single_picture(images, "the route tracer"), _LONGEST)
        if min(image.shape[:2]) < LEAST_SIDE:
            return _nothing(f"the picture is only {image.shape[1]}x{image.shape[0]} pixels")
        image = enlarged(image, _SHORTEST)
        backdrop = backdrop_of(image)
        ink = ink_mask(image, backdrop)
        lines, signs = parted(ink)
        if len(signs) < 2 or not lines.any():
            return _nothing(f"{len(signs)} signs apart from lines, a map has at least two")
        layers = layers_of(image, backdrop, lines)
        routes, doubts = _routes(layers, lines, signs)
        if not routes:
            return _nothing("no coloured line from one sign to another")
        pair, sure = named(image, backdrop, signs, stations, self._recogniser)
        count = sum(route == frozenset(pair) for route in routes)
        confidence = round(float(np.clip(sure * 0.75**doubts, 0.02, 0.98)), 2)
        evidence = f"{len(routes)} routes in {len(layers)} colours, {len(signs)} stations; {doubts} unclear"
        return {"count": count, "confidence": confidence, "evidence": evidence}


def _nothing(reason: str) -> dict[str, Any]:
    return {"count": None, "confidence": 0.0, "evidence": f"no map: {reason}"}


def _routes(layers: list[Layer], ink: Mask, signs: list[Sign]) -> tuple[list[frozenset[int]], int]:
    """The pair of signs that each route joins, and the number of colours for which that is not plain."""
    widest = max((layer.width for layer in layers), default=1.0)
    routes: list[frozenset[int]] = []
    doubts = 0
    for layer, ends in zip(layers, _at_stations([ends_of(layer, ink, widest) for layer in layers], signs), strict=True):
        found, plain = _paired(ends, signs)
        routes += found
        doubts += not plain and layer.mask.sum() > 3 * layer.width**2
    return routes, doubts


def _at_stations(ends: list[list[End]], signs: list[Sign]) -> list[list[End]]:
    """The ends of each layer at ports: as far before their sign as the free end that is nearest to it.

    A hidden end is taken where a layer has fewer than two in the open: two lines may share a port.
    """
    leaders: dict[int, End] = {}
    for end in (end for layer in ends for end in layer if end.free):
        index = _nearest(end, signs)
        sign = signs[index]
        if end.depth(*sign.middle) > 0 and (
            index not in leaders or sign.distance(end.x, end.y) < sign.distance(leaders[index].x, leaders[index].y)
        ):
            leaders[index] = end
    apart = {index: signs[index].distance(end.x, end.y) for index, end in leaders.items()}
    # A station may have no lines; what ends far off in its direction is not at it.
    usual = float(np.median(sorted(apart.values())[: (len(apart) + 1) // 2])) if apart else 0.0
    leaders = {index: end for index, end in leaders.items() if apart[index] < 2.5 * usual + 8.0}
    chosen = []
    for layer in ends:
        here = [end for end in layer if (leader := leaders.get(_nearest(end, signs))) is not None and _beside(end, leader, signs)]
        kept = [end for end in here if end.free]
        if len(kept) < 2:
            taken = {_nearest(end, signs) for end in kept}
            kept += [end for end in here if not end.free and _nearest(end, signs) not in taken][: 2 - len(kept)]
        chosen.append(kept)
    return chosen


def _beside(end: End, leader: End, signs: list[Sign]) -> bool:
    """Whether an end lies as far before its sign as another does, by the direction in which that one runs up to the sign."""
    across = abs(leader.ahead[0]) > abs(leader.ahead[1])
    way = (float(np.sign(leader.ahead[0])), 0.0) if across else (0.0, float(np.sign(leader.ahead[1])))
    x, y = signs[_nearest(end, signs)].middle
    usual = (x - leader.x) * way[0] + (y - leader.y) * way[1]
    own = (x - end.x) * way[0] + (y - end.y) * way[1]
    return end.ahead[0] * way[0] + end.ahead[1] * way[1] > 0.35 and abs(own - usual) < max(5.0, 0.2 * usual)


def _nearest(end: End, signs: list[Sign]) -> int:
    return min(range(len(signs)), key=lambda index: signs[index].distance(end.x, end.y))


def _paired(ends: list[End], signs: list[Sign]) -> tuple[list[frozenset[int]], bool]:
    """Pairs of signs joined by one colour, and whether it was plain which ends belong together."""
    if len(ends) == 2:
        route = frozenset(_nearest(end, signs) for end in ends)
        return [route], len(route) == 2
    if len(ends) < 2:
        return [], False
    routes: list[frozenset[int]] = []
    loose: list[End] = []
    for piece, count in sorted(Counter(end.piece for end in ends).items()):
        mine = [end for end in ends if end.piece == piece]
        if count == 2:
            routes.append(frozenset(_nearest(end, signs) for end in mine))
        else:
            loose += mine
    if len(loose) == 2:
        routes.append(frozenset(_nearest(end, signs) for end in loose))
        loose = []
    return routes, not loose


__all__ = ["SubwayRoutes"]
