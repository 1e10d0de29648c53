import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from maestro.cli.main import VERBS, Verbs, cli
from maestro.document import Problem
from maestro.errors import ConfigError, RegistryError
from maestro.registry.registry import InvalidRegistry


@click.command()
@click.option("--json", "as_json", is_flag=True)
@click.argument("how")
def fail(how: str, as_json: bool) -> int | None:
    match how:
        case "config":
            raise ConfigError("the config is wrong; do this")
        case "problems":
            raise InvalidRegistry(Path("folder"), [Problem("f.yaml", 3, "wrong")])
        case "usage":
            raise click.UsageError("used wrongly")
        case "interrupt":
            raise KeyboardInterrupt
        case "abort":
            raise click.Abort
        case "bug":
            raise ZeroDivisionError("a bug")
        case "disk":
            Path("/nowhere/at/all").read_text()
        case "full":
            raise OSError(28, "No space left on device")
        case "exit":
            click.get_current_context().exit(7)
        case "fine":
            click.echo("fine")
    return None


class Failing(Verbs):
    def list_commands(self, ctx):
        return ["fail"]

    def get_command(self, ctx, cmd_name):
        return fail if cmd_name == "fail" else None


@click.group(cls=Failing)
@click.option("--debug", is_flag=True)
def failing(debug: bool) -> None: ...


def run(*arguments: str):
    return CliRunner().invoke(failing, arguments)


@pytest.mark.parametrize(
    ("how", "code", "words"),
    [
        ("fine", 0, ""),
        ("exit", 7, ""),
        ("config", 1, "error: the config is wrong; do this\n"),
        ("problems", 1, "error: the registry in folder has 1 problem:\n  f.yaml:3: wrong\n"),
        ("usage", 2, "Error: used wrongly"),
        ("interrupt", 130, "interrupted"),
        ("abort", 1, "aborted"),
        ("full", 1, "error: No space left on device"),
        ("disk", 1, "error: /nowhere/at/all: No such file or directory\n"),
    ],
)
def test_every_ending_has_its_code_and_message(how, code, words):
    result = run("fail", how)
    assert result.exit_code == code
    assert words in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ("fine\n" if how == "fine" else "")


@pytest.mark.parametrize(
    ("how", "code", "error"),
    [
        ("config", 1, {"type": "ConfigError", "message": "the config is wrong; do this"}),
        ("usage", 2, {"type": "UsageError", "message": "used wrongly"}),
        ("disk", 1, {"type": "FileNotFoundError", "message": "/nowhere/at/all: No such file or directory"}),
    ],
)
def test_errors_as_json(how, code, error):
    result = run("fail", how, "--json")
    assert result.exit_code == code
    assert json.loads(result.stdout) == {"error": error}
    assert result.stderr == ""


def test_problems_as_json():
    error = json.loads(run("fail", "problems", "--json").stdout)["error"]
    assert error["type"] == "InvalidRegistry"
    assert error["problems"] == [{"path": "f.yaml", "line": 3, "message": "wrong"}]


def test_json_behind_two_hyphens_is_an_argument():
    result = run("fail", "config", "--", "--json")
    assert result.stdout == ""
    assert result.exit_code == 2


def test_debug_lets_the_traceback_through():
    assert isinstance(run("--debug", "fail", "config").exception, ConfigError)
    assert isinstance(run("fail", "config").exception, SystemExit)


def test_a_bug_is_not_dressed_up():
    assert isinstance(run("fail", "bug").exception, ZeroDivisionError)


def test_missing_argument_is_wrong_usage():
    result = run("fail")
    assert result.exit_code == 2
    assert "Missing argument 'HOW'" in result.stderr


def test_unknown_verb_names_the_nearest():
    result = CliRunner().invoke(cli, ["regsitry"])
    assert result.exit_code == 2
    assert "no verb 'regsitry'; did you mean registry?" in result.stderr
    result = CliRunner().invoke(cli, ["xyzzy"])
    assert "there is " in result.stderr
    assert "doctor" in result.stderr


def test_help_lists_the_verbs_that_exist():
    ctx = click.Context(cli)
    verbs = cli.list_commands(ctx)
    assert {"init", "registry", "doctor"} <= set(verbs) <= set(VERBS)
    result = CliRunner().invoke(cli, ["--help"])
    assert result.exit_code == 0
    for verb in verbs:
        assert f"  {verb} " in result.stdout
        assert VERBS[verb] in result.stdout


def test_every_verb_has_a_command_with_its_own_help():
    for verb in cli.list_commands(click.Context(cli)):
        result = CliRunner().invoke(cli, [verb, "--help"])
        assert result.exit_code == 0, (verb, result.output)
        assert f"Usage: cli {verb}" in result.stdout


def test_no_arguments_show_the_help():
    result = CliRunner().invoke(cli, [])
    assert result.exit_code == 2
    assert "Verbs:" in result.stderr


def test_version():
    result = CliRunner().invoke(cli, ["--version"])
    assert (result.exit_code, result.stdout.split()[0]) == (0, "maestro,")


def test_help_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from maestro.cli.main import cli\n"
        "try:\n    cli.main(['--help'])\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "print(sorted({'pydantic', 'rich', 'yaml', 'numpy', 'PIL', 'torch', 'orjson', 'asyncio'} & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_control_c_ends_a_process_with_130():
    code = (
        "import os, signal, click\n"
        "from maestro.cli.main import Verbs\n"
        "@click.group(cls=Verbs, invoke_without_command=True)\n"
        "def cli(): os.kill(os.getpid(), signal.SIGINT); import time; time.sleep(5)\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell starts its children deaf to it\n"
        "cli.main([])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (130, "interrupted")


def test_registry_errors_are_clear_from_the_program_itself():
    command = [sys.executable, "-m", "maestro.cli.main", "registry", "show", "nowhere"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: no registry 'nowhere'")
    assert issubclass(InvalidRegistry, RegistryError)
