"""Sampling for many sessions at once over the model's own key-value cache.

Rows with equal prompts share one reading of it and one copy of what the model remembers of it, in this turn and in later ones; what came
behind is each session's own and left-padded to one batch. A session's cache is kept between its turns, so that a later turn feeds only the
observation. A row's draws come from its own uniform numbers: what a session samples does not depend on who shares its batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn import functional

from maestro.policy.local_attention import causal_only, generating
from maestro.policy.local_cache import BatchCache, PromptBlock, PromptCache, RowCache
from maestro.policy.local_images import EncodedImage


@dataclass
class Row:
    """One session's wish for a decision."""

    ids: Sequence[int]
    """Tokens that the cache does not hold yet; at least one."""
    uniforms: torch.Tensor
    """(new tokens,) float64 in [0, 1): one draw per token; its length is the token limit."""
    temperature: float = 1.0
    greedy: bool = False
    images: Sequence[EncodedImage] = ()
    """The images among `ids`; only of a row without a cache."""
    names: tuple[str, ...] = ()
    """Their hashes."""
    cache: RowCache | None = None
    prompt: int | None = None
    """How many of `ids` are the prompt that other rows may have too; None: all. Only of a row without a cache."""
    ended: Callable[[Sequence[int]], bool] | None = None
    """Whether what was sampled so far has come to a stop that is no single id."""


@dataclass
class Sampled:
    """What one row got."""

    ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    """Of `ids` under softmax(logits / temperature) of the plain model."""
    cache: RowCache | None = None
    """Holds everything but the last sampled id."""
    stopped: bool = False
    """A stop ended it, not the limit."""


@dataclass
class _Batch:
    """Rows after what they bring was read."""

    shared: PromptBlock
    cache: BatchCache
    """What came behind the prompts."""
    seen: torch.Tensor
    """(rows, filled): which positions of `cache` are tokens rather than padding."""
    logits: torch.Tensor
    positions: torch.Tensor


