"""Endpoints that the environment may override: `${NAME:-http://127.0.0.1:2362/v1}` in registry.yaml."""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from maestro.document import Document, Problem

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]{0,127})(?::-(?P<default>[^${}]*))?\}")
_FIELD = "endpoint"
_ELSEWHERE = ("id", "target", "api_key_env", "revision")
_ADVICE = "write ${NAME} or ${NAME:-default}, with letters, digits and underscores in NAME"


def fill_in(document: Document, environment: Mapping[str, str] | None = None) -> tuple[Document, list[Problem]]:
    """The document with every expert's endpoint filled in from the environment, and what is wrong with them.

    A variable that is empty counts as not set. Only endpoints are filled in: what names a model belongs in the file, where
    a change of it changes the registry's digest.
    """
    values = os.environ if environment is None else environment
    filled = copy.deepcopy(document.value)
    problems: list[Problem] = []
    for index, card in enumerate(_cards(filled)):
        for field, text in card.items():
            if not isinstance(text, str) or "${" not in text:
                continue
            if field == _FIELD:
                card[field], faults = _filled(text, values)
                problems += [document.problem(("experts", index, field), f"experts[{index}].{field}: {fault}") for fault in faults]
            elif field in _ELSEWHERE:
                message = f"experts[{index}].{field}: only {_FIELD} is filled in from the environment; write the value out"
                problems.append(document.problem(("experts", index, field), message))
    return replace(document, value=filled), problems


def endpoints_as_written(document: Document) -> dict[str, str]:
    """Endpoint by expert id for those that the environment may override, as the file has them."""
    cards = [card for card in _cards(document.value) if isinstance(card.get("id"), str) and isinstance(card.get(_FIELD), str)]
    return {card["id"]: card[_FIELD] for card in cards if "${" in card[_FIELD]}


def _cards(value: Any) -> list[dict[str, Any]]:
    """The experts' cards, as far as the file has such a thing."""
    listed = value.get("experts") if isinstance(value, dict) else None
    return [card if isinstance(card, dict) else {} for card in listed] if isinstance(listed, list) else []


def _filled(text: str, values: Mapping[str, str]) -> tuple[str, list[str]]:
    faults: list[str] = []

    def value(found: re.Match[str]) -> str:
        name, default = found["name"], found["default"]
        if given := values.get(name, "").strip():
            return given
        if not default:
            faults.append(
                f"the environment variable {name} is not set; set it, or give a default as in ${{{name}:-http://127.0.0.1:8000/v1}}"
            )
            return "http://unset.invalid"
        return default

    filled = _VARIABLE.sub(value, text)
    if "${" in filled:
        faults.append(f"{text!r} cannot be read; {_ADVICE}")
        filled = "http://unset.invalid"
    return filled, faults
