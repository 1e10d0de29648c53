"""How often level 1 finds the level-2 skill: keywords, retrieval and, where a model is served, expert.

    python recipes/dispatch_accuracy.py                                     # prints the table
    python recipes/dispatch_accuracy.py --write                             # puts it into docs/ensembles.md
    python recipes/dispatch_accuracy.py --expert qwen3-vl-8b-instruct       # also asks that expert of the registry, which must be served

Questions: paraphrases.yaml of maestro-extended, none with a keyword of the original's tables.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import yaml

from maestro.ensembles import maestro_extended
from maestro.errors import InfrastructureFault
from maestro.images import ImageStore
from maestro.registry.registry import Registry
from maestro.skills.dispatch import PooledRetrieval, Retrieval, by_expert, by_keywords
from maestro.skills.ensemble import Ensemble
from maestro.skills.performance import Performance
from maestro.types import Skill

FOLDER = Path(maestro_extended.__file__).parent
PAGE = Path(__file__).parent.parent / "docs" / "ensembles.md"
MARKS = ("<!-- dispatch: begin -->\n", "<!-- dispatch: end -->\n")
Chooses = Callable[[str], Awaitable[str]]


def questions(part: str) -> dict[str, list[str]]:
    """Questions by the id of the skill that should answer them."""
    listed = yaml.safe_load((FOLDER / "paraphrases.yaml").read_text(encoding="utf-8"))
    return {skill: parts[part] for skill, parts in listed.items()}


def routers(registry: Registry) -> list[Skill]:
    return [skill for skill in registry.level_one if skill.dispatch != "none"]


def dispatchers(ensemble: Ensemble, parent: Skill, expert: str | None) -> Iterator[tuple[str, Chooses]]:
    """Name and choice of every way to dispatch."""
    children = ensemble.registry.children(parent.id)
    fallback = next((child for child in children if child.id == parent.fallback), None)
    nearest, pooled = Retrieval(children), PooledRetrieval(children)

    async def keywords(text: str) -> str:
        return by_keywords(children, text, 1, fallback).id

    async def retrieval_nearest(text: str) -> str:
        return nearest.choose(text).id

    async def retrieval_pooled(text: str) -> str:
        return pooled.choose(text).id

    async def asked(text: str) -> str:
        caller = Performance(ensemble.pool, ensemble.images, deadline_seconds=300).caller(str(expert), parent)
        try:
            return (await by_expert(children, text, caller.ask)).id
        except InfrastructureFault as fault:
            if "dispatch:" in str(fault):  # it answered, and named no child: a wrong choice, not a lost measurement
                return ""
            raise

    yield "keywords", keywords
    yield "retrieval, nearest", retrieval_nearest
    yield "retrieval, pooled (default)", retrieval_pooled
    if expert:
        yield f"expert ({expert})", asked


async def measure(expert: str | None) -> list[str]:
    """The lines of the table."""
    async with Ensemble.load(FOLDER / "registry", ImageStore()) as ensemble:
        parents = routers(ensemble.registry)
        lines = [
            f"| dispatch | questions | {' | '.join(f'`{parent.id}`' for parent in parents)} | all |",
            "|---|---|" + "---|" * (len(parents) + 1),
        ]
        for part in ("dev", "held_out"):
            cells: dict[str, list[tuple[int, int]]] = {}
            for parent in parents:
                own = {child.id for child in ensemble.registry.children(parent.id)}
                pairs = [(text, skill) for skill, listed in questions(part).items() if skill in own for text in listed]
                for name, chooses in dispatchers(ensemble, parent, expert):
                    right = sum([await chooses(text) == skill for text, skill in pairs])
                    cells.setdefault(name, []).append((right, len(pairs)))
            for name, counts in cells.items():
                shares = [f"{right / asked:.2f}" for right, asked in counts]
                right, asked = (sum(column) for column in zip(*counts, strict=True))
                lines.append(f"| {name} | {part.replace('_', '-')}, {asked} | {' | '.join(shares)} | {right / asked:.3f} |")
    return lines


def write(lines: list[str]) -> None:
    text = PAGE.read_text(encoding="utf-8")
    begin, end = text.index(MARKS[0]) + len(MARKS[0]), text.index(MARKS[1])
    PAGE.write_text(text[:begin] + "\n" + "\n".join(lines) + "\n\n" + text[end:], encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the table into docs/ensembles.md")
    parser.add_argument("--expert", help="id of an expert of maestro-extended that is being served")
    options = parser.parse_args()
    lines = asyncio.run(measure(options.expert))
    print("\n".join(lines))
    if options.write:
        write(lines)


if __name__ == "__main__":
    main()
