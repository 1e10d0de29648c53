"""Subway maps: paths of one colour over a lattice between ports of four stations; they cross, but share no stretch."""

import heapq
import itertools

import numpy as np

from tests.ensembles.vlms_are_blind.plotted.scenes import Scene
from tests.ensembles.vlms_are_blind.plotted.style import Sheet

_N = 18
_INWARD = {"A": (0, 1), "B": (-1, 0), "C": (0, -1), "D": (1, 0)}


def subway(rng, style):
    """One to three ports a station, every path in a colour of its own."""
    while True:
        paths = _paths(rng, int(rng.integers(1, 4)), len(style.palette))
        if paths:
            break
    side, sheet = style.side, Sheet(style)
    margin = 0.12 * side
    step = (side - 2 * margin) / _N
    width = min(max(style.line, 0.008 * side), 0.45 * step)
    order = rng.permutation(len(style.palette))
    for index, (_, nodes) in enumerate(paths):
        xs, ys = (margin + step * np.array(nodes)).T
        sheet.line(xs, ys, style.palette[int(order[index])], width, dashable=False)
    for name, (x, y) in {"A": (0.5, 0.06), "B": (0.94, 0.5), "C": (0.5, 0.94), "D": (0.06, 0.5)}.items():
        sheet.text(x * side, y * side, name, 0.06 * side, weight="bold")
    pairs = [pair for pair, _ in paths]
    ends = pairs[int(rng.integers(len(pairs)))] if rng.random() < 0.75 else tuple(rng.permutation(list("ABCD"))[:2])
    count = str(sum(set(pair) == set(ends) for pair in pairs))
    one, other = ends
    asked = {
        f"How many single-colored paths go from {one} to {other}? Answer with a number in curly brackets, e.g., {{3}}": count,
        f"Count the one-colored routes that go from {one} to {other}. Answer with a number in curly brackets, e.g., {{3}}": count,
    }
    return Scene(sheet.image(), asked, "integer", "Subway Connections")


def _ports(name, count):
    places = [9, 8, 10][:count] if count != 2 else [8, 10]
    fixed = {"A": 0, "B": _N, "C": _N, "D": 0}[name]
    return [(at, fixed) if name in "AC" else (fixed, at) for at in places]


def _paths(rng, ports, most):
    free = [(name, port) for name in "ABCD" for port in _ports(name, ports)]
    free = [free[int(i)] for i in rng.permutation(len(free))]
    used, paths, taken = set(), [], {_inside(name, port) for name, port in free}
    while free and len(paths) < most:
        name, start = free.pop()
        others = [end for end in free if end[0] != name]
        if not others:
            break
        end = others[0]
        nodes = _walk(rng, _inside(name, start), _inside(*end), used, taken)
        if nodes is None:
            return None
        free.remove(end)
        nodes = [start, *nodes, end[1]]
        used |= {frozenset(pair) for pair in itertools.pairwise(nodes)}
        # A later path may cross here, but not turn: that two colours change places at a corner would be anybody's guess.
        used |= {
            node
            for before, node, after in zip(nodes, nodes[1:], nodes[2:], strict=False)
            if before[0] != after[0] and before[1] != after[1]
        }
        paths.append(((name, end[0]), nodes))
    return paths


def _inside(name, port):
    return (port[0] + _INWARD[name][0], port[1] + _INWARD[name][1])


def _walk(rng, start, goal, used, taken):
    """The cheapest way where every step costs what chance says; it may cross used nodes only straight on."""
    costs = rng.uniform(0.2, 3.0, (_N + 1, _N + 1))
    heap, best = [(0.0, start, (0, 0), (start,))], {}
    while heap:
        cost, node, came, way = heapq.heappop(heap)
        if node == goal:
            return list(way)
        if best.get((node, came), np.inf) <= cost:
            continue
        best[node, came] = cost
        for step in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            after = (node[0] + step[0], node[1] + step[1])
            busy = any(node in edge for edge in used if isinstance(edge, frozenset))
            if not (1 <= after[0] < _N and 1 <= after[1] < _N) or after in way or frozenset((node, after)) in used:
                continue
            if after in used or (after in taken and after != goal) or (busy and came not in ((0, 0), step)):
                continue
            heapq.heappush(heap, (cost + costs[after], after, step, (*way, after)))
    return None
