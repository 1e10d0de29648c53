"""A tiny Qwen3-VL: the classes, processor and folder layout of the large ones, with a few million parameters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from maestro.errors import CheckpointError, ConfigError
from maestro.policy import local_torchvision, vocabulary

local_torchvision.install()

CHAT_TEMPLATE = """\
{%- for message in messages -%}
{{- '<|im_start|>' + message['role'] + '\\n' -}}
{%- if message['content'] is string -%}
{{- message['content'] -}}
{%- else -%}
{%- for part in message['content'] -%}
{%- if part['type'] == 'image' -%}
{{- '<|vision_start|><|image_pad|><|vision_end|>' -}}
{%- elif part['type'] == 'text' -%}
{{- part['text'] -}}
{%- endif -%}
{%- endfor -%}
{%- endif -%}
{{- '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|im_start|>assistant\\n' -}}
{%- endif -%}
"""


@dataclass(frozen=True)
class Sizes:
    """Sizes of a tiny policy. The defaults make about one and a half million parameters."""

    hidden: int = 128
    layers: int = 4
    heads: int = 4
    kv_heads: int = 2
    head_width: int = 32
    intermediate: int = 384
    vision_hidden: int = 64
    vision_depth: int = 3
    vision_heads: int = 4
    vision_intermediate: int = 256
    patch: int = 16
    merge: int = 2
    deepstack: tuple[int, ...] = (0, 1)
    """Vision layers whose features are added to the first language layers."""
    image_tokens: int = 49
    """A picture costs at most this many tokens; a larger one is scaled down."""
    smallest_image_tokens: int = 16
    """A picture that would cost less is scaled up."""
    positions: int = 4096
    vocabulary: int = 1400
    rope_theta: float = 10_000.0
    initializer_range: float = 0.02


def build_tiny(
    folder: str | Path,
    seed: int,
    *,
    texts: Iterable[str] = (),
    experts: Sequence[str] = (),
    skills: Sequence[str] = (),
    **sizes: Any,
) -> Path:
    """Write a random tiny Qwen3-VL with its own vocabulary to `folder`, as a normal Hugging Face folder.

    `texts` (questions, menus, observations) and the ids of `experts` and `skills` shape the vocabulary; `sizes` are fields of
    `Sizes`. The same arguments give the same bytes of weights. Raises ConfigError for sizes that do not fit each other.
    """
    chosen = Sizes(**sizes)
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    processor = build_processor(chosen, texts=texts, experts=experts, skills=skills)
    save_model(build_model(chosen, processor.tokenizer, seed), processor, target)
    return target


def build_processor(sizes: Sizes, *, texts: Iterable[str] = (), experts: Sequence[str] = (), skills: Sequence[str] = ()) -> Any:
    """A `Qwen3VLProcessor` with a vocabulary trained on the spot."""
    from transformers import PreTrainedTokenizerFast, Qwen2VLImageProcessor, Qwen3VLProcessor, Qwen3VLVideoProcessor

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=vocabulary.train_vocabulary(texts, experts=experts, skills=skills, size=sizes.vocabulary),
        eos_token=vocabulary.END,
        pad_token=vocabulary.PAD,
        padding_side="left",
        model_max_length=sizes.positions,
        clean_up_tokenization_spaces=False,
        extra_special_tokens=list(vocabulary.SPECIALS),
    )
    pixels = (sizes.patch * sizes.merge) ** 2
    common = {
        "patch_size": sizes.patch,
        "merge_size": sizes.merge,
        "temporal_patch_size": 2,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
        "size": {"shortest_edge": sizes.smallest_image_tokens * pixels, "longest_edge": sizes.image_tokens * pixels},
    }
    return Qwen3VLProcessor(
        image_processor=Qwen2VLImageProcessor(**common),
        tokenizer=tokenizer,
        video_processor=Qwen3VLVideoProcessor(**common),
        chat_template=CHAT_TEMPLATE,
    )


def build_model(sizes: Sizes, tokenizer: Any, seed: int) -> Any:
    """A `Qwen3VLForConditionalGeneration` with random weights drawn from `seed`; the global generator is left as it was."""
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

    if sizes.hidden <= 0 or sizes.head_width % 4 or sizes.heads % sizes.kv_heads or sizes.vision_hidden % (4 * sizes.vision_heads):
        raise ConfigError(
            f"sizes do not fit: head_width {sizes.head_width} must be a multiple of 4, heads {sizes.heads} of kv_heads {sizes.kv_heads}, "
            f"vision_hidden {sizes.vision_hidden} of 4 x vision_heads {sizes.vision_heads}."
        )
    half = sizes.head_width // 2
    plane = half * 5 // 16
    ids = {name: tokenizer.convert_tokens_to_ids(token) for name, token in _CONFIG_TOKENS.items()}
    config = Qwen3VLConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": sizes.hidden,
            "intermediate_size": sizes.intermediate,
            "num_hidden_layers": sizes.layers,
            "num_attention_heads": sizes.heads,
            "num_key_value_heads": sizes.kv_heads,
            "head_dim": sizes.head_width,
            "max_position_embeddings": sizes.positions,
            "initializer_range": sizes.initializer_range,
            "pad_token_id": tokenizer.pad_token_id,
            "tie_word_embeddings": True,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": sizes.rope_theta,
                "mrope_section": [half - 2 * plane, plane, plane],
                "mrope_interleaved": True,
            },
        },
        vision_config={
            "depth": sizes.vision_depth,
            "hidden_size": sizes.vision_hidden,
            "intermediate_size": sizes.vision_intermediate,
            "num_heads": sizes.vision_heads,
            "patch_size": sizes.patch,
            "spatial_merge_size": sizes.merge,
            "temporal_patch_size": 2,
            "out_hidden_size": sizes.hidden,
            "num_position_embeddings": 256,
            "deepstack_visual_indexes": list(sizes.deepstack),
            "initializer_range": sizes.initializer_range,
        },
        tie_word_embeddings=True,
        **ids,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Qwen3VLForConditionalGeneration(config)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    return model.eval()


def save_model(model: Any, processor: Any, folder: str | Path, weights: dict[str, torch.Tensor] | None = None) -> None:
    """Write weights (safetensors), configuration, processor, tokenizer and chat template as a Hugging Face folder.

    `weights` (by name in the plain model) stand in for the model's own.
    """
    with _quietly():
        model.save_pretrained(folder, state_dict=weights)
        processor.save_pretrained(folder)


def load_model(folder: str | Path, *, dtype: torch.dtype = torch.float32) -> tuple[Any, Any]:
    """The model and the processor of a Hugging Face folder, by the Auto classes; nothing is ever fetched from the network.

    Raises CheckpointError when the folder is not one, or its weights are damaged or incomplete.
    """
    from safetensors import SafetensorError
    from transformers import AutoModelForImageTextToText

    path, processor = Path(folder), load_processor(folder)
    try:
        with _quietly():
            model, loaded = AutoModelForImageTextToText.from_pretrained(path, dtype=dtype, local_files_only=True, output_loading_info=True)
    except (OSError, ValueError, SafetensorError) as error:
        raise CheckpointError(f"the model in {path} cannot be loaded: {error}") from error
    if loaded["missing_keys"]:
        # Transformers would go on with random weights in their place.
        raise CheckpointError(f"the weights in {path} are incomplete: {', '.join(sorted(loaded['missing_keys'])[:3])} ... missing.")
    return model.eval(), processor


def load_processor(folder: str | Path) -> Any:
    """The processor of a Hugging Face folder. Raises CheckpointError when the folder is not one."""
    from transformers import AutoProcessor

    path = Path(folder)
    missing = [name for name in ("config.json", "tokenizer_config.json") if not (path / name).exists()]
    if missing:
        raise CheckpointError(f"no model in {path}: {', '.join(missing)} missing. Give a folder in Hugging Face layout.")
    try:
        with _quietly():
            return AutoProcessor.from_pretrained(path, local_files_only=True)
    except (OSError, ValueError) as error:
        raise CheckpointError(f"the processor in {path} cannot be loaded: {error}") from error


@contextmanager
def _quietly() -> Iterator[None]:
    """Without Transformers' progress bars: a few megabytes need none, and they would get between a command's lines."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


_CONFIG_TOKENS = {
    "image_token_id": vocabulary.IMAGE,
    "video_token_id": vocabulary.VIDEO,
    "vision_start_token_id": vocabulary.VISION_START,
    "vision_end_token_id": vocabulary.VISION_END,
}
