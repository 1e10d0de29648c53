"""`maestro init`: a small working registry and a run config, to edit."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import click

from maestro.cli.output import json_option, print_json
from maestro.errors import ConfigError
from maestro.registry.registry import REGISTRY_FILE, Registry

_TEMPLATE = Path(__file__).parent / "template"
_TRAIN_FILE = "train.yaml"


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@json_option
def command(folder: Path, as_json: bool) -> None:
    """Write a new registry and run config to DIR, which must not exist or be empty."""
    _refuse(folder)
    shutil.copytree(_TEMPLATE, folder, dirs_exist_ok=True)
    _fill(folder / REGISTRY_FILE, "my-registry", _name(folder))
    _fill(folder / _TRAIN_FILE, "REGISTRY_FOLDER", f'"{folder.as_posix()}"' if folder.is_absolute() else f'"./{folder.as_posix()}"')
    registry = Registry.load(folder)
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    if as_json:
        print_json({"folder": str(folder), "registry": registry.name, "files": files})
        return
    click.echo(f"wrote {folder}: " + ", ".join(files))
    click.echo(f"next:\n  maestro registry show {_argument(folder)}\n  edit {folder / REGISTRY_FILE}")
    click.echo(f"  maestro registry validate {_argument(folder)}")


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


def _argument(folder: Path) -> str:
    """The folder as an argument that is never taken for a registered name."""
    text = str(folder)
    return text if "/" in text or text.startswith(".") else f"./{text}"
