"""A thousand episodes at once over served experts, beside a thread pool that encodes the picture for every call.

Every episode makes three calls that carry its picture (800 x 557, as in chart questions) to an expert that answers after 50 ms.
Ours is the whole of Maestro: loop, registry, skill, pool, client. Beside it stands the design of systems that grew out of a
synchronous SDK: 64 threads, and every call opens the picture's file, encodes it as JPEG, writes its JSON and connects anew. As in
training, eight episodes share a task and its picture; `a picture each` has none to share.
"""

from __future__ import annotations

import asyncio
import base64
import http.client
import io
import json
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from PIL import Image, ImageDraw

from maestro.bench.chat_server import chat_server
from maestro.bench.measurement import Bar, Measurement
from maestro.errors import MaestroError
from maestro.images import ImageStore
from maestro.policy.scripted import ScriptedPolicy
from maestro.rollout.engine import Job, run_episodes
from maestro.rollout.limits import Limits
from maestro.skills.ensemble import Ensemble
from maestro.types import StopReason, Task

CALLS = 3
THREADS = 64
_SKILL = "---\nname: answer\ndescription: Answers.\nmetadata:\n  experts: [wide-model]\n---\nAnswer on the last line.\n"
_REGISTRY = """\
name: served
experts:
  - id: wide-model
    summary: Sees.
    kind: openai
    endpoint: {url}
    target: bench
    limits: {{timeout_seconds: 300, concurrency: {concurrency}}}
"""


def measure(episodes: int = 1000, rounds: int = 3, group: int = 8) -> list[Measurement]:
    """Episodes a second of wall clock, with pictures shared by groups and with a picture each."""
    found = []
    with chat_server() as server, tempfile.TemporaryDirectory() as folder:
        for name, each, bar in ((f"{group} episodes a picture", group, Bar(10, of="ratio")), ("a picture each", 1, None)):
            ours, threads = _measure(Path(folder, name), f"{server}/50ms/v1", episodes, each, rounds)
            found.append(Measurement.of(name, "episodes/s", ours, "thread pool", threads, bar))
    return found


def _measure(folder: Path, url: str, episodes: int, group: int, rounds: int) -> tuple[list[float], list[float]]:
    """Rates of both designs in every round; pictures are new to ours in each."""
    ours, threads = [], []
    for number in range(rounds):
        here = folder / str(number)
        paths = _pictures(here / "pictures", -(-episodes // group), seed=number)
        ours.append(episodes / asyncio.run(_ours(_registry(here, url, episodes), paths, episodes, group)))
        threads.append(episodes / _threads(url, paths, episodes, group))
    return ours, threads


def _registry(folder: Path, url: str, concurrency: int) -> Path:
    (folder / "skills" / "answer").mkdir(parents=True)
    (folder / "skills" / "answer" / "SKILL.md").write_text(_SKILL)
    (folder / "registry.yaml").write_text(_REGISTRY.format(url=url, concurrency=concurrency))
    return folder


def _pictures(folder: Path, count: int, seed: int) -> list[Path]:
    """JPEG files of bar charts, as a data set has them."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    paths = [folder / f"{number}.jpg" for number in range(count)]
    for path in paths:
        chart = Image.new("RGB", (800, 557), "white")
        draw = ImageDraw.Draw(chart)
        for line in range(40, 540, 50):
            draw.line((40, line, 780, line), fill=(200, 200, 200))
            draw.text((8, line - 6), str(540 - line), fill="black")
        for bar, height in enumerate(rng.integers(20, 480, 12)):
            draw.rectangle(
                (60 + 60 * bar, 540 - int(height), 100 + 60 * bar, 540), fill=tuple(int(value) for value in rng.integers(0, 256, 3))
            )
        chart.save(path, quality=90)
    return paths


def _question(episode: int, call: int) -> str:
    return f"Episode {episode}, step {call}: which bar is the highest, and how high is it?"


async def _ours(registry: Path, paths: Sequence[Path], episodes: int, group: int) -> float:
    """Seconds for all episodes; opening the pictures is the task source's work and not counted."""
    images = ImageStore()
    names = [images.put(path) for path in paths]
    jobs = [Job(Task(id=str(number), question="?", images=(names[number // group],))) for number in range(episodes)]

    def script(opening: object, turns: Sequence[object]) -> str:
        number = int(opening.task.id)  # type: ignore[attr-defined]
        return f"<search>wide-model@@answer: {_question(number, len(turns))}</search>" if len(turns) < CALLS else "<answer>7</answer>"

    async with Ensemble.load(registry, images) as ensemble:
        started = time.perf_counter()
        ended = await run_episodes(jobs, ScriptedPolicy(script), ensemble, Limits(seconds=600), concurrency=episodes)
        seconds = time.perf_counter() - started
    if any(one.stop is not StopReason.ANSWERED or len(one.calls) != CALLS for one in ended):
        raise MaestroError("an episode of the benchmark broke, so its speed means nothing; see tests/experts/test_many_episodes.py")
    return seconds


def _threads(url: str, paths: Sequence[Path], episodes: int, group: int) -> float:
    """Seconds for all episodes in threads."""

    def episode(number: int) -> None:
        for call in range(CALLS):
            _call(url, paths[number // group], _question(number, call))

    started = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(episode, range(episodes)))
    return time.perf_counter() - started


def _call(url: str, path: Path, question: str) -> str:
    """A call that shares nothing with any other."""
    buffer = io.BytesIO()
    Image.open(path).convert("RGB").save(buffer, format="JPEG")
    picture = {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()}}
    messages = [{"role": "system", "content": "Answer."}, {"role": "user", "content": [picture, {"type": "text", "text": question}]}]
    body = json.dumps({"model": "bench", "temperature": 0.2, "messages": messages})
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=300)
    try:
        connection.request("POST", f"{parts.path}/chat/completions", body, {"Content-Type": "application/json"})
        text: str = json.loads(connection.getresponse().read())["choices"][0]["message"]["content"]
        return text
    finally:
        connection.close()
