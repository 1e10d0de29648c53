"""A GRPO step whose groups share their prompt beside one that reads it once per member: the same work, the same numbers.

A step is what costs: generation of every member's completion, then forward and backward of the loss on it, one group at a
time, through the project's own generator and forward. Both sides carry only completion positions to the output layer, so what is
compared is sharing and nothing else. The model is untrained, a Qwen3-VL of six layers and width 256, on one thread; a quarter
of a prompt is a picture. Time is the thread's own, so a busy machine disturbs it less.
"""

from __future__ import annotations

import ctypes
import gc
import random
import string
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from maestro.bench.measurement import Bar, Measurement
from maestro.errors import MaestroError
from maestro.policy.local_generate import Generator, Row
from maestro.policy.local_images import EncodedImage
from maestro.policy.local_model import build_tiny, load_model
from maestro.train.prefix import hidden_at, shared_prefix

SIZES: dict[str, Any] = {
    "hidden": 256,
    "layers": 6,
    "heads": 8,
    "kv_heads": 4,
    "head_width": 32,
    "intermediate": 768,
    "vision_hidden": 128,
    "vision_depth": 4,
    "vision_intermediate": 512,
    "deepstack": (0, 1, 2),
    "positions": 16_384,
    "vocabulary": 2000,
}

ORIGINAL = (1024, 25, 8)
"""The original's proportions at a twelfth: a prompt of 12,288 tokens, completions of 300, groups of eight."""

CELLS = (ORIGINAL, (256, 25, 8))
"""Tokens of the prompt, tokens of a completion, members."""

TABLE = (
    *((prompt, completion, members) for prompt in (256, 1024, 2048) for completion in (25, 100, 400) for members in (2, 8)),
    (1024, 25, 4),
    (1024, 25, 16),
)
"""What `python benchmarks/shared_prefix.py --table` measures: half an hour and more."""


@dataclass
class Side:
    """What one side needed, round by round."""

    generation: list[float] = field(default_factory=list)
    update: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    """Peak of the update above what the process had before, in MB."""

    @property
    def rates(self) -> list[float]:
        """Steps a second."""
        return [1 / (one + other) for one, other in zip(self.generation, self.update, strict=True)]


