"""Writes the pages of docs/reference/ (config, policies, cli) from the code: `python scripts/write_reference.py`.

`tests/test_docs.py` fails while a file says something else than the code.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from maestro.cli.main import cli
from maestro.policy.options import ChatOptions, LocalOptions, ServedOptions
from maestro.reward import RewardRule
from maestro.rollout.limits import Limits
from maestro.train.config.run import (
    AlarmConfig,
    CheckpointConfig,
    ComputeConfig,
    EnsembleConfig,
    ExpertIterationStage,
    GrpoStage,
    LoraConfig,
    OptimizerConfig,
    PolicyConfig,
    SpeechConfig,
    TasksConfig,
    TrainConfig,
    ValidationConfig,
    WarmStartStage,
)

FOLDER = Path(__file__).parent.parent / "docs" / "reference"
NOTE = "<!-- Written by scripts/write_reference.py. Change the code, then run it again. -->"
SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("The whole run", TrainConfig),
    ("policy", PolicyConfig),
    ("policy.speech", SpeechConfig),
    ("policy.lora", LoraConfig),
    ("compute", ComputeConfig),
    ("ensemble", EnsembleConfig),
    ("tasks", TasksConfig),
    ("limits", Limits),
    ("reward", RewardRule),
    ("stages: warm_start", WarmStartStage),
    ("stages: expert_iteration", ExpertIterationStage),
    ("stages: grpo", GrpoStage),
    ("optimizer (of any stage)", OptimizerConfig),
    ("alarms", AlarmConfig),
    ("validation", ValidationConfig),
    ("checkpoint", CheckpointConfig),
)
POLICIES: tuple[tuple[str, type[BaseModel]], ...] = (
    ("A checkpoint folder, or the id of a model in the local cache", LocalOptions),
    ("served:URL#MODEL", ServedOptions),
    ("chat:URL#MODEL", ChatOptions),
)
_BOUNDS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<=", "min_length": "at least"}


def config_reference() -> str:
    """Every setting of a training config, by section."""
    parts = [
        "# Settings of a training run",
        NOTE,
        "What each setting of `maestro train CONFIG` means, its type and its default. An unknown setting is an error.",
        "How they work together is in [training.md](../training.md).",
    ]
    for title, model in SECTIONS:
        parts += [f"## {title}", _first_sentence(model), _table(model)]
    return "\n\n".join(parts) + "\n"


def policies_reference() -> str:
    """Every option that may stand behind a policy's name, by kind of policy."""
    parts = [
        "# Options of policies",
        NOTE,
        "What may stand behind the name of a policy, as `NAME?option=value&option=value`. An unknown option is an error.",
        "Feature policies and baselines take none. What the policies are is in [policies.md](../policies.md).",
    ]
    for title, model in POLICIES:
        parts += [f"## {title}", _first_sentence(model), _table(model)]
    return "\n\n".join(parts) + "\n"


def cli_reference() -> str:
    """The help of every verb and its subcommands."""
    parts = ["# Command line", NOTE, "Exit codes: 0 success, 1 error, 2 wrong usage, 130 interrupted."]
    for path, text in _helps(cli, "maestro"):
        parts.append(f"## {path}\n\n```text\n{text}\n```")
    return "\n\n".join(parts) + "\n"


def write() -> None:
    """Write every page."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in references().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        click.echo(f"wrote {FOLDER / name}")


def references() -> dict[str, str]:
    """File name to what it shall hold."""
    return {"config.md": config_reference(), "policies.md": policies_reference(), "cli.md": cli_reference()}


def _table(model: type[BaseModel]) -> str:
    docs = _docstrings(model)
    lines = ["| setting | type | default | meaning |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        section = inspect.isclass(field.annotation) and issubclass(field.annotation, BaseModel)
        meaning = docs.get(name) or (_first_sentence(field.annotation) if section else "")
        cells = (f"`{name}`", _type(field), _default(field), meaning)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def _docstrings(model: type[BaseModel]) -> dict[str, str]:
    """The string below each field, on one line; inherited fields are described where they are declared."""
    found: dict[str, str] = {}
    for ancestor in reversed(model.mro()):
        if issubclass(ancestor, BaseModel) and ancestor is not BaseModel:
            found |= _own_docstrings(ancestor)
    return found


def _own_docstrings(model: type[BaseModel]) -> dict[str, str]:
    body = ast.parse(textwrap.dedent(inspect.getsource(model))).body[0]
    assert isinstance(body, ast.ClassDef)
    found: dict[str, str] = {}
    for statement, after in zip(body.body, body.body[1:], strict=False):
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) and isinstance(after.value.value, str):
            found[statement.target.id] = " ".join(after.value.value.split())
    return found


def _first_sentence(model: Any) -> str:
    return " ".join((inspect.getdoc(model) or "").split("\n\n")[0].split())


def _type(field: FieldInfo) -> str:
    rules = [(sign, getattr(rule, name, None)) for rule in field.metadata for name, sign in _BOUNDS.items()]
    bounds = [f"{sign} {bound:g}" for sign, bound in rules if bound is not None]
    return ", ".join([_type_name(field.annotation), *bounds])


def _type_name(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{value}`" for value in get_args(annotation))
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return "section"
    if get_origin(annotation) is tuple:
        return "list of stages" if "Stage" in str(annotation) else "list"
    if get_origin(annotation) is dict:
        return "mapping"
    if args := get_args(annotation):
        return " or ".join("null" if one is type(None) else _type_name(one) for one in args)
    name: str = annotation.__name__
    return {"str": "text", "Path": "path", "bool": "true or false"}.get(name, name)


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return "required"
    if isinstance(value, BaseModel):
        changed = value.model_dump(exclude_unset=True)
        return ", ".join(f"`{name}: {_plain(one)}`" for name, one in changed.items()) or "all defaults"
    if isinstance(value, tuple):
        return "`" + ", ".join(getattr(one, "kind", str(one)) for one in value) + "`"
    return f"`{_plain(value)}`"


def _plain(value: Any) -> str:
    """A value as YAML has it."""
    return {None: "null", True: "true", False: "false"}[value] if value is None or isinstance(value, bool) else str(value)


def _helps(command: click.Command, path: str, parent: click.Context | None = None) -> Iterator[tuple[str, str]]:
    # A width of its own: the terminal that writes the files must not show in them.
    settings = {**command.context_settings, "terminal_width": 100, "max_content_width": 100}
    context = click.Context(command, info_name=path.rpartition(" ")[2], parent=parent, **settings)
    yield path, re.sub(r"[ \t]+$", "", command.get_help(context), flags=re.MULTILINE).strip()
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _helps(inner, f"{path} {name}", context)


if __name__ == "__main__":
    write()
