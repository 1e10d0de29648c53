"""One group's step on an untrained model, for measuring what sharing its prompt saves: generation, then a policy-gradient update.

The model is a Qwen3-VL of six layers and width 256, on one thread; a quarter of a prompt is a picture.
"""

from __future__ import annotations

import random
import string
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from maestro.errors import MaestroError
from maestro.policy.local_generate import Generator, Row
from maestro.policy.local_images import EncodedImage
from maestro.policy.local_model import build_tiny, load_model
from maestro.train.prefix.forward import hidden_at, shared_prefix

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


def untrained() -> Any:
    """The model, on one thread."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        model, _ = load_model(build_tiny(Path(folder), 0, texts=_texts(), **SIZES))
    return model


@dataclass
class GroupWork:
    """One group: its prompt, its picture, the numbers its completions are drawn with."""

    prompt: list[int]
    picture: EncodedImage
    uniforms: torch.Tensor
    """(members, completion)"""
    expected: tuple[torch.Tensor, float] | None = None
    """Completions and loss of the first side; the other has to come to the same."""

    @classmethod
    def draw(cls, model: Any, prompt: int, completion: int, members: int) -> GroupWork:
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

    def check(self, completions: torch.Tensor, loss: float) -> None:
        """Raise MaestroError when one side's completions or loss are not those of the side before."""
        if self.expected is None:
            self.expected = completions, loss
        if not torch.equal(self.expected[0], completions) or abs(self.expected[1] - loss) > 1e-4:
            raise MaestroError("shared and plain steps differ, so their speeds mean nothing; see tests/train/prefix/test_forward.py")

    def generate(self, model: Any, *, share: bool) -> torch.Tensor:
        """Completions (members, completion)."""
        forbidden = [getattr(model.config, name) for name in ("image_token_id", "video_token_id", "vision_start_token_id")]
        generator = Generator(model, [], forbidden, share=share)
        rows = [Row(self.prompt, uniforms, images=[self.picture], names=("picture",)) for uniforms in self.uniforms]
        return torch.tensor([sampled.ids for sampled in generator.sample(rows)])

    def update(self, model: Any, completions: torch.Tensor, *, share: bool) -> float:
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