class Generator:
    """Samples rows from one Qwen3-VL model. `stops` end a decision; `never` are ids that must not be sampled.

    `never` (placeholders and other special tokens) is left out of the draw, but log-probs are the plain model's: they
    differ from the draw's by the log of the mass outside `never`, next to nothing for a trained policy. Without `share`, every row reads
    its prompt and remembers it on its own: the same draws, at the price that sharing saves.
    """

    def __init__(self, model: Any, stops: Sequence[int], never: Sequence[int], *, share: bool = True) -> None:
        self.model = model
        self.share = share
        self.stops = frozenset(stops)
        self.device: torch.device = model.device
        self.autocast: torch.dtype | None = None
        """Number format of matrix products where it is not that of the weights; training in mixed precision samples in it too."""
        self.never = torch.tensor(sorted(never), dtype=torch.long, device=self.device)
        text = model.config.text_config
        self._shape = (2 * text.num_hidden_layers, text.num_key_value_heads, text.head_dim)

    def sample(self, rows: Sequence[Row]) -> list[Sampled]:
        """Continue every row until a stop or its limit; results in the order of `rows`."""
        with torch.no_grad(), generating(self.model), self._precision():
            caches = {index: row.cache for index, row in enumerate(rows) if row.cache is not None}
            parts = []
            for group in _prompt_groups(rows):
                batch = self._prefill([rows[i] for i in group])
                behind = [place for place, i in enumerate(group) if len(_prompt(rows[i])[0]) < len(rows[i].ids)]
                caches |= {group[place]: _row_cache(batch, place) for place in behind}
                at_once = [place for place in range(len(group)) if place not in behind]
                if behind and at_once:
                    _keep(batch, at_once)
                    batch.logits = batch.logits[torch.tensor(at_once, device=self.device)]
                if at_once:
                    parts.append(([group[place] for place in at_once], batch))
            if caches:
                later = sorted(caches)
                parts.append((later, self._extend([caches[i] for i in later], [_unread(rows[i]) for i in later])))
            order = [index for group, _ in parts for index in group]
            batch = _join([part for _, part in parts], max(len(row.uniforms) for row in rows))
            done = self._decode(batch, [rows[i] for i in order])
        result = [Sampled()] * len(rows)
        for index, sampled in zip(order, done, strict=True):
            result[index] = sampled
        return result

    def _prefill(self, rows: Sequence[Row]) -> _Batch:
        """Read prompts from the start: equal ones only once, and what all of them begin with only once."""
        unique: dict[_Prompt, int] = {}
        which = [unique.setdefault(_prompt(row), len(unique)) for row in rows] if self.share else list(range(len(rows)))
        firsts = [rows[which.index(number)] for number in range(max(which) + 1)]
        prompts = [_prompt(row)[0] for row in firsts]
        ids, seen = _left_padded(prompts, self.device)
        visual = (ids == self.model.config.image_token_id) & seen
        grids = [image.grid.to(self.device) for row in firsts for image in row.images]
        positions, deltas = self.model.model.get_rope_index(
            ids, visual.int(), image_grid_thw=torch.cat(grids) if grids else None, attention_mask=seen.int()
        )
        shared = self._shared_prefix(prompts)
        new = ids.shape[1] - shared
        cache = self._room(len(firsts), ids.shape[1])
        if shared:
            start = self._room(1, shared)
            head = torch.tensor([list(prompts[0][:shared])], device=self.device)
            everywhere = torch.arange(shared, device=self.device).expand(3, 1, -1)
            self._forward(self._embed(head), everywhere, causal_only(self.device), start)
            cache.states[:, :, :, :shared] = start.states
            cache.filled = shared
        # Behind the shared part each row is padded on the left again.
        rest = torch.tensor([len(prompt) - shared for prompt in prompts], device=self.device)
        real = torch.arange(new, device=self.device) >= new - rest[:, None]
        seen = torch.cat([real.new_ones(len(firsts), shared), real], dim=1)
        embeds, extra = self._embed(ids[:, shared:]), dict[str, Any]()
        if grids:
            features, deep = self._look(firsts)
            visual = visual[:, shared:] & real
            embeds = embeds.masked_scatter(visual[..., None], features.to(embeds.dtype))
            extra = {"visual_pos_masks": visual, "deepstack_visual_embeds": deep}
        mask = causal_only(self.device) if not shared and bool(seen.all()) else _causal(seen, new)
        logits = self._forward(embeds, positions[:, :, shared:], mask, cache, **extra)
        after = torch.tensor([len(prompt) for prompt in prompts], device=self.device) + deltas[:, 0]
        block = PromptBlock([PromptCache(_real(cache.states[:, number], seen[number])) for number in range(len(firsts))], which)
        index = torch.tensor(which, device=self.device)
        return _Batch(block, self._room(len(rows), 0), seen.new_zeros(len(rows), 0), logits[index], after[index])

    def _shared_prefix(self, prompts: Sequence[tuple[int, ...]]) -> int:
        """How many tokens all prompts begin with, images and every prompt's last token left out; 0 for one or a short prefix."""
        shortest, longest = min(prompts), max(prompts)
        length = next((i for i, (one, other) in enumerate(zip(shortest, longest, strict=False)) if one != other), len(shortest))
        length = min(length, *(len(prompt) - 1 for prompt in prompts))
        image = self.model.config.image_token_id
        length = next((i for i, token in enumerate(shortest[:length]) if token == image), length)
        return length if self.share and len(prompts) > 1 and length >= _SHORTEST_PREFIX else 0

    def _look(self, rows: Sequence[Row]) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Features (and those of the deep stack) of the rows' images in order; an image on several rows is looked at once."""
        images: dict[Any, EncodedImage] = {
            self._picture(index, name): image for index, row in enumerate(rows) for name, image in zip(row.names, row.images, strict=True)
        }
        output = self.model.model.get_image_features(
            torch.cat([image.pixel_values for image in images.values()]).to(self.device),
            torch.cat([image.grid for image in images.values()]).to(self.device),
            return_dict=True,
        )
        sizes = [image.tokens for image in images.values()]
        slots = {name: slot for slot, name in enumerate(images)}
        wanted = [slots[self._picture(index, name)] for index, row in enumerate(rows) for name in row.names]
        features = torch.cat([output.pooler_output[slot] for slot in wanted])
        layers = [torch.split(layer, sizes) for layer in output.deepstack_features]
        return features, [torch.cat([layer[slot] for slot in wanted]) for layer in layers]

    def _picture(self, row: int, name: str) -> tuple[int, str]:
        """What makes two pictures one to look at."""
        return 0 if self.share else row, name

    def _extend(self, caches: Sequence[RowCache], unread: Sequence[Sequence[int]]) -> _Batch:
        """Read what no cache holds yet, behind the caches."""
        past = max(cache.states.shape[2] for cache in caches)
        ids, fresh = _left_padded(unread, self.device)
        new = ids.shape[1]
        cache = self._room(len(caches), past + new)
        seen = fresh.new_zeros(len(caches), past)
        for index, one in enumerate(caches):
            length = one.states.shape[2]
            cache.states[:, index, :, past - length : past] = one.states
            seen[index, past - length :] = True
        cache.filled = past
        seen = torch.cat([seen, fresh], dim=1)
        prompts = {one.prompt.name: one.prompt for one in caches}
        names = list(prompts)
        block = PromptBlock(list(prompts.values()), [names.index(one.prompt.name) for one in caches])
        starts = torch.tensor([one.position for one in caches], device=self.device)
        positions = (fresh.long().cumsum(1) - 1).clamp(min=0) + starts[:, None]
        logits = self._forward(self._embed(ids), positions.expand(3, -1, -1), _causal(seen, new), cache, shared=block)
        return _Batch(block, cache, seen, logits, starts + fresh.sum(1))

    def _decode(self, batch: _Batch, rows: Sequence[Row]) -> list[Sampled]:
        """Sample token by token; finished rows leave the batch as soon as half of it has finished."""
        done = [Sampled() for _ in rows]
        alive = list(range(len(rows)))
        limits = [len(row.uniforms) for row in rows]
        uniforms = torch.stack([functional.pad(row.uniforms, (0, max(limits) - len(row.uniforms))) for row in rows]).to(self.device)
        temperatures = torch.tensor([row.temperature for row in rows], device=self.device)[:, None]
        greedy = torch.tensor([row.greedy for row in rows], device=self.device)
        logits = batch.logits
        for step in range(max(limits)):
            kept = torch.tensor(alive, device=self.device)
            scaled = logits.float() / temperatures[kept]
            tokens = self._draw(scaled, uniforms[kept, step], greedy[kept])
            logprobs = functional.log_softmax(scaled, dim=-1).gather(1, tokens[:, None])[:, 0].tolist()
            finished = []
            for place, (index, token) in enumerate(zip(alive, tokens.tolist(), strict=True)):
                if done[index].cache is not None:
                    continue
                done[index].ids.append(token)
                done[index].logprobs.append(logprobs[place])
                ended = rows[index].ended
                done[index].stopped = token in self.stops or (ended is not None and ended(done[index].ids))
                if done[index].stopped or len(done[index].ids) == limits[index]:
                    done[index].cache = _row_cache(batch, place)
                    finished.append(index)
            left = [place for place, index in enumerate(alive) if done[index].cache is None]
            if not left:
                break
            if len(left) * 2 <= len(alive):
                _keep(batch, left)
                alive = [alive[place] for place in left]
                tokens = tokens[torch.tensor(left, device=self.device)]
            batch.seen = functional.pad(batch.seen, (0, 1), value=True)
            positions = batch.positions[None, :, None].expand(3, -1, -1)
            mask = batch.seen[:, None, None, :]
            logits = self._forward(self._embed(tokens[:, None]), positions, mask, batch.cache, shared=batch.shared)
            batch.positions = batch.positions + 1
        return done

    def _draw(self, logits: torch.Tensor, uniforms: torch.Tensor, greedy: torch.Tensor) -> torch.Tensor:
        """One id per row by inversion of the distribution function, in double precision; the likeliest where greedy."""
        allowed = logits.index_fill(1, self.never, -torch.inf)
        cumulated = functional.softmax(allowed.double(), dim=-1).cumsum(-1)
        drawn = torch.searchsorted(cumulated, uniforms[:, None] * cumulated[:, -1:], right=True)[:, 0]
        return torch.where(greedy, allowed.argmax(-1), drawn.clamp(max=logits.shape[1] - 1))

    def _forward(self, embeds: torch.Tensor, positions: torch.Tensor, mask: torch.Tensor, cache: BatchCache, **extra: Any) -> torch.Tensor:
        """Logits (rows, vocabulary) after the last position; the cache has grown by the embeddings' length."""
        output = self.model.model.language_model(
            inputs_embeds=embeds, position_ids=positions, attention_mask=mask, past_key_values=cache, use_cache=True, **extra
        )
        cache.filled += embeds.shape[1]
        logits: torch.Tensor = self.model.lm_head(output.last_hidden_state[:, -1])
        return logits

    def _embed(self, ids: torch.Tensor) -> torch.Tensor:
        """Embeddings of ids; placeholders still without their features."""
        embeds: torch.Tensor = self.model.model.get_input_embeddings()(ids)
        return embeds

    def _precision(self) -> torch.autocast:
        return torch.autocast(self.device.type, dtype=self.autocast or torch.bfloat16, enabled=self.autocast is not None)

    def _room(self, rows: int, capacity: int) -> BatchCache:
        """An empty cache."""
        layers, heads, width = self._shape
        dtype = self.autocast or self.model.dtype
        return BatchCache(torch.zeros(layers, rows, heads, capacity, width, dtype=dtype, device=self.device), 0)


