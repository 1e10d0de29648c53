"""The original's world in small: a random Qwen3-VL with a thinking template, rows in Parquet, experts on loopback servers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from maestro.images import ImageStore
from maestro.policy.dialect_maestro_4b import Maestro4bDialect
from maestro.policy.local import LocalPolicy
from maestro.policy.prompt_maestro_4b import REMINDER, render_system
from maestro.policy.protocol import Opening
from maestro.policy.vocabulary import SPECIALS
from maestro.registry.registry import Registry
from maestro.tasks.opening import task_source
from maestro.train.batches import Row
from maestro.train.config.run import OptimizerConfig
from maestro.train.supervised import Supervised
from tests.policy.loopback import Loopback, listening
from tests.policy.qwen import ADDED, PIECES
from tests.tasks.rows import encoded, original_row, picture, write_parquet

SIZES = {
    "hidden": 32,
    "layers": 2,
    "heads": 2,
    "kv_heads": 1,
    "head_width": 16,
    "intermediate": 64,
    "vision_hidden": 16,
    "vision_heads": 2,
    "vision_depth": 2,
    "vision_intermediate": 32,
    "deepstack": (0,),
    "image_tokens": 16,
    "smallest_image_tokens": 4,
    "positions": 8192,
}
TEMPLATE = """\
{%- for message in messages %}
    {{- '<|im_start|>' + message.role + '\\n' }}
    {%- if message.content is string %}
        {%- if message.role == 'assistant' and not loop.last %}
            {{- message.content.split('</think>')[-1].lstrip('\\n') }}
        {%- else %}
            {{- message.content }}
        {%- endif %}
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
"""As Qwen's thinking models have it: the prompt opens a thought, and thoughts of earlier turns are left out when rendered again."""
CALL = "a chart\n</think>\n\n<search> Chart-R1@@Chart_Problem_Solver: bar </search>"
ANSWERS = ("<think>\nread\n</think>\n\n<answer>14</answer>", "<think>\nread\n</think>\n\n<answer>7</answer>")
EXPERTS = ("INTERN_S1_MINI", "GLM_4_6V_FLASH", "QWEN3_VL_8B_INSTRUCT", "CHART_R1", "MEDGEMMA_1_5_4B_IT", "DEEPEYES_7B", "GLM_OCR")
REPLY = "bar\nthe largest bar shows\n14"


def vocabulary(texts: list[str]) -> Tokenizer:
    """Byte-level BPE over Qwen's pieces; grammar tags are ordinary text, `<think>` is added but not special."""
    tokenizer = Tokenizer(models.BPE())
    split = pre_tokenizers.Split(Regex(PIECES), behavior="isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=1000, min_frequency=2, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts * 4, trainer)
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIALS])
    tokenizer.add_tokens([AddedToken(token, special=False, normalized=False) for token in ADDED])
    return tokenizer


def random_checkpoint(folder: Path) -> Path:
    """A random tiny Qwen3-VL in the layout of the large ones."""
    import torch
    from transformers import PreTrainedTokenizerFast

    from maestro.policy.local_model import Sizes, build_model, build_processor

    sizes = Sizes(**SIZES)
    processor = build_processor(sizes)
    texts = [render_system(Registry.load("maestro").menu()), REMINDER, CALL, *ANSWERS, REPLY, "user<information></information>"]
    processor.tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=vocabulary(texts),
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        padding_side="left",
        clean_up_tokenization_spaces=False,
        extra_special_tokens=list(SPECIALS),
    )
    processor.chat_template = TEMPLATE
    model = build_model(sizes, processor.tokenizer, 3).to(torch.float32)
    ids = processor.tokenizer.convert_tokens_to_ids
    model.generation_config.eos_token_id = [ids("<|im_end|>"), ids("<|endoftext|>")]
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def rows_folder(folder: Path) -> Path:
    """Rows of the original's schema, a file a split."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, first, count in (("train", 10, 4), ("val", 50, 2)):
        rows = []
        for index in range(first, first + count):
            image = {"bytes": encoded(picture("red", (64 + index, 48))), "path": f"nowhere/{index}.png"}
            rows.append(original_row(index, images=[image], question=f"What is the largest bar of chart {index}?"))
        write_parquet(folder / f"{split}.parquet", rows)
    return folder


def speaking_checkpoint(start: Path, rows: Path, folder: Path, steps: int = 120) -> Path:
    """The checkpoint after a few supervised steps on one call and two answers: it speaks the grammar, and knows nothing else."""
    images = ImageStore()
    menu = Registry.load("maestro").menu()
    policy = LocalPolicy.load(start, images, dialect=Maestro4bDialect(menu, history="whole"), max_tokens=4096)
    tasks = task_source(str(rows)).load("train", None, images)
    written = []
    for task in tasks[:2]:
        prompt = tuple(policy.encode_prompt(Opening(task.unanswered(), menu)))
        seen = policy.dialect.encode_observation(REPLY, policy.codec, 64)
        call, end = policy.encode(CALL), policy.encode("<|im_end|>")
        for answer in ANSWERS:
            said = policy.encode(answer)
            mask = (*[1] * len(call), *[0] * (len(end) + len(seen)), *[1] * len(said))
            written.append(Row(prompt, (*call, *end, *seen, *said), mask, task.images))
    trainer = Supervised(policy, OptimizerConfig(lr=0.008, warmup_steps=10, weight_decay=0.0), steps, micro_batch=4)
    for _ in range(steps):
        trainer.step(written)
    policy.save(folder)
    return folder


@contextmanager
def experts() -> Iterator[tuple[list[Loopback], dict[str, str]]]:
    """A loopback server for each expert (one service a port), in a thread of their own, and the environment that leads there."""
    ready, done = threading.Event(), threading.Event()
    found: list[Loopback] = []

    def reply(path: str, body: dict[str, Any] | None) -> tuple[int, Any]:
        if body is None or not path.endswith("/chat/completions"):
            return 200, {"object": "list", "data": [{"id": name, "object": "model"} for name in ("Chart-R1", "GLM-OCR", "DeepEyes-7B")]}
        message = {"role": "assistant", "content": REPLY}
        usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return 200, {"id": "1", "object": "chat.completion", "created": 1, "model": body["model"], "choices": [choice], "usage": usage}

    async def serve() -> None:
        async with AsyncExitStack() as stack:
            for _ in EXPERTS:
                found.append(await stack.enter_async_context(listening(reply)))  # noqa: PERF401
            ready.set()
            await asyncio.to_thread(done.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield found, {f"MAESTRO_{name}_URL": server.url for name, server in zip(EXPERTS, found, strict=True)}
    finally:
        done.set()
        thread.join(10)
