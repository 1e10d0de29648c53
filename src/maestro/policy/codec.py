"""A checkpoint's tokenizer and chat template, without loading the checkpoint."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from maestro.errors import CheckpointError, MissingDependency
from maestro.policy.control import Neutraliser

TOKENIZER = "tokenizer.json"
INSTALL = "install it with: pip install 'maestro-orchestrator[served]'"


class TokenizerCodec:
    """Encodes and decodes with one tokenizer, and neutralises its special tokens in what others wrote."""

    def __init__(self, encode: Callable[[str], list[int]], decode: Callable[[Sequence[int]], str], special: Iterable[str]) -> None:
        """`special` are the texts of the tokenizer's special tokens."""
        self.encode = encode
        self.decode = decode
        self.neutralise = Neutraliser(special)

    @classmethod
    def of(cls, tokenizer: Any) -> TokenizerCodec:
        """Over a `tokenizers.Tokenizer`."""
        return cls(
            lambda text: list(tokenizer.encode(text, add_special_tokens=False).ids),
            lambda ids: str(tokenizer.decode(list(ids), skip_special_tokens=False)),
            [token.content for token in tokenizer.get_added_tokens_decoder().values() if token.special],
        )

    @classmethod
    def of_transformers(cls, tokenizer: Any) -> TokenizerCodec:
        """Over a Transformers tokenizer."""
        return cls(
            lambda text: list(tokenizer.encode(text, add_special_tokens=False)),
            lambda ids: str(tokenizer.decode(list(ids), skip_special_tokens=False)),
            [token.content for token in tokenizer.added_tokens_decoder.values() if token.special],
        )


@dataclass(frozen=True)
class Wording:
    """What a client of a served checkpoint needs of its folder: tokenizer and chat template."""

    codec: TokenizerCodec
    template: str
    special: dict[str, str]
    """Named special tokens (`eos_token`, ...), as chat templates use them."""
    vocabulary: dict[str, int]
    specials: tuple[str, ...] = ()
    """The texts of all special tokens."""
    ends: frozenset[int] = frozenset()
    """Ids that end a message: those of generation_config.json and the tokenizer's own."""

    @classmethod
    def load(cls, folder: str | Path) -> Wording:
        """Read `tokenizer.json`, `tokenizer_config.json` and the chat template of a folder in Hugging Face layout.

        Raises CheckpointError when one is missing or damaged, MissingDependency without the package tokenizers.
        """
        try:
            from tokenizers import Tokenizer
        except ModuleNotFoundError as error:
            raise MissingDependency(
                "a served policy needs the package tokenizers; install it with: pip install tokenizers jinja2"
            ) from error
        path = Path(folder).expanduser()
        if not (path / TOKENIZER).is_file():
            raise CheckpointError(f"no {TOKENIZER} in {path}. Give the folder of the served checkpoint, or a copy of its tokenizer.")
        try:
            tokenizer = Tokenizer.from_file(str(path / TOKENIZER))
            config = orjson.loads((path / "tokenizer_config.json").read_bytes())
        except Exception as error:  # the Rust library raises plain Exception
            raise CheckpointError(f"the tokenizer in {path} cannot be read: {error}") from error
        vocabulary = tokenizer.get_vocab(with_added_tokens=True)
        named = _named(config)
        return cls(
            codec=TokenizerCodec.of(tokenizer),
            template=_template(path, config),
            special=named,
            vocabulary=vocabulary,
            specials=tuple(token.content for token in tokenizer.get_added_tokens_decoder().values() if token.special),
            ends=message_ends(path, vocabulary.get(named.get("eos_token", ""))),
        )

    def render(self, messages: Sequence[dict[str, Any]]) -> str:
        """Chat messages as the checkpoint's template writes them, generation prompt included. Raises CheckpointError."""
        try:
            from jinja2 import TemplateError
            from jinja2.ext import loopcontrols
            from jinja2.sandbox import ImmutableSandboxedEnvironment
        except ModuleNotFoundError as error:
            raise MissingDependency(f"a served policy needs {error.name}; {INSTALL}") from error

        def refuse(message: str) -> None:
            raise TemplateError(message)

        # The settings that Transformers renders chat templates with.
        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
        environment.filters["tojson"] = lambda value, indent=None, **_: json.dumps(value, ensure_ascii=False, indent=indent)
        environment.globals["raise_exception"] = refuse
        try:
            return environment.from_string(self.template).render(messages=messages, add_generation_prompt=True, **self.special)
        except TemplateError as error:
            raise CheckpointError(f"the checkpoint's chat template refuses the prompt: {error}") from error


def _template(path: Path, config: dict[str, Any]) -> str:
    """The chat template, wherever the layout of its time keeps it."""
    if (file := path / "chat_template.jinja").is_file():
        return file.read_text(encoding="utf-8")
    older: Any = config.get("chat_template")
    if (file := path / "chat_template.json").is_file():
        older = orjson.loads(file.read_bytes()).get("chat_template", older)
    if isinstance(older, str):
        return older
    raise CheckpointError(f"no chat template in {path} (chat_template.jinja, chat_template.json or tokenizer_config.json).")


def _named(config: dict[str, Any]) -> dict[str, str]:
    """The named special tokens of tokenizer_config.json."""
    values = {name: config.get(name) for name in ("bos_token", "eos_token", "pad_token", "unk_token")}
    texts = {name: value.get("content") if isinstance(value, dict) else value for name, value in values.items()}
    return {name: text for name, text in texts.items() if isinstance(text, str)}


def message_ends(path: Path, own: int | None) -> frozenset[int]:
    """The ids that end a message: those that the checkpoint in `path` lists, and its tokenizer's `own`."""
    file = path / "generation_config.json"
    listed = orjson.loads(file.read_bytes()).get("eos_token_id") if file.is_file() else None
    ends = {listed} if isinstance(listed, int) else set(listed or ())
    return frozenset(ends | ({own} if own is not None else set()))
