"""Registries of echo servers for the tests of `maestro experts`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.experts.fleet.places import SERVER, echo

SKILL = "---\nname: answer\ndescription: Answers.\nmetadata:\n  experts: [{experts}]\n---\nAnswer in a few words.\n"
STAND_IN = """\
#!{python}
# Stands in for an interpreter with vLLM: takes its command line, and starts an echo server with vLLM's sleep endpoints.
import os, sys

words = sys.argv[1:]
if words[0] == "-c":
    sys.exit(0)
assert words[:2] == ["-m", "vllm.entrypoints.openai.api_server"], words
value = lambda name: words[words.index(name) + 1]
sleeps = ["--sleeps", {log!r}] if "--enable-sleep-mode" in words and os.environ.get("VLLM_SERVER_DEV_MODE") == "1" else []
command = [{python!r}, {server!r}, "--port", value("--port"), "--host", value("--host"), "--name", value("--served-model-name"), *sleeps]
os.execv(command[0], command)
"""


def card(name: str, port: int, *flags: object, served: str = "{target}", **serve: Any) -> dict[str, Any]:
    """A card whose `serve` starts an echo server with these flags; `served` is the name it serves under."""
    block = {"command": echo("{port}", served, *flags), **serve}
    return {
        "id": name,
        "summary": f"Echoes as {name}.",
        "kind": "openai",
        "endpoint": f"http://127.0.0.1:{port}/v1",
        "target": name,
        "serve": block,
    }


def vllm_card(name: str, port: int, **serve: Any) -> dict[str, Any]:
    """A card that is served by vLLM (or what stands in for it)."""
    made = card(name, port)
    made["serve"] = {"model": "org/none", "download_gib": 0, "weights_gib": 0.1, **serve}
    return made


def write_fleet(folder: Path, *cards: dict[str, Any]) -> str:
    """A registry of these cards; JSON is YAML."""
    skill = folder / "skills" / "answer"
    skill.mkdir(parents=True, exist_ok=True)
    (folder / "registry.yaml").write_text(json.dumps({"name": "echoes", "experts": cards}, indent=1))
    (skill / "SKILL.md").write_text(SKILL.format(experts=", ".join(one["id"] for one in cards)))
    return str(folder)


def stand_in(folder: Path) -> tuple[str, Path]:
    """An interpreter that seems to have vLLM, and the file in which its servers note who slept and woke."""
    program, log = folder / "python-with-vllm", folder / "sleeps"
    program.write_text(STAND_IN.format(python=sys.executable, server=str(SERVER), log=str(log)))
    program.chmod(0o755)
    return str(program), log
