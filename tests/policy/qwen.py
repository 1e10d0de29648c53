"""A checkpoint folder in the layout of the released one: Qwen's pieces, grammar tags as ordinary text, a template that opens a thought."""

from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from maestro.policy.vocabulary import SPECIALS

PIECES = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
ADDED = ("<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<think>", "</think>")
"""Added but not special, so that decoding keeps them."""
TEXTS = [
    "<search> eye-model@@Read_Solver: What does the sign say? </search><|im_end|>",
    "<answer>42</answer>\n\nuser<information>answer</information>assistant thinking about the picture and which skill fits best",
    "<answer> seven </answer>\n<search> ear-model@@Count_Solver: How many are there? </search>\n",
] * 8
TEMPLATE = """\
{%- for message in messages %}
    {{- '<|im_start|>' + message.role + '\\n' }}
    {%- if message.content is string %}
        {{- message.content }}
    {%- else %}
        {%- for part in message.content %}
            {%- if part.type == 'image' %}
                {{- '<|vision_start|><|image_pad|><|vision_end|>' }}
            {%- else %}
                {{- part.text }}
            {%- endif %}
        {%- endfor %}
    {%- endif %}
    {{- '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n<think>\\n' }}
{%- endif %}
"""


def qwen_tokenizer(size: int = 700) -> Tokenizer:
    """Byte-level BPE over Qwen's pieces, trained on a handful of lines."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=size, min_frequency=2, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIALS])
    tokenizer.add_tokens([AddedToken(token, special=False, normalized=False) for token in ADDED])
    return tokenizer


def transformers_tokenizer(size: int = 700) -> Any:
    """The same as Transformers has it."""
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_object=qwen_tokenizer(size),
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        padding_side="left",
        clean_up_tokenization_spaces=False,
        extra_special_tokens=list(SPECIALS),
    )


def save_wording(folder: Path) -> Path:
    """Tokenizer and template alone, as a client of a served checkpoint has them."""
    folder.mkdir(parents=True, exist_ok=True)
    qwen_tokenizer().save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text('{"eos_token": "<|im_end|>", "pad_token": {"content": "<|endoftext|>"}}')
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    return folder


def save_checkpoint(folder: Path, sizes: dict[str, Any], seed: int = 3) -> Path:
    """A tiny Qwen3-VL as large ones are published: bfloat16, several files with an index, two ends of a message."""
    import torch

    from maestro.policy.local_model import Sizes, build_model, build_processor

    chosen = Sizes(**sizes)
    processor = build_processor(chosen)
    processor.tokenizer = transformers_tokenizer()
    processor.chat_template = TEMPLATE
    model = build_model(chosen, processor.tokenizer, seed).to(torch.bfloat16)
    ids = processor.tokenizer.convert_tokens_to_ids
    model.generation_config.eos_token_id = [ids("<|im_end|>"), ids("<|endoftext|>")]
    model.save_pretrained(folder, max_shard_size="200KB")
    processor.save_pretrained(folder)
    return folder
