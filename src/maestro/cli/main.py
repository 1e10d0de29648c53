"""The command line: verbs that are imported only when they run, and errors that people and machines can read.

A verb is a module `maestro.cli.<verb>` with a click command named `command`. `maestro --help` imports none of them, and
neither pydantic nor rich.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from maestro.errors import MaestroError

VERBS = {
    "ask": "Answer one question, step by step.",
    "demo": "The main job on the embedded default, end to end.",
    "init": "Write a new registry, tasks and run config to edit.",
    "registry": "Look at, check and try a registry.",
    "experts": "Start, check and stop local model services.",
    "tasks": "List, build and show task sources.",
    "record": "Fill a call store with every allowed call.",
    "headroom": "Measure what there is to learn in a recorded pool.",
    "train": "Warm start and train a policy.",
    "eval": "Run a policy over tasks, score and report.",
    "compare": "Test the difference between runs, paired.",
    "score": "Score lines of predictions.",
    "serve": "Serve an OpenAI-compatible endpoint.",
    "trace": "Look at episodes.",
    "doctor": "What is installed, what is missing, and what that disables.",
    "bench": "Measure the project's own speed, side by side.",
}
"""Every verb in the order of the help, with its one line; those without a module are not offered."""

_EXIT_ERROR, _EXIT_USAGE, _EXIT_INTERRUPTED = 1, 2, 130


class Verbs(click.Group):
    """A group whose commands are imported when they run, and whose errors end as one clear message."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs this installation has, in the order of the table."""
        del ctx
        return [verb for verb in VERBS if _module_file(verb).exists()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command behind a verb, imported now."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command = importlib.import_module(f"maestro.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        command.name = cmd_name
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest verb in the message of an unknown one."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in self.list_commands(ctx):
            ctx.fail(_unknown_verb(name, self.list_commands(ctx)))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of verbs without importing any."""
        rows = [(verb, VERBS[verb]) for verb in self.list_commands(ctx)]
        if rows:
            with formatter.section("Verbs"):
                formatter.write_dl(rows)

    def main(self, args: Sequence[str] | None = None, *positional: Any, **options: Any) -> NoReturn:
        """Run and exit: 0 success, 1 error, 2 wrong usage, 130 interrupted."""
        given = list(sys.argv[1:] if args is None else args)
        options["standalone_mode"] = False
        before_rest = given[: given.index("--")] if "--" in given else given
        as_json = "--json" in before_rest
        try:
            result = super().main(given, *positional, **options)
        except click.exceptions.NoArgsIsHelpError as shown:
            shown.show()
            sys.exit(_EXIT_USAGE)
        except click.UsageError as error:
            if isinstance(error, click.NoSuchOption) and error.option_name == "--debug":
                error = click.UsageError("--debug goes before the verb: maestro --debug VERB ...", error.ctx)
            sys.exit(_report(error, error.format_message(), as_json, _EXIT_USAGE))
        except click.ClickException as error:
            sys.exit(_report(error, error.format_message(), as_json, _EXIT_ERROR))
        except MaestroError as error:
            if "--debug" in before_rest:
                raise
            sys.exit(_report(error, str(error), as_json, _EXIT_ERROR))
        except OSError as error:  # a folder one may not write to, a full disk: the user's to mend, like a MaestroError
            if "--debug" in before_rest or isinstance(error, BrokenPipeError):
                raise
            sys.exit(_report(error, _system_message(error), as_json, _EXIT_ERROR))
        except click.Abort as abort:
            interrupted = isinstance(abort.__cause__ or abort.__context__, KeyboardInterrupt)
            click.echo("interrupted" if interrupted else "aborted", err=True)
            sys.exit(_EXIT_INTERRUPTED if interrupted else _EXIT_ERROR)
        sys.exit(result if isinstance(result, int) and not isinstance(result, bool) else 0)


def _report(error: Exception, message: str, as_json: bool, code: int) -> int:
    """Say what went wrong, once, and return the exit code."""
    if as_json:
        import json

        content: dict[str, Any] = {"type": type(error).__name__, "message": message}
        problems = getattr(error, "problems", None)
        if problems is not None:
            content["problems"] = [{"path": one.path, "line": one.line, "message": one.message} for one in problems]
        click.echo(json.dumps({"error": content}, ensure_ascii=False))
    elif isinstance(error, click.UsageError):
        error.show()
    else:
        click.echo(f"error: {message}", err=True)
    return code


def _system_message(error: OSError) -> str:
    """What the system said, with the file when it named one; copying a folder reports a list of (from, to, reason)."""
    if error.args and isinstance(error.args[0], list) and error.args[0]:
        source, target, reason = error.args[0][0]
        return f"cannot copy {source} to {target}: {reason}"
    said = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {said}" if error.filename is not None else f"{said} (writing or reading a file; --debug shows where)"


def _module_file(verb: str) -> Path:
    return Path(__file__).parent / f"{verb}.py"


def _unknown_verb(name: str, verbs: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, verbs, n=2, cutoff=0.5)
    return f"no verb {name!r}; " + (f"did you mean {' or '.join(near)}?" if near else f"there is {', '.join(verbs)}")


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(package_name="maestro-orchestrator", prog_name="maestro")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """Ask, train and evaluate an orchestrator over frozen expert models."""
    del debug  # read from the arguments where errors are reported


def main() -> NoReturn:
    """The `maestro` program."""
    cli.main()


if __name__ == "__main__":
    main()