_Prompt = tuple[tuple[int, ...], tuple[str, ...]]
_GROUP = 16
"""Prompts read at once: larger blocks of activations leave the processor's cache and are slower per prompt."""

_SHORTEST_PREFIX = 16
"""A shorter common beginning is not worth a forward pass of its own."""


def _prompt(row: Row) -> _Prompt:
    """What makes two prompts equal."""
    return tuple(row.ids[: row.prompt]), row.names


def _unread(row: Row) -> Sequence[int]:
    """What has to be read behind a row's cache: all it brings, or what came behind its prompt."""
    return row.ids if row.cache is not None else row.ids[row.prompt :]


def _prompt_groups(rows: Sequence[Row]) -> list[list[int]]:
    """Indices of the rows without a cache, in groups to be read together: equal prompts in one group, like lengths side by side."""
    same: dict[_Prompt, list[int]] = {}
    for index, row in enumerate(rows):
        if row.cache is None:
            same.setdefault(_prompt(row), []).append(index)
    prompts = sorted(same, key=lambda prompt: len(prompt[0]))
    return [[index for prompt in prompts[at : at + _GROUP] for index in same[prompt]] for at in range(0, len(prompts), _GROUP)]


def _left_padded(rows: Sequence[Sequence[int]], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids (rows, longest) with zeros on the left, and where they are real."""
    longest = max(len(row) for row in rows)
    ids = torch.tensor([[0] * (longest - len(row)) + list(row) for row in rows], device=device)
    seen = torch.tensor([[False] * (longest - len(row)) + [True] * len(row) for row in rows], device=device)
    return ids, seen


def _causal(seen: torch.Tensor, new: int) -> torch.Tensor:
    """Which positions each of the last `new` may attend to, (rows, 1, new, all): real earlier ones and itself.

    Padding attends to itself, because attention over nothing is not a number, and that would spread.
    """
    length = seen.shape[1]
    ones = seen.new_ones(new, length)
    earlier = ones.tril(length - new)
    itself = earlier & ~ones.tril(length - new - 1)
    return ((earlier & seen[:, None, :]) | itself)[:, None]


def _join(parts: Sequence[_Batch], room: int) -> _Batch:
    """One batch, left-padded to the longest, with room for `room` more tokens."""
    longest = max(part.cache.filled for part in parts)
    states = [functional.pad(part.cache.states, (0, 0, longest - part.cache.filled, room)) for part in parts]
    seen = [functional.pad(part.seen, (longest - part.cache.filled, 0)) for part in parts]
    return _Batch(
        PromptBlock.joined([part.shared for part in parts]),
        BatchCache(torch.cat(states, dim=1), longest),
        torch.cat(seen),
        torch.cat([part.logits for part in parts]),
        torch.cat([part.positions for part in parts]),
    )


def _keep(batch: _Batch, places: Sequence[int]) -> None:
    """Drop all rows but those at `places`."""
    index = torch.tensor(places, device=batch.seen.device)
    batch.shared = batch.shared.keep(places)
    batch.cache.states = batch.cache.states[:, index]
    batch.seen = batch.seen[index]
    batch.positions = batch.positions[index]


def _row_cache(batch: _Batch, place: int) -> RowCache:
    """A copy of what the batch holds of one row, without padding; the prompt's is not copied."""
    states = batch.cache.states[:, place, :, : batch.cache.filled]
    prompt = batch.shared.prompts[batch.shared.of[place]]
    return RowCache(prompt, states[:, :, batch.seen[place]], int(batch.positions[place]))


def _real(states: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    """Those positions of (2 x layers, heads, all, width) that are tokens; a view where all are."""
    return states if bool(seen.all()) else states[:, :, seen]
