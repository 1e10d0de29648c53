"""Config files: YAML checked against a model, overridden from the command line, and dumped as resolved.

A config model is a `Config` next to the code it configures, each field followed by its docstring.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import orjson
import yaml
from pydantic import BaseModel, ConfigDict

from maestro.document import Document, Location, Problem, Problems, parse_document, read_document
from maestro.errors import ConfigError


class Config(BaseModel):
    """Base of config models: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @property
    def digest(self) -> str:
        """SHA-256 of the resolved config; two runs are comparable only when it is equal."""
        return digest(self)

    def to_yaml(self) -> str:
        """The resolved config, every default written out."""
        return to_yaml(self)


ConfigModel = TypeVar("ConfigModel", bound=BaseModel)


def load_config(model: type[ConfigModel], path: Path | None, overrides: Sequence[str] = ()) -> ConfigModel:
    """Read a YAML file as `model`, with overrides such as `stages.0.steps=200` (the value is YAML, later ones win).

    Without a path only the overrides and the defaults count. Raises ConfigError with file and line of every problem.
    """
    where = str(path) if path else "the config"
    try:
        document = _read(path) if path else Document(where, {}, {})
        for override in overrides:
            document = _apply(document, override)
        config = document.validate(model)
    except Problems as found:
        lines = "\n".join(f"  {problem}" for problem in found.problems)
        raise ConfigError(f"{where} cannot be used:\n{lines}") from None
    if huge := list(_huge(resolved(config))):
        raise ConfigError(f"{where} cannot be used:\n" + "\n".join(f"  {key}: a whole number has at most 64 bits" for key in huge))
    return config


def _huge(value: Any, key: str = "") -> Iterator[str]:
    """Dotted names of the whole numbers that no file of JSON, and no digest, can hold."""
    if isinstance(value, dict | list):
        for name, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _huge(part, f"{key}.{name}" if key else str(name))
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        yield key


def resolved(config: BaseModel) -> dict[str, Any]:
    """Every setting as plain JSON values, defaults included."""
    return config.model_dump(mode="json")


def digest(config: BaseModel) -> str:
    """SHA-256 of the resolved config."""
    return hashlib.sha256(orjson.dumps(resolved(config), option=orjson.OPT_SORT_KEYS)).hexdigest()


def to_yaml(config: BaseModel) -> str:
    """The resolved config as YAML that `load_config` reads back to an equal one."""
    return yaml.safe_dump(resolved(config), sort_keys=False, allow_unicode=True, width=120)


def _read(path: Path) -> Document:
    try:
        document = read_document(path)
    except FileNotFoundError:
        raise ConfigError(f"no config file {path}; write one to edit with: maestro init NEW_FOLDER") from None
    except IsADirectoryError:
        inside = sorted(found.name for found in path.glob("*.y*ml"))
        raise ConfigError(f"{path} is a folder; name the config in it" + (f": {', '.join(inside)}." if inside else ".")) from None
    except OSError as error:
        raise ConfigError(f"the config file {path} cannot be read: {error.strerror}") from error
    return Document(document.path, {}, document.lines) if document.value is None else document


def _apply(document: Document, override: str) -> Document:
    name, equals, text = override.partition("=")
    if not equals or not all(part.strip() for part in name.split(".")):
        raise Problems([Problem(f"override {override}", 0, "write it as name=value, with dots for settings inside settings")])
    location: Location = tuple(int(part) if part.isdigit() else part.strip() for part in name.split("."))
    try:
        value = parse_document(text, "").value
    except Problems as found:
        raise Problems([Problem(f"override {override}", 0, problem.message) for problem in found.problems]) from None
    return document.override(location, value, override)
