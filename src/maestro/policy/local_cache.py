"""What a model remembers: of a prompt once for all sessions on it, of a session what came after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional


@dataclass(frozen=True)
class PromptCache:
    """Keys and values of a prompt; sessions on the same prompt hold the same one."""

    states: torch.Tensor
    """(2 x layers, key-value heads, tokens, head width): keys and values of layer 0, of layer 1, ..."""

    @property
    def length(self) -> int:
        """Tokens."""
        return int(self.states.shape[2])

    @property
    def name(self) -> tuple[int, int]:
        """Equal for the same tokens of the same prompt only."""
        return self.states.data_ptr(), self.length


@dataclass(frozen=True)
class RowCache:
    """What the model remembers of one session."""

    prompt: PromptCache
    states: torch.Tensor
    """As of the prompt, of what came behind it."""
    position: int
    """Rotary position of the next token (an image advances it by less than its tokens)."""

    @property
    def length(self) -> int:
        """Tokens, those of the prompt included."""
        return self.prompt.length + int(self.states.shape[2])

    def cut(self, length: int) -> RowCache:
        """The first `length` tokens of it. What is cut off is text, so each token counts for one position."""
        behind = length - self.prompt.length
        prompt = self.prompt if behind >= 0 else PromptCache(self.prompt.states[:, :, :length])
        return RowCache(prompt, self.states[:, :, : max(0, behind)].clone(), self.position - (self.length - length))


class BatchCache:
    """A batch's keys and values in one block with room to grow; speaks as much of the cache protocol as the model uses."""

    def __init__(self, states: torch.Tensor, filled: int) -> None:
        self.states = states
        """(2 x layers, rows, key-value heads, capacity, head width)"""
        self.filled = filled

    def update(self, keys: torch.Tensor, values: torch.Tensor, layer: int, *_: Any, **__: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """Put a layer's new keys and values behind the others; the filled part of both."""
        end = self.filled + keys.shape[2]
        both = self.states[2 * layer : 2 * layer + 2]
        both[0, :, :, self.filled : end] = keys
        both[1, :, :, self.filled : end] = values
        return both[0, :, :, :end], both[1, :, :, :end]

    def get_seq_length(self, *_: Any) -> int:
        """Tokens so far, padding included."""
        return self.filled


class PromptBlock:
    """The prompts of a batch side by side, and which row reads which; rows of one prompt are one matrix to its keys."""

    def __init__(self, prompts: Sequence[PromptCache], of: Sequence[int]) -> None:
        self.prompts = list(prompts)
        longest = max(prompt.length for prompt in prompts)
        first = prompts[0].states
        # One prompt is read where it lies.
        padded = [functional.pad(prompt.states, (0, 0, 0, longest - prompt.length)) for prompt in prompts] if len(prompts) > 1 else []
        self.states = torch.stack(padded, dim=1) if padded else first[:, None]
        """(2 x layers, prompts, key-value heads, longest, head width)"""
        lengths = torch.tensor([prompt.length for prompt in prompts], device=first.device)
        places = torch.arange(longest, device=first.device)
        self.hidden = None if int(lengths.min()) == longest else (places >= lengths[:, None])[:, None, None, :]
        """(prompts, 1, 1, longest): what is padding; None when nothing is."""
        self._arrange(of)

    def _arrange(self, of: Sequence[int]) -> None:
        """Rows sorted into one line of equally many places a prompt."""
        self.of = list(of)
        members: list[list[int]] = [[] for _ in self.prompts]
        for row, prompt in enumerate(of):
            members[prompt].append(row)
        most = max(map(len, members))
        lines = [[*line, *[0] * (most - len(line))] for line in members]  # what fills up is computed and not read
        device = self.states.device
        self.order = torch.tensor(lines, device=device)
        """(prompts, most): rows by prompt."""
        self.places = torch.tensor([prompt * most + members[prompt].index(row) for row, prompt in enumerate(of)], device=device)
        """(rows,): where a row stands in `order`, read line by line."""

    def keep(self, rows: Sequence[int]) -> PromptBlock:
        """For those rows only; prompts that nobody reads any more are dropped."""
        of = [self.of[row] for row in rows]
        left = sorted(set(of))
        if len(left) == len(self.prompts):
            self._arrange(of)
            return self
        return PromptBlock([self.prompts[prompt] for prompt in left], [left.index(prompt) for prompt in of])

    @classmethod
    def joined(cls, blocks: Sequence[PromptBlock]) -> PromptBlock:
        """The rows of several blocks, one block behind the other."""
        if len(blocks) == 1:
            return blocks[0]
        names: dict[tuple[int, int], int] = {}
        prompts: list[PromptCache] = []
        for block in blocks:
            for prompt in block.prompts:
                if names.setdefault(prompt.name, len(prompts)) == len(prompts):
                    prompts.append(prompt)
        return cls(prompts, [names[block.prompts[prompt].name] for block in blocks for prompt in block.of])
