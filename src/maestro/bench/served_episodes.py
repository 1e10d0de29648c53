"""A thousand episodes at once over served experts, beside a thread pool that encodes the picture for every call.

Every episode makes three calls that carry its picture to an expert that answers after 50 ms; eight episodes share a task and its
picture, as in training. Ours is the whole of Maestro: loop, registry, skill, pool, client. Beside it stands the design of systems that
grew out of a synchronous SDK: 64 threads, and every call opens the picture's file, encodes it as JPEG, writes its JSON and connects
anew. `photo` has 1600 x 1200 pixels, `chart` 800 x 557 (JPEG files both), and of `crop` ours has to encode a PNG because there is no file.

The bar is on CPU time. A busy machine shares itself out by threads, so that 64 of them wait less than one does, and wall clock then tells
more about the neighbours than about the two designs.
"""

from __future__ import annotations

import asyncio
import base64
import http.client
import io
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
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
    """Episodes a second, of wall clock and of CPU time, for three kinds of pictures."""
    found = []
    with chat_server() as server, tempfile.TemporaryDirectory() as folder:
        for name in ("photo", "chart", "crop"):
            ours, threads = zip(*_rounds(name, Path(folder, name), f"{server}/50ms/v1", episodes, group, rounds), strict=True)
            for unit, rate in (("episodes/s", Spent.a_second), ("episodes/s of CPU", Spent.a_cpu_second)):
                both = [rate(one, episodes) for one in ours], "thread pool", [rate(one, episodes) for one in threads]
                bar = Bar(10, of="ratio") if name == "photo" and rate is Spent.a_cpu_second else None
                found.append(Measurement.of(name, unit, *both, bar))
    return found


@dataclass(frozen=True)
class Spent:
    """What all episodes together took, in seconds."""

    wall: float
    cpu: float
    """Of this process; the server has one of its own."""

    def a_second(self, episodes: int) -> float:
        """Episodes a second."""
        return episodes / self.wall

    def a_cpu_second(self, episodes: int) -> float:
        """Episodes a second of CPU time."""
        return episodes / self.cpu


class _Stopwatch:
    def __init__(self) -> None:
        self._began = time.perf_counter(), time.process_time()

    def spent(self) -> Spent:
        return Spent(time.perf_counter() - self._began[0], time.process_time() - self._began[1])


def _rounds(name: str, folder: Path, url: str, episodes: int, group: int, rounds: int) -> Iterator[tuple[Spent, Spent]]:
    """What ours and the thread pool spent in every round; the pictures of a round are new."""
    for number in range(rounds):
        here = folder / str(number)
        paths = _pictures(here / "pictures", -(-episodes // group), photo=name == "photo", seed=number)
        registry = _registry(here, url, episodes)
        yield asyncio.run(_ours(registry, paths, episodes, group, crop=name == "crop")), _threads(url, paths, episodes, group)


def _registry(folder: Path, url: str, concurrency: int) -> Path:
    (folder / "skills" / "answer").mkdir(parents=True)
    (folder / "skills" / "answer" / "SKILL.md").write_text(_SKILL)
    (folder / "registry.yaml").write_text(_REGISTRY.format(url=url, concurrency=concurrency))
    return folder


def _pictures(folder: Path, count: int, *, photo: bool, seed: int) -> list[Path]:
    """JPEG files, as a data set has them."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    paths = [folder / f"{number}.jpg" for number in range(count)]
    for path in paths:
        (_photo(rng) if photo else _chart(rng)).save(path, quality=90)
    return paths


def _photo(rng: np.random.Generator) -> Image.Image:
    """Soft shapes with a little noise, 1600 x 1200."""
    soft = Image.fromarray(rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)).resize((1600, 1200), Image.Resampling.BICUBIC)
    return Image.blend(soft, Image.effect_noise(soft.size, 60).convert("RGB"), 0.1)


def _chart(rng: np.random.Generator) -> Image.Image:
    """Bars with a grid, 800 x 557."""
    chart = Image.new("RGB", (800, 557), "white")
    draw = ImageDraw.Draw(chart)
    for line in range(40, 540, 50):
        draw.line((40, line, 780, line), fill=(200, 200, 200))
        draw.text((8, line - 6), str(540 - line), fill="black")
    for bar, height in enumerate(rng.integers(20, 480, 12)):
        draw.rectangle((60 + 60 * bar, 540 - int(height), 100 + 60 * bar, 540), fill=tuple(int(value) for value in rng.integers(0, 256, 3)))
    return chart


def _question(episode: int, call: int) -> str:
    return f"Episode {episode}, step {call}: which bar is the highest, and how high is it?"


async def _ours(registry: Path, paths: Sequence[Path], episodes: int, group: int, *, crop: bool) -> Spent:
    """All episodes; opening the pictures is the task source's work and not counted."""
    images = ImageStore()
    names = [images.put(path) for path in paths]
    if crop:
        names = [images.put(images.pixels(name).crop((0, 0, 799, 556))) for name in names]
    jobs = [Job(Task(id=str(n), question="?", images=(names[n // group],))) for n in range(episodes)]

    def script(opening: object, turns: Sequence[object]) -> str:
        number = int(opening.task.id)  # type: ignore[attr-defined]
        return f"<search>wide-model@@answer: {_question(number, len(turns))}</search>" if len(turns) < CALLS else "<answer>7</answer>"

    async with Ensemble.load(registry, images) as ensemble:
        watch = _Stopwatch()
        ended = await run_episodes(jobs, ScriptedPolicy(script), ensemble, Limits(seconds=600), concurrency=episodes)
        spent = watch.spent()
    if any(one.stop is not StopReason.ANSWERED or len(one.calls) != CALLS for one in ended):
        raise MaestroError("an episode of the benchmark broke, so its speed means nothing; see tests/experts/test_many_episodes.py")
    return spent


def _threads(url: str, paths: Sequence[Path], episodes: int, group: int) -> Spent:
    """All episodes in threads."""

    def episode(number: int) -> None:
        for call in range(CALLS):
            _call(url, paths[number // group], _question(number, call))

    watch = _Stopwatch()
    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(episode, range(episodes)))
    return watch.spent()


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
