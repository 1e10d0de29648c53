"""`maestro score --judge`: the judge of a registry, its cache, and how far it agrees with the rules."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from maestro.cli.loading import run_async
from maestro.errors import ConfigError, RegistryError, not_found
from maestro.registry.registry import Registry

if TYPE_CHECKING:
    from maestro.scoring.judge import JudgedLines, JudgeTally
    from maestro.scoring.lines import ScoredLine
    from maestro.types import Expert


def judged(lines: Iterable[ScoredLine], expert: str, registry: str, cache: Path | None) -> tuple[JudgedLines, JudgeTally]:
    """Every line with the judge's verdict where its rubric wants one.

    The judge is asked as it is pinned, never its fallback. Raises RegistryError for an expert that is not there and ConfigError for one
    that cannot judge, before any line is scored.
    """
    experts = Registry.load(registry).experts
    if expert not in experts:
        raise RegistryError(not_found("expert", expert, experts, f"See them with: maestro registry show {registry}"))
    return run_async(_judged(lines, experts[expert].model_copy(update={"fallback": None}), cache or _default_cache()))


async def _judged(lines: Iterable[ScoredLine], card: Expert, cache: Path) -> tuple[JudgedLines, JudgeTally]:
    from maestro.experts.pool import ExpertPool
    from maestro.images import ImageStore
    from maestro.scoring.judge import LLMJudge, VerdictCache, judge_lines

    async with ExpertPool({card.id: card}, None, ImageStore()) as pool:
        judge = LLMJudge(card, pool, VerdictCache(cache))
        return await judge_lines(lines, judge), judge.tally


def report(found: JudgedLines, tally: JudgeTally) -> dict[str, Any]:
    """What a judge did, for machines: counts, and by benchmark the agreement with the rule."""
    return {
        "decided": tally.decided,
        "cached": tally.cached,
        "unasked": tally.unasked,
        "failures": dict(tally.failures),
        "agreement": {
            name: {**asdict(one), "rate": one.rate, "kappa": one.kappa, "decided": one.decided} for name, one in found.agreements().items()
        },
    }


def tell(found: JudgedLines, tally: JudgeTally) -> None:
    """The same for people, on stderr, as stdout may hold the lines; every line on which the judge failed is named."""
    for line in found.failed:
        click.echo(f"error: line {line.number}: the judge failed: {line.failure}", err=True)
    failures = ", ".join(f"{count} by {kind}" for kind, count in sorted(tally.failures.items()))
    click.echo(
        f"judge: {tally.decided} verdicts ({tally.cached} cached), {tally.unasked} empty answers, "
        f"{sum(tally.failures.values())} failures{f' ({failures})' if failures else ''}",
        err=True,
    )
    for name, one in found.agreements().items():
        click.echo(
            f"judge and rule on {name}: {one.both_right} both right, {one.both_wrong} both wrong, {one.only_rule} only the rule, "
            f"{one.only_judge} only the judge; agreement {_rounded(one.rate)}, Cohen's kappa {_rounded(one.kappa)}",
            err=True,
        )


def _rounded(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


def _default_cache() -> Path:
    """The user's own file of verdicts: a key says all that a verdict depends on, so that every run may share it."""
    if cache := os.environ.get("XDG_CACHE_HOME"):
        return Path(cache) / "maestro" / "verdicts.jsonl"
    try:
        return Path.home() / ".cache" / "maestro" / "verdicts.jsonl"
    except RuntimeError as error:
        raise ConfigError("there is no home folder to keep verdicts in; name a file with --cache.") from error
