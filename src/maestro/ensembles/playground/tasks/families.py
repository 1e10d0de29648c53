"""The closed set of task families: what draws each, which skills it calls for, and whether it is withheld from training."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from maestro.ensembles.playground.tasks import (
    charts,
    counting,
    diagrams,
    embodied,
    geometry,
    paths,
    perception,
    plain,
    programs,
    reading,
    science,
    tables,
    zoom,
)
from maestro.ensembles.playground.tasks.scene import Scene, SkillName
from maestro.ensembles.playground.tasks.style import Style


@dataclass(frozen=True)
class Family:
    """One kind of question.

    `plan` lists the level-1 skills it calls for in order; `withheld` families appear only in the split `test-families`;
    `weight` is the family's share in a split relative to the others.
    """

    name: str
    generate: Callable[[random.Random, Style], Scene]
    plan: tuple[SkillName, ...]
    withheld: bool = False

    @property
    def weight(self) -> int:
        """Two-step families come a little more often, so that they make up more than 30 % of every main split."""
        return 4 if len(self.plan) > 1 else 3

    def scene(self, rng: random.Random, style: Style) -> Scene:
        """Draw one scene, with the plan filled in."""
        return replace(self.generate(rng, style), plan=self.plan)


FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family("stated_value", plain.stated_value, ()),
        Family("plain_background", plain.plain_background, ()),
        Family("plain_bright", plain.plain_bright, ()),
        Family("text_line", reading.text_line, ("read",)),
        Family("text_field", reading.text_field, ("read",)),
        Family("text_table", tables.text_table, ("read",)),
        Family("arithmetic", programs.arithmetic, ("solve",)),
        Family("chart_bar", charts.chart_bar, ("chart",)),
        Family("chart_line", charts.chart_line, ("chart",), withheld=True),
        Family("chart_pie", charts.chart_pie, ("chart",)),
        Family("count_shapes", counting.count_shapes, ("count",)),
        Family("count_colour", counting.count_colour, ("count",)),
        Family("rings", counting.rings, ("count",), withheld=True),
        Family("colour_of", perception.colour_of, ("perceive",)),
        Family("relation", perception.relation, ("perceive",)),
        Family("circles_touch", diagrams.circles_touch, ("diagram",)),
        Family("grid", diagrams.grid, ("diagram",)),
        Family("circled_letter", diagrams.circled_letter, ("diagram",)),
        Family("crossings", paths.crossings, ("diagram",)),
        Family("routes", paths.routes, ("diagram",)),
        Family("gauge", science.gauge, ("science",)),
        Family("heading", embodied.heading, ("embodied",)),
        Family("trajectory", embodied.trajectory, ("embodied",)),
        Family("table_sum", tables.table_sum, ("read", "solve")),
        Family("receipt_change", reading.receipt_change, ("read", "solve"), withheld=True),
        Family("equation", programs.equation, ("read", "solve")),
        Family("program", programs.program, ("read", "run")),
        Family("chart_difference", charts.chart_difference, ("chart", "solve")),
        Family("zoom_text", zoom.zoom_text, ("locate", "read")),
        Family("zoom_number", zoom.zoom_number, ("locate", "read")),
        Family("zoom_count", zoom.zoom_count, ("locate", "count"), withheld=True),
        Family("triangle_angle", geometry.triangle_angle, ("geometry", "solve")),
        Family("right_triangle", geometry.right_triangle, ("geometry", "solve")),
        Family("perimeter", geometry.perimeter, ("geometry", "solve"), withheld=True),
        Family("circuit", science.circuit, ("science", "solve")),
    )
}
"""Every family by name."""
