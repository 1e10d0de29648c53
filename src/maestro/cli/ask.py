"""`maestro ask`: one question, each step as it happens."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import Any

import click

from maestro.cli.loading import run_async
from maestro.cli.output import Finite, console, json_option, print_json, printable
from maestro.facade import DEFAULT_POLICY, DEFAULT_REGISTRY, question_limits, question_task
from maestro.images import ImageStore
from maestro.money import dollars
from maestro.policy.baselines.route import NOTHING
from maestro.policy.features.guess import WORTH
from maestro.policy.loading import load_policy
from maestro.policy.protocol import close_policy
from maestro.rollout.episode import Watcher, run_episode
from maestro.rollout.limits import Limits
from maestro.rollout.support import supported
from maestro.skills.ensemble import Ensemble
from maestro.types import Answer, Call, Episode, Malformed, Observation, StopReason, Task, Turn

UNSUPPORTED = "no expert said this"
"""Behind an answer that is not what a call gave."""


@click.command()
@click.argument("words", metavar="QUESTION", nargs=-1, required=True)
@click.option("--image", "-i", "paths", multiple=True, metavar="PATH", type=click.Path(path_type=Path), help="A picture; may be repeated.")
@click.option("--registry", "-r", default=DEFAULT_REGISTRY, show_default=True, help="Registered name or folder.")
@click.option(
    "--policy", "-p", help=f"Name, checkpoint folder, random or fixed:ROUTE; by default the registry's own, else {DEFAULT_POLICY}."
)
@click.option("--budget", type=Finite(min=0), help="Dollars that calls may cost.")
@click.option("--cost-weight", type=Finite(min=0), help="What a dollar counts in score, for a policy that heeds it.")
@click.option("--turns", type=click.IntRange(min=1), default=5, show_default=True, help="Decisions, the answer included.")
@click.option("--seconds", type=Finite(min=0, min_open=True), default=120.0, show_default=True, help="Deadline.")
@json_option
def command(
    words: tuple[str, ...],
    paths: tuple[Path, ...],
    registry: str,
    policy: str | None,
    budget: float | None,
    cost_weight: float | None,
    turns: int,
    seconds: float,
    as_json: bool,
) -> int:
    """Answer QUESTION, showing each step: what the policy thinks, whom it calls, what comes back, and what it costs.

    An answer that no expert gave is marked as such, and has "supported": false with --json; one that the policy itself doubts is
    marked, too. Exit code 0 only when the policy answered.
    """
    question, *rest = words
    if rest:
        raise click.UsageError(_in_quotes(words))
    images = ImageStore()
    task = question_task(question, paths, images)  # what is wrong with it is told before a policy is loaded
    limits = question_limits(turns, budget, seconds)
    watch = None if as_json else Narration(task)
    with redirect_stdout(sys.stderr) if as_json else nullcontext():  # what somebody's skill prints is no part of the document
        episode = run_async(_ask(task, registry, policy, images, limits, cost_weight, watch))
    if as_json:
        print_json(episode)
    else:
        tell_end(episode)
        if episode.answer == NOTHING and not paths:
            console().print("  no picture was given; show one with --image PATH", style="dim")
    return 0 if episode.stop is StopReason.ANSWERED else 1


def _in_quotes(words: Sequence[str]) -> str:
    """How the words should have been given; the last ones may be pictures without their option."""
    said = list(words)
    while len(said) > 1 and Path(said[-1]).is_file():
        said.pop()
    pictures = "".join(f" --image {shlex.quote(path)}" for path in words[len(said) :])
    advice = "a picture goes behind --image" if pictures and len(said) == 1 else "put the question in quotes"
    return f'{advice}: maestro ask "{" ".join(said)}"{pictures}'


async def _ask(
    task: Task, registry: str, policy: str | None, images: ImageStore, limits: Limits, cost_weight: float | None, watch: Watcher | None
) -> Episode:
    async with Ensemble.load(registry, images) as ensemble:
        deciding = load_policy(policy or ensemble.registry.policy or DEFAULT_POLICY, ensemble.menu, images)
        try:
            return await run_episode(task, deciding, ensemble, limits, cost_weight=cost_weight, watch=watch)
        finally:
            await close_policy(deciding)


class Narration:
    """Prints each turn of one episode: thought, call and what came back, or the answer, marked where no expert gave it."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.turns: list[Turn] = []

    def __call__(self, turn: Turn) -> None:
        """Print a turn (this is a `maestro.rollout.episode.Watcher`)."""
        from rich.text import Text

        thought = printable(_between(turn.decision.text, "<think>", "</think>"))
        if thought:
            console().print(Text(f"  thinks   {thought}", style="italic dim"))
        self._action(turn)
        if turn.observation is not None:
            _observed(turn.observation)
        self.turns.append(turn)

    def _action(self, turn: Turn) -> None:
        from rich.padding import Padding
        from rich.text import Text

        match turn.action:
            case Call(expert=expert, skill=skill, query=query):
                parts: list[Any] = ["  calls    ", (expert, "bold cyan"), " to ", (skill, "bold cyan")]
                console().print(Text.assemble(*parts, (f"  {printable(query)}" if query else "", "yellow")))
            case Answer(text=text):
                mark = _mark(turn.decision.value) if supported(text, self.turns, self.task.choices) else f"   {UNSUPPORTED}"
                console().print(Text.assemble("  answers  ", (printable(text), "yellow" if mark else "bold green"), (mark, "yellow")))
            case Malformed(reason=reason):
                console().print(Text(f"  no action: {reason}", style="red"))
                console().print(Padding(Text(printable(turn.decision.text), style="dim"), (0, 0, 0, 11), expand=False))


def _mark(value: float | None) -> str:
    """Behind an answer that an expert gave: whether the policy itself thinks it as little worth as a word that is not said."""
    return "" if value is None or value >= WORTH else f"   doubtful: the policy values it at {value:.2f}"


def _observed(observation: Observation) -> None:
    from rich.padding import Padding
    from rich.text import Text

    style = "" if observation.status == "ok" else "red"
    console().print(Padding(Text(printable(observation.text), style=style), (0, 0, 0, 11), expand=False))
    console().print(Text(f"           {dollars(observation.cost_usd)}  {observation.latency_seconds:.2f} s", style="dim"))


def tell_end(episode: Episode) -> None:
    """Print what the whole episode cost, and why it ended when not by an answer."""
    from rich.text import Text

    calls = f"{len(episode.calls)} call{'' if len(episode.calls) == 1 else 's'}"
    console().print(Text(f"  {calls}, {dollars(episode.cost_usd)}, {episode.latency_seconds:.2f} s", style="dim"))
    if episode.stop is not StopReason.ANSWERED:
        why = f": {printable(episode.error.split(': ', 2)[-1])}" if episode.error else ""  # behind the stage and the type, which --json has
        told = f"no answer ({episode.stop.value.replace('_', ' ')}{why}){_more_turns(episode)}"
        console(stderr=True).print(Text(told, style="red"))


def _more_turns(episode: Episode) -> str:
    """What to do where only the turn that answers is missing."""
    found = [turn.observation.value for turn in episode.turns if turn.observation is not None and turn.observation.value is not None]
    if episode.stop is not StopReason.TURN_LIMIT or not found:
        return ""
    return f"; the last call gave {printable(found[-1])!r}, and answering takes a turn too: give more with --turns {len(episode.turns) + 1}"


def _between(text: str, opening: str, closing: str) -> str:
    _, found, rest = text.partition(opening)
    return rest.partition(closing)[0].strip() if found else ""
