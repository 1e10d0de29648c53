"""`maestro registry`: look at, check and try a registry."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import click

from maestro.cli.loading import run_async
from maestro.cli.output import console, json_option, print_json, print_table, progress, warn
from maestro.document import Problem, read_document
from maestro.errors import ConfigError, MaestroError, RegistryError, not_found
from maestro.experts.scripted import scripted_from_card
from maestro.policy.loading import check_policy
from maestro.registry.plugins import registered
from maestro.registry.registry import REGISTRY_FILE, InvalidRegistry, Registry, shown_path
from maestro.registry.render import price_text, render
from maestro.registry.targets import check_targets
from maestro.types import Expert, Skill

_DEFAULT = "playground"


@click.group()
def command() -> None:
    """Look at, check and try a registry: R is a registered name or a folder with registry.yaml."""


@command.command("list")
@json_option
def list_registries(as_json: bool) -> None:
    """List the registered registries."""
    rows = [_overview(name) for name in sorted(registered().registries)]
    broken = [str(plugin) for plugin in registered().broken]
    if as_json:
        print_json({"registries": rows, "broken_plugins": broken})
        return
    columns = ("name", "experts", "skills", "level 2", "summary")
    table = [
        (row["name"], *(row.get(key, "-") for key in columns[1:4]), row.get("summary", f"unusable: {row.get('error')}")) for row in rows
    ]
    print_table("", columns, table, right=columns[1:4])
    for message in broken:
        warn(message)


@command.command()
@click.argument("registry", metavar="[R]", default=_DEFAULT)
@click.argument("card", metavar="[ID]", required=False)
@json_option
def show(registry: str, card: str | None, as_json: bool) -> None:
    """Show the experts and skills of a registry, or the one card with ID in full."""
    loaded = Registry.load(registry)
    if card is not None:
        _show_card(_find(loaded, card), as_json=as_json)
    elif as_json:
        print_json(_content(loaded))
    else:
        _show_registry(loaded)


@command.command()
@click.argument("registry", metavar="[R]", default=_DEFAULT)
@json_option
def validate(registry: str, as_json: bool) -> None:
    """Check every file of a registry; exit code 1 when something is wrong, with file and line."""
    loaded = Registry.load(registry)
    problems = [*check_targets(loaded), *_check_scripts(loaded), *_check_policy(loaded)]
    if problems:
        raise InvalidRegistry(loaded.folder, problems)
    warnings = _warnings(loaded)
    if as_json:
        print_json({"valid": True, **_counts(loaded), "digest": loaded.digest, "warnings": warnings})
        return
    for message in warnings:
        warn(message)
    counts = _counts(loaded)
    experts = "1 expert" if counts["experts"] == 1 else f"{counts['experts']} experts"
    skills = f"{counts['skills']} skill{'' if counts['skills'] == 1 else 's'} of level 1 and {counts['level 2']} of level 2"
    click.echo(f"{loaded.name} is valid: {experts}, {skills}, digest {loaded.digest[:12]}")


@command.command("render")
@click.argument("registry", metavar="[R]", default=_DEFAULT)
@click.option("--detail", type=click.Choice(["full", "compact", "brief"]), default="full", show_default=True, help="How much to write.")
@json_option
def render_menu(registry: str, detail: Literal["full", "compact", "brief"], as_json: bool) -> None:
    """Write the menu as a policy reads it."""
    loaded = Registry.load(registry)
    text = render(loaded.menu(), detail)
    behind = {skill.id: [child.id for child in loaded.children(skill.id)] for skill in loaded.level_one if loaded.children(skill.id)}
    if as_json:
        print_json({"registry": loaded.name, "detail": detail, "text": text, "characters": len(text), "behind": behind})
        return
    click.echo(text)
    for skill, children in behind.items():
        click.echo(f"(no policy reads level 2: {skill} passes on to {', '.join(children)})", err=True)


@command.command()
@click.argument("registry", metavar="[R]", default=_DEFAULT)
@click.option("--expert", "-e", "experts", multiple=True, metavar="ID", help="Only this expert; may be repeated.")
@click.option("--skill", "-s", "skills", multiple=True, metavar="ID", help="Only this skill, of either level; may be repeated.")
@click.option("--all", "every_pair", is_flag=True, help="Every allowed pair, not each expert and skill once.")
@click.option("--image", "-i", type=click.Path(path_type=Path, dir_okay=False), help="Ask about this picture instead of the built-in one.")
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), default=120.0, show_default=True, help="Deadline of each call.")
@json_option
def probe(
    registry: str, experts: tuple[str, ...], skills: tuple[str, ...], every_pair: bool, image: Path | None, seconds: float, as_json: bool
) -> int:
    """Call every expert and every skill once and show what came back, how long it took and what it cost.

    Exit code 1 when a call failed, with the reason and what to do. A skill may refuse a picture it is not made for; that is no failure.
    """
    from maestro.cli.probe import probe_content, run_probe, show_probe, trials

    loaded = Registry.load(registry)
    chosen = trials(loaded, experts, skills, every_pair=every_pair)
    with progress(f"probing {loaded.name}", len(chosen)) as done:
        found = run_async(run_probe(loaded, registry, chosen, image, seconds, done))
    if as_json:
        print_json(probe_content(found))
    else:
        show_probe(found)
    return 1 if found.failed else 0


def _overview(name: str) -> dict[str, Any]:
    """A registered registry in one row; one that cannot be loaded says why instead of hiding the rest."""
    row: dict[str, Any] = {"name": name, "folder": str(registered().registries[name])}
    try:
        loaded = Registry.load(name)
    except RegistryError as error:
        return row | {"error": str(error)}
    return row | {"summary": loaded.summary, **_counts(loaded), "digest": loaded.digest}


def _counts(registry: Registry) -> dict[str, Any]:
    level_two = sum(skill.level == 2 for skill in registry.skills.values())
    return {"experts": len(registry.experts), "skills": len(registry.level_one), "level 2": level_two}


def _content(registry: Registry) -> dict[str, Any]:
    return {
        "name": registry.name,
        "summary": registry.summary,
        "folder": str(registry.folder),
        "digest": registry.digest,
        "dialect": registry.settings.dialect,
        "observation": registry.settings.observation,
        "experts": list(registry.experts.values()),
        "skills": list(registry.skills.values()),
    }


def _show_registry(registry: Registry) -> None:
    click.echo(f"{registry.name}: {registry.summary}".rstrip(": "))
    dialect = registry.settings.dialect or "as the policy has it"
    click.echo(f"folder {registry.folder}\ndialect {dialect}, digest {registry.digest[:12]}\n")
    rows = [(expert.id, expert.kind, price_text(expert.price), expert.summary) for expert in registry.experts.values()]
    print_table("Experts", ("id", "kind", "price", "summary"), rows)
    table: list[tuple[str, ...]] = []
    for skill in registry.skills.values():
        parent = registry.skills.get(skill.parent or "")
        same = parent is not None and parent.experts == skill.experts
        indent = "" if parent is None else "  "
        table.append((indent + skill.id, skill.gives, "as above" if same else ", ".join(skill.experts), skill.summary))
    print_table("Skills", ("id", "gives", "experts", "summary"), table)


def _find(registry: Registry, card: str) -> Expert | Skill:
    """The expert or skill with this id; when there is none the message names the skills and experts."""
    if card in registry.experts:
        return registry.experts[card]
    if card in registry.skills:
        return registry.skills[card]
    existing = [*registry.experts, *registry.skills]
    raise RegistryError(f"registry {registry.name}: " + not_found("expert or skill", card, existing))


def _show_card(card: Expert | Skill, *, as_json: bool) -> None:
    if as_json:
        print_json(card)
        return
    import yaml

    fields = card.model_dump(mode="json", exclude={"body"}, exclude_defaults=True)
    click.echo(yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=100).rstrip())
    if isinstance(card, Skill) and card.body:
        console().rule(style="dim")
        click.echo(card.body)


def _check_scripts(registry: Registry) -> Iterator[Problem]:
    """Problems of the replies that scripted experts are given."""
    path = registry.folder / REGISTRY_FILE
    document = read_document(path, shown_path(path))
    for index, expert in enumerate(registry.settings.experts):
        if expert.kind == "scripted":
            try:
                scripted_from_card(expert)
            except ConfigError as error:
                yield document.problem(("experts", index, "options"), str(error))


def _check_policy(registry: Registry) -> Iterator[Problem]:
    """The problem of a policy that the registry names for itself and that does not exist."""
    path = registry.folder / REGISTRY_FILE
    try:
        if registry.policy is not None:
            check_policy(registry.policy, registry.menu())
    except MaestroError as error:
        yield read_document(path, shown_path(path)).problem(("policy",), f"policy: {error}")


def _warnings(registry: Registry) -> list[str]:
    """What is allowed, but probably not meant."""
    used = {expert for skill in registry.level_one for expert in skill.experts}
    used |= {helper for skill in registry.skills.values() for helper in skill.helpers.values() if helper}
    idle = [
        f"expert {expert} is allowed by no skill and helps none, so it can never be called"
        for expert in registry.experts
        if expert not in used
    ]
    keys = [
        f"expert {expert.id}: the environment variable {expert.api_key_env} is not set"
        for expert in registry.experts.values()
        if expert.api_key_env and not os.environ.get(expert.api_key_env)
    ]
    return idle + keys
