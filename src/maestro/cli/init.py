"""`maestro init`: a small working registry, tasks for it and a run config, to edit."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import click

from maestro.cli.output import json_option, print_json
from maestro.errors import ConfigError
from maestro.registry.registry import REGISTRY_FILE, Registry, argument

_TEMPLATE = Path(__file__).parent / "template"
_TRAIN_FILE = "train.yaml"
_TASKS_FILE = "tasks.jsonl"
_PICTURE = "images/bus.png"


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@json_option
def command(folder: Path, as_json: bool) -> None:
    """Write a new registry, tasks and a run config to DIR, which must not exist or be empty."""
    _refuse(folder)
    shutil.copytree(_TEMPLATE, folder, dirs_exist_ok=True)
    _fill(folder / REGISTRY_FILE, "my-registry", _name(folder))
    place = folder.as_posix() if folder.is_absolute() else f"./{folder.as_posix()}"
    _fill(folder / _TRAIN_FILE, "REGISTRY_FOLDER", f'"{place}"')
    _fill(folder / _TRAIN_FILE, "TASKS_FILE", f'"{place}/{_TASKS_FILE}"')
    _draw(folder / _PICTURE)
    registry = Registry.load(folder)
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    if as_json:
        print_json({"folder": str(folder), "registry": registry.name, "files": files})
        return
    click.echo(f"wrote {folder}: " + ", ".join(files))
    where = argument(folder)
    click.echo(f"next:\n  maestro registry show {where}\n  edit {folder / REGISTRY_FILE}\n  maestro registry validate {where}")
    click.echo(f'  maestro ask "What does the sign say?" --image {where}/{_PICTURE} --registry {where}')
    click.echo(f"  maestro tasks show {where}/{_TASKS_FILE}\n  edit {folder / _TASKS_FILE}")
    click.echo(f"  maestro eval --registry {where} --tasks {where}/{_TASKS_FILE} --policy fixed:echo-expert@answer")
    click.echo(f"  maestro train {where}/{_TRAIN_FILE} --dry-run")


def _draw(path: Path) -> None:
    """A red bus with a number on it: a picture that the tasks can ask about."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", (320, 200), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((30, 40, 290, 150), fill="red", outline="black", width=2)
    for left in (45, 105, 165):
        draw.rectangle((left, 60, left + 45, 95), fill="lightblue", outline="black")
    for left in (70, 210):
        draw.ellipse((left, 130, left + 44, 174), fill="black")
    draw.rectangle((225, 55, 280, 100), fill="white", outline="black")
    draw.text((252, 77), "42", fill="black", font=ImageFont.load_default(32), anchor="mm")
    path.parent.mkdir()
    image.save(path)


def _refuse(folder: Path) -> None:
    """Raise ConfigError when something is there already; nothing is ever overwritten."""
    if folder.is_dir() and any(folder.iterdir()):
        some = ", ".join(sorted(path.name for path in folder.iterdir())[:5])
        raise ConfigError(f"the folder {folder} is not empty (it has {some}); name a new folder")
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is a file; name a new folder")


def _fill(path: Path, placeholder: str, value: str) -> None:
    path.write_text(path.read_text(encoding="utf-8").replace(placeholder, value), encoding="utf-8")


def _name(folder: Path) -> str:
    """A registry name from the folder's: lower case, hyphens for everything else."""
    return re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")[:64] or "my-registry"
