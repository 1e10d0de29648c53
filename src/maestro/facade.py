"""The orchestrator in Python: load it once, ask it often."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Coroutine, Iterable, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
from PIL import Image
from pydantic import ValidationError

from maestro.errors import ConfigError, MaestroError
from maestro.images import ImageLike, ImageStore
from maestro.policy.loading import ANYWHERE, load_policy
from maestro.policy.protocol import Policy, close_policy
from maestro.rollout.episode import Watcher, run_episode
from maestro.rollout.limits import Limits
from maestro.skills.ensemble import Ensemble
from maestro.skills.protocol import is_text
from maestro.types import Episode, Task

Result = TypeVar("Result")
DEFAULT_POLICY = ANYWHERE
"""Where neither user nor registry names one."""
DEFAULT_REGISTRY = "playground"
_PICTURES = 512
"""Pictures kept in memory: a program that asks for days must not grow."""


class Maestro:
    """A policy and its ensemble, ready for questions.

        with Maestro.load() as maestro:
            episode = maestro.ask("What does the sign say?", images=["sign.png"])
            print(episode.answer, episode.cost_usd)

    In async code use `async with` and `await maestro.ask_async(...)`; many questions may be asked at once there, and a policy of
    this process decides for all of them together. `ask` may be called from several threads and answers one after the other.
    Close it, or use it as a context manager: experts run in processes of their own.
    """

    def __init__(self, policy: Policy, ensemble: Ensemble) -> None:
        """Take over a policy and an ensemble, which is closed with this."""
        self.policy = policy
        self.ensemble = ensemble
        self._runner: asyncio.Runner | None = None
        self._turn = threading.Lock()
        self._closed = False

    @classmethod
    def load(
        cls,
        policy: str | Path | None = None,
        registry: str | Path = DEFAULT_REGISTRY,
        *,
        greedy: bool = True,
        seed: int = 0,
        workers: int | None = None,
    ) -> Maestro:
        """Load a policy (registered name, checkpoint or run folder, `random`, `fixed:ROUTE`) over a registry (name or folder).

        Without a policy, the one that the registry names decides, else `maestro-reading`.

        `greedy` takes the likeliest decision, otherwise decisions are drawn with `seed`. `workers` bounds the processes of in-process
        experts: None for one a core, 0 for none. Raises ConfigError, CheckpointError, RegistryError, MissingDependency.
        """
        images = ImageStore(capacity=_PICTURES)
        ensemble = Ensemble.load(registry, images, workers=workers)
        chosen = policy or ensemble.registry.policy or DEFAULT_POLICY
        return cls(load_policy(str(chosen), ensemble.menu, images, greedy=greedy, seed=seed), ensemble)

    def ask(
        self,
        question: str,
        images: Iterable[ImageLike] = (),
        *,
        choices: Sequence[str] = (),
        turns: int = 5,
        budget_usd: float | None = None,
        cost_weight: float | None = None,
        seconds: float = 120.0,
        watch: Watcher | None = None,
    ) -> Episode:
        """Answer one question; `episode.answer` is None when a limit or a failure ended it, and `episode.stop` says which.

        `episode.supported` says whether an expert gave the answer; where it is False the words are the policy's own.
        `images` are paths, file bytes, PIL images or numpy arrays (H, W), (H, W, 3) or (H, W, 4) of uint8. `choices` are the answers to
        choose from. `turns` bounds decisions, the answer included, `budget_usd` what calls may cost, `seconds` the whole;
        `cost_weight`, what a dollar counts in score, is told to a policy that heeds it; `watch` is told each turn as it ends. Raises
        ConfigError (empty question, senseless limit), ImageError, and MaestroError inside a running event loop or after `close`.
        """
        _outside_a_loop("ask")
        self._check_open()
        bounds: dict[str, Any] = {"turns": turns, "budget_usd": budget_usd, "cost_weight": cost_weight, "seconds": seconds}
        return self._run(self.ask_async(question, images, choices=choices, watch=watch, **bounds))

    async def ask_async(
        self,
        question: str,
        images: Iterable[ImageLike] = (),
        *,
        choices: Sequence[str] = (),
        turns: int = 5,
        budget_usd: float | None = None,
        cost_weight: float | None = None,
        seconds: float = 120.0,
        watch: Watcher | None = None,
    ) -> Episode:
        """The same as `ask`, to be awaited; any number at once."""
        self._check_open()
        self.ensemble.refresh()
        task = question_task(question, images, self.ensemble.images, choices)
        limits = question_limits(turns, budget_usd, seconds)
        return await run_episode(task, self.policy, self.ensemble, limits, cost_weight=cost_weight, watch=watch)

    def close(self) -> None:
        """Stop the experts and their processes; a second time does nothing."""
        _outside_a_loop("close")
        if self._closed:
            return
        self._run(self.close_async())
        if self._runner is not None:
            self._runner.close()

    async def close_async(self) -> None:
        """The same as `close`, to be awaited."""
        self._closed = True
        await close_policy(self.policy)
        await self.ensemble.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close_async()

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run on the one loop that this object keeps for callers without one."""
        with self._turn:
            self._runner = self._runner or asyncio.Runner()
            return self._runner.run(work)

    def _check_open(self) -> None:
        if self._closed:
            raise MaestroError("this Maestro is closed and its experts have stopped. Load it again with Maestro.load(...).")


def question_task(question: str, images: Iterable[ImageLike], store: ImageStore, choices: Sequence[str] = ()) -> Task:
    """The task of a user's own question, its images put into `store`. Raises ConfigError (empty question), ImageError."""
    if not isinstance(question, str):
        raise ConfigError(f"the question is a {type(question).__name__}, and has to be text.")
    asked = question.strip()
    if not asked:
        raise ConfigError('the question is empty. Ask something, for example: "What does the sign say?" with a picture of the sign.')
    if not is_text(asked):
        raise ConfigError("the question holds bytes that are no UTF-8 text; is it a file's content? Give a picture as an image.")
    if isinstance(images, str | bytes | Path | Image.Image | np.ndarray):
        raise ConfigError("images is one image; give a list, even of one: images=[...].")
    if not isinstance(images, Iterable):
        raise ConfigError(f"images is a {type(images).__name__}; give a list of paths, file bytes, PIL images or arrays, or nothing.")
    if isinstance(choices, str) or not all(isinstance(choice, str) and is_text(choice) for choice in choices):
        raise ConfigError("choices is a list of texts, for example choices=['red', 'blue'].")
    hashes = tuple(store.put(image) for image in images)
    return Task(id=f"ask/{hashlib.sha256(asked.encode()).hexdigest()[:12]}", question=asked, images=hashes, choices=tuple(choices))


def question_limits(turns: int, budget_usd: float | None, seconds: float) -> Limits:
    """The limits of one question. Raises ConfigError for a senseless one (NaN included)."""
    try:
        return Limits(turns=turns, cost_usd=budget_usd, seconds=seconds)
    except ValidationError as error:
        wrong = "; ".join(f"{one['loc'][0]} {one['input']!r}: {one['msg']}" for one in error.errors())
        raise ConfigError(f"{wrong}. turns is at least 1, budget_usd (cost_usd) at least 0 or None, seconds above 0.") from error


def _outside_a_loop(name: str) -> None:
    """Raises MaestroError where blocking would stop the loop that everything else waits for."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise MaestroError(f"{name} blocks, and an event loop is running here (async code, a notebook). Use: await maestro.{name}_async(...)")
