"""How plans, starts, states and stops of services are shown."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from typing import Any, Self

import click

from maestro.cli.output import console, print_table
from maestro.experts.fleet.bring_up import Outcome
from maestro.experts.fleet.commands import Launch
from maestro.experts.fleet.downloads import downloads_of, free_gib, hub_cache
from maestro.experts.fleet.placement import Placed
from maestro.experts.fleet.plan import Plan
from maestro.experts.fleet.processes import Stopped
from maestro.experts.fleet.status import ServiceStatus

_STYLES = {
    "up": "green",
    "already up": "green",
    "asleep": "cyan",
    "waiting": "yellow",
    "starting": "yellow",
    "failed": "red",
    "dead": "red",
    "not answering": "red",
    "wrong name": "red",
    "not started": "dim",
}


def show_plan(plan: Plan, notes: Sequence[str], running: Sequence[str], *, commands: bool) -> None:
    """Where everything goes and what it takes; with `commands` also what is started."""
    for note in notes:
        click.echo(f"note: {note}")
    columns = ("service", "model", "port", "where", "weights", "KV cache", "overhead", "on each GPU", "share")
    rows = [_service_row(placed) for placed in plan.placement.placed]
    print_table("Services (GiB; computed sizes are estimates)", columns, rows, right=columns[4:])
    if plan.placement.gpus:
        right = ("GiB", "usable", "planned")
        gpu_rows = [
            (
                gpu.index,
                gpu.name,
                f"{gpu.total_gib:.1f}",
                f"{gpu.usable_gib:.1f}",
                f"{plan.placement.used_gib(gpu.index):.1f}",
                _on(plan, gpu.index),
            )
            for gpu in plan.placement.gpus
        ]
        print_table("GPUs", ("GPU", "name", *right, "services (in brackets: in turns)"), gpu_rows, right=right)
    for line in _totals(plan):
        click.echo(line)
    for other in plan.wanted.elsewhere:
        click.echo(f"not started here: {other.expert} at {other.endpoint} ({other.reason})")
    if running:
        click.echo(f"running already: {', '.join(running)}")
    if plan.placement.unplaced:
        click.echo("\ndoes not fit:")
        for one in plan.placement.unplaced:
            click.echo(f"  {one.service.name}: {one.reason}")
        click.echo("what would:")
        for line in plan.advice:
            click.echo(f"  {line}")
    if commands:
        click.echo("\ncommands:")
        for launch in plan.launches:
            click.echo(f"  {_command_text(launch)}")


def plan_content(plan: Plan) -> dict[str, Any]:
    """The plan for machines."""
    downloads = downloads_of(service for service in plan.wanted.services)
    return {
        "fits": plan.fits,
        "gpus": [{"index": gpu.index, "name": gpu.name, "total_gib": gpu.total_gib, "usable_gib": gpu.usable_gib,
                  "planned_gib": plan.placement.used_gib(gpu.index)} for gpu in plan.placement.gpus],
        "services": [_content(placed) for placed in plan.placement.placed],
        "unplaced": [{"service": one.service.name, "reason": one.reason} for one in plan.placement.unplaced],
        "advice": plan.advice,
        "elsewhere": plan.wanted.elsewhere,
        "gpu_gib": plan.gpu_gib,
        "host_gib": plan.host_gib,
        "download_gib": sum(one.gib for one in downloads),
        "missing_download_gib": sum(one.missing_gib for one in downloads),
        "commands": [{"name": launch.name, "command": launch.command, "environment": launch.environment} for launch in plan.launches],
    }  # fmt: skip


def show_outcomes(outcomes: Sequence[Outcome], registry: str) -> None:
    """How the start went, and what to do next."""
    from rich.text import Text

    rows = [
        (Text(one.state, style=_STYLES.get(one.state, "")), one.name, f"{one.seconds:.1f}", ", ".join(one.served) or one.detail)
        for one in outcomes
    ]
    print_table("", ("", "service", "seconds", "serves"), rows, right=("seconds",))
    click.echo(
        f"look: maestro experts status {registry}    try: maestro registry probe {registry}    stop: maestro experts down {registry}"
    )


def show_statuses(rows: Sequence[tuple[str, ServiceStatus]]) -> None:
    """One line a service; troubles below, with the log."""
    from rich.text import Text

    columns = ("", "fleet", "service", "pid", "endpoint", "serves", "memory", "GPU memory", "up for")
    table = [
        (
            Text(row.state, style=_STYLES.get(row.state, "")),
            fleet,
            row.name,
            row.pid or "-",
            row.endpoint,
            ", ".join(row.served) or "-",
            f"{row.memory_gib:.2f} GiB" if row.pid else "-",
            "-" if row.gpu_memory_gib is None else f"{row.gpu_memory_gib:.1f} GiB",
            _duration(row.uptime_seconds) if row.pid else "-",
        )
        for fleet, row in rows
    ]
    print_table("", columns, table, right=("pid", "memory", "GPU memory", "up for"))
    for _, row in rows:
        if row.detail and not row.well:
            click.echo(f"{row.name}: {row.detail}" + (f"\n  log: {row.log}" if row.log else ""))


def show_stopped(results: Sequence[tuple[str, Stopped]]) -> None:
    """What was stopped, and whether anything is left."""
    if not results:
        click.echo("nothing was running")
    for fleet, stopped in results:
        if stopped.left:
            pids = ", ".join(map(str, stopped.left))
            text = f"NOT stopped: process {pids} is left (it does not die, or nothing proves it is ours); see it with ps"
        elif not stopped.signalled:
            text = "was gone already"
        else:
            many = f"{stopped.signalled} process{'' if stopped.signalled == 1 else 'es'}"
            text = f"stopped ({many}{f', {stopped.killed} had to be killed' if stopped.killed else ''}); nothing is left"
        click.echo(f"{fleet}: {stopped.name} {text}")


class StartDisplay:
    """A line a service while they start: a live table on a terminal, a printed line for each change elsewhere (stderr)."""

    def __init__(self, names: Sequence[str]) -> None:
        self._began = time.monotonic()
        self._rows = dict.fromkeys(names, ("to come", ""))
        self._live: Any = None

    def __enter__(self) -> Self:
        out = console(stderr=True)
        if out.is_terminal:
            from rich.live import Live

            self._live = Live(get_renderable=self._table, console=out, refresh_per_second=2, transient=True)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def tell(self, name: str, state: str, detail: str) -> None:
        """Take note of a change."""
        before = self._rows.get(name, ("", ""))
        self._rows[name] = (state, detail)
        if self._live is None and (state != before[0]):
            click.echo(f"  {time.monotonic() - self._began:6.1f} s  {name}: {state}{f' ({detail})' if detail else ''}", err=True)

    def _table(self) -> Any:
        from rich.table import Table
        from rich.text import Text

        grid = Table.grid(padding=(0, 2))
        for name, (state, detail) in self._rows.items():
            grid.add_row(Text(name), Text(state, style=_STYLES.get(state, "dim")), Text(detail[:100], style="dim"))
        grid.add_row(Text(f"{time.monotonic() - self._began:.0f} s", style="bold"))
        return grid


def _service_row(placed: Placed) -> tuple[str, ...]:
    service, need = placed.service, placed.service.need
    model = service.serve.model or f"{service.serve.command[0]} ..."
    sizes = tuple(f"{size:.1f}" if size else "-" for size in (need.weights_gib, need.kv_cache_gib, need.overhead_gib, need.gpu_gib))
    share = f"{placed.utilization:.3f}" if placed.utilization is not None else "-"
    return (service.name, model, str(service.port), _where(placed), *sizes, share)


def _where(placed: Placed) -> str:
    if not placed.gpus:
        return "CPU"
    return f"GPU {'+'.join(map(str, placed.gpus))}{', in turns' if placed.takes_turns else ''}"


def _on(plan: Plan, gpu: int) -> str:
    awake = [placed.service.name for placed in plan.placement.on(gpu) if not placed.takes_turns]
    turns = [placed.service.name for placed in plan.placement.turns(gpu)]
    return ", ".join([*awake, *([f"[{' | '.join(turns)}]"] if turns else [])]) or "-"


def _totals(plan: Plan) -> list[str]:
    downloads = downloads_of(plan.wanted.services)
    whole, missing = sum(one.gib for one in downloads), sum(one.missing_gib for one in downloads)
    cache = hub_cache()
    free = free_gib(cache)
    room = f"{free:.1f} GiB free at {cache}{', which is NOT ENOUGH' if missing > free else ''}"
    lines = [
        f"download: {missing:.1f} GiB to come of {whole:.1f} GiB ({len(downloads)} models); {room}",
        f"memory:   {plan.gpu_gib:.1f} GiB of GPUs awake; {plan.host_gib:.1f} GiB of main memory (CPU services, weights asleep)",
    ]
    if plan.gates:
        lines.append("turns:    services in brackets sleep until a request wakes them; a change moves weights between main memory and GPU")
    return lines


def _content(placed: Placed) -> dict[str, Any]:
    service = placed.service
    return {
        "name": service.name,
        "expert": service.card.id,
        "model": service.serve.model,
        "target": service.target,
        "host": service.host,
        "port": service.port,
        "gpus": placed.gpus,
        "utilization": placed.utilization,
        "takes_turns": placed.takes_turns,
        "need": service.need,
    }


def _command_text(launch: Launch) -> str:
    own = {name: value for name, value in launch.environment.items() if name != "PYTHONUNBUFFERED"}
    variables = [f"{name}={shlex.quote(value)}" for name, value in own.items()]
    variables += [f"{name}=${source}" for name, source in launch.secrets.items()]
    return " ".join([*variables, shlex.join(launch.command)])


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