def measure(cells: tuple[tuple[int, int, int], ...] = CELLS, rounds: int = 2) -> list[Measurement]:
    """Steps a second and peak memory of the update, for every (prompt, completion, members)."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        model, _ = load_model(build_tiny(Path(folder), 0, texts=_texts(), **SIZES))
    found = []
    for prompt, completion, members in cells:
        work = Work.draw(model, prompt, completion, members)
        sides = {False: Side(), True: Side()}
        for share in [True, *[False, True] * rounds]:  # the first one is not counted
            work.step(model, sides[share], share=share)
        sides[True] = Side(*(figures[1:] for figures in (sides[True].generation, sides[True].update, sides[True].memory)))
        found += _measurements((prompt, completion, members), sides[True], sides[False])
    return found


def _measurements(cell: tuple[int, int, int], shared: Side, plain: Side) -> list[Measurement]:
    name = "{} + {} tokens x {}".format(*cell)
    bar = Bar(3, of="ratio") if cell == ORIGINAL else None
    generation, update = (
        ([1 / seconds for seconds in one], [1 / seconds for seconds in other])
        for one, other in ((shared.generation, plain.generation), (shared.update, plain.update))
    )
    return [
        Measurement.of(f"step, {name}", "steps/s", shared.rates, "plain", plain.rates, bar),
        Measurement.of(f"its generation, {name}", "/s", generation[0], "plain", generation[1]),
        Measurement.of(f"its update, {name}", "/s", update[0], "plain", update[1]),
        Measurement.of(f"its memory, {name}", "MB", shared.memory, "plain", plain.memory),
    ]


@dataclass
class Work:
    """One group: its prompt, its picture, the numbers its completions are drawn with."""

    prompt: list[int]
    picture: EncodedImage
    uniforms: torch.Tensor
    """(members, completion)"""
    expected: tuple[torch.Tensor, float] | None = None
    """Completions and loss of the first side; the other has to come to the same."""

    @classmethod
    def draw(cls, model: Any, prompt: int, completion: int, members: int) -> Work:
        """Random words around a random picture that takes a quarter of the prompt, or a little less."""
        config, draw = model.config, torch.Generator().manual_seed(0)
        height = max(1, int((prompt / 4) ** 0.5))
        tokens = height * max(1, prompt // 4 // height)
        grid = torch.tensor([[1, 2 * height, 2 * tokens // height]])
        pixels = torch.randn(4 * tokens, 3 * 2 * config.vision_config.patch_size**2, generator=draw)
        words: list[int] = torch.randint(300, config.text_config.vocab_size - 100, (prompt - tokens - 2,), generator=draw).tolist()
        image = [config.vision_start_token_id, *[config.image_token_id] * tokens, config.vision_end_token_id]
        middle = len(words) // 2
        uniforms = torch.rand(members, completion, dtype=torch.float64, generator=draw)
        return cls([*words[:middle], *image, *words[middle:]], EncodedImage(pixels, grid, tokens), uniforms)

    def step(self, model: Any, side: Side, *, share: bool) -> None:
        """One step; its figures go to `side`. Raises MaestroError when the sides disagree."""
        started = time.process_time()
        completions = self._generate(model, share=share)
        side.generation.append(time.process_time() - started)
        before = _resident_after_reset()
        started = time.process_time()
        loss = self._update(model, completions, share=share)
        side.update.append(time.process_time() - started)
        side.memory.append(_status("VmHWM") - before)
        model.zero_grad(set_to_none=True)
        if self.expected is None:
            self.expected = completions, loss
        if not torch.equal(self.expected[0], completions) or abs(self.expected[1] - loss) > 1e-4:
            raise MaestroError("shared and plain steps differ, so their speeds mean nothing; see tests/train/test_prefix.py")

    def _generate(self, model: Any, *, share: bool) -> torch.Tensor:
        """Completions (members, completion)."""
        forbidden = [getattr(model.config, name) for name in ("image_token_id", "video_token_id", "vision_start_token_id")]
        generator = Generator(model, [], forbidden, share=share)
        rows = [Row(self.prompt, uniforms, images=[self.picture], names=("picture",)) for uniforms in self.uniforms]
        return torch.tensor([sampled.ids for sampled in generator.sample(rows)])

    def _update(self, model: Any, completions: torch.Tensor, *, share: bool) -> float:
        """Forward and backward of a policy-gradient loss, every second member good; the loss."""
        members, length = completions.shape
        ids = torch.cat([torch.tensor(self.prompt).expand(members, -1), completions], dim=1)
        scored = torch.zeros_like(ids, dtype=torch.bool)
        scored[:, -length - 1 : -1] = True
        advantages = torch.arange(members).remainder(2).mul(2).sub(1)[:, None]
        model.train()
        with shared_prefix(model, share=share):
            output = model.model(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                pixel_values=self.picture.pixel_values.repeat(members, 1),
                image_grid_thw=self.picture.grid.repeat(members, 1),
                mm_token_type_ids=(ids == model.config.image_token_id).int(),
                use_cache=False,
            )
            logits = model.lm_head(hidden_at(output, scored)).view(members, length, -1)
            logprobs = logits.log_softmax(-1).gather(2, completions[..., None])[..., 0]
            loss = -(advantages * logprobs).mean()
            loss.backward()
        return float(loss.detach())


def _texts() -> list[str]:
    """Enough made-up words for a vocabulary of the size wanted."""
    draw = random.Random(0)
    words = ("".join(draw.choices(string.ascii_lowercase, k=draw.randint(2, 7))) for _ in range(12_000))
    return [" ".join(words)]


def _resident_after_reset() -> float:
    """What the process holds, in MB, after giving back what it can; from here on the kernel looks for a new peak."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _status(name: str) -> float:
    """A figure of the kernel's about this process, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024
