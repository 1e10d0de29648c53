"""`maestro doctor`: what is installed, what is missing, what each missing thing disables."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from maestro.cli.checks import Check, all_checks
from maestro.cli.output import json_option, print_table

_STYLES = {"ok": "green", "missing": "red", "wrong": "yellow", "note": "dim"}


@click.command()
@json_option
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Say what is installed, what is missing and what that disables. Exit code 1 only when nothing can work."""
    checks = list(all_checks())
    broken = [check for check in checks if check.core and check.status != "ok"]
    if as_json:
        # The standard library's writer: this verb has to work where orjson is what is missing.
        click.echo(json.dumps({"ok": not broken, "checks": [asdict(check) for check in checks]}, indent=2))
    else:
        _print_plain(checks) if broken else _print(checks)
        click.echo(verdict(checks, broken))
    ctx.exit(1 if broken else 0)


def _print(checks: list[Check]) -> None:
    from rich.text import Text

    rows = [(Text(check.status, style=_STYLES[check.status]), check.name, check.found, check.disables) for check in checks]
    print_table("", ("", "what", "found", "without it, no"), rows)


def _print_plain(checks: list[Check]) -> None:
    """Without rich, which may be what is missing."""
    for check in checks:
        click.echo(f"{check.status:<8}{check.name}: {check.found}")


def verdict(checks: list[Check], broken: list[Check]) -> str:
    """The closing words: what to do about everything that is missing or wrong."""
    lacking = [check for check in checks if check.status in {"missing", "wrong"}]
    if not lacking:
        return "Everything is there."
    lines = ["The core is broken:" if broken else "The core works. To get the rest:"]
    lines += [f"  {check.name}: {check.remedy}" for check in lacking if check.remedy]
    return "\n".join(lines)
