"""Names of policies with options: `NAME?option=value&option=value`, and which options each kind of policy knows."""

from __future__ import annotations

from typing import Literal, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from maestro.errors import ConfigError, not_found
from maestro.policy.dialect_maestro import MaestroDialect
from maestro.policy.dialect_maestro_4b import HistoryKind, Maestro4bDialect
from maestro.policy.prompt_maestro_4b import PlannerPrompt
from maestro.policy.protocol import TokenDialect
from maestro.registry.menu import Menu
from maestro.tasks.wrapping import SYSTEM_SHA256


class _Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TokenOptions(_Options):
    """What every policy of token rows may be told."""

    dialect: Literal["maestro", "maestro-4b"] | None = None
    """None: `maestro` for a vocabulary with the grammar tags as single tokens, else what registry.yaml names, else `maestro-4b`."""
    history: HistoryKind | None = None
    """What a generation leaves in the row of `maestro-4b`: `whole` keeps every sampled id, thoughts included, and is what a policy trained
    here reads; `original` drops most thoughts, as for the released checkpoint. None: what the checkpoint's folder says, else `original`."""
    temperature: float = Field(default=1.0, gt=0)
    """Of sampled decisions."""
    max_new_tokens: int | None = Field(default=None, ge=1)
    """Of one decision. None: 96 in `maestro`, 8192 in `maestro-4b`."""
    max_tokens: int | None = Field(default=None, ge=64)
    """Of an episode's whole row. None: 1024 in `maestro`, 16384 in `maestro-4b`."""
    observation_tokens: int | None = Field(default=None, ge=8)
    """Of one observation. None: 128 in `maestro`, 1024 in `maestro-4b`."""
    prompt: str | None = None
    """`maestro-4b`: a file with the original system text, used byte for byte. None: our own text, rendered from the registry."""
    prompt_sha256: str = SYSTEM_SHA256
    """Of that text, for a checkpoint that was trained with another one."""


class LocalOptions(TokenOptions):
    """A checkpoint folder, loaded in this process."""

    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """`auto`: bfloat16 on CUDA, else float32."""
    device: str = "auto"
    """`auto`: CUDA when there is one and the weights are heavier than 400 MB; else the processor."""
    threads: int | None = Field(default=None, ge=1)
    """Of PyTorch on the processor. None: 1 for a tiny checkpoint, all cores for a heavy one."""


class ServedOptions(TokenOptions):
    """A checkpoint on a vLLM server."""

    tokenizer: str | None = None
    """Folder with the checkpoint's tokenizer and chat template. None: the folder that the server says it serves."""
    key_env: str | None = None
    """The environment variable with the server's key."""


class ChatOptions(_Options):
    """A model behind a chat API."""

    key_env: str | None = None
    """The environment variable with the key."""
    temperature: float | Literal["default"] | None = None
    """None: 0 for greedy decisions, else 1. `default` leaves it to the server."""
    max_new_tokens: int = Field(default=2048, ge=1)
    """Of one decision, thinking included."""
    limit_field: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens"
    """How the server calls that limit."""
    call_usd: float = Field(default=0.0, ge=0)
    """Price of one decision."""
    input_mtok_usd: float = Field(default=0.0, ge=0)
    """Price of a million tokens read."""
    output_mtok_usd: float = Field(default=0.0, ge=0)
    """Price of a million tokens written."""


Options = TypeVar("Options", bound=_Options)
SIZES: dict[str, dict[str, int]] = {
    "maestro": {"max_new_tokens": 96, "max_tokens": 1024, "observation_tokens": 128, "reserve": 96},
    "maestro-4b": {"max_new_tokens": 8192, "max_tokens": 16_384, "observation_tokens": 1024, "reserve": 1024},
}
"""Token limits of each dialect; those of `maestro-4b` are what the released checkpoint was trained with."""


def split_name(name: str) -> tuple[str, str]:
    """The name without its options, and the options as written."""
    plain, _, written = name.partition("?")
    return plain, written


def read_options(kind: type[Options], written: str) -> Options:
    """Options as `option=value&option=value`. Raises ConfigError naming what exists."""
    try:
        given = dict(parse_qsl(written, strict_parsing=True, keep_blank_values=True)) if written else {}
    except ValueError as error:
        raise ConfigError(f"{written!r} are no options; write them as option=value&option=value.") from error
    if unknown := [option for option in given if option not in kind.model_fields]:
        raise ConfigError(not_found("option of this policy", unknown[0], kind.model_fields))
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc'][:1]))}={one['input']!r}: {one['msg']}" for one in error.errors())
        raise ConfigError(f"the policy's options: {wrong}.") from error


def token_dialect(options: TokenOptions, menu: Menu, *, single_tags: bool) -> TokenDialect:
    """The dialect asked for, else the checkpoint's own, else the registry's. Raises ConfigError when it cannot be spoken.

    A vocabulary that has the grammar tags as single tokens was made for `maestro`: no registry talks it out of that.
    """
    name = options.dialect or ("maestro" if single_tags else menu.dialect or "maestro-4b")
    if name == "maestro":
        if options.prompt is not None:
            raise ConfigError("prompt is an option of the dialect maestro-4b; the dialect maestro has no fixed text.")
        if options.history is not None:
            raise ConfigError("history is an option of the dialect maestro-4b; in the dialect maestro every sampled id stays.")
        return MaestroDialect()
    prompt = PlannerPrompt.read(options.prompt, options.prompt_sha256) if options.prompt is not None else None
    return Maestro4bDialect(menu, prompt=prompt, history=options.history or "original")


def sizes(options: TokenOptions, dialect: str) -> dict[str, int]:
    """Token limits: those given, else the dialect's."""
    chosen = dict(SIZES[dialect])
    for name in ("max_new_tokens", "max_tokens", "observation_tokens"):
        given: int | None = getattr(options, name)
        if given is not None:
            chosen[name] = given
    chosen["reserve"] = min(chosen["reserve"], chosen["max_new_tokens"])
    if chosen["max_tokens"] <= chosen["reserve"] + chosen["observation_tokens"]:
        raise ConfigError(
            f"max_tokens {chosen['max_tokens']} leaves no room for a prompt beside an observation ({chosen['observation_tokens']}) and "
            f"a decision ({chosen['reserve']})."
        )
    return chosen
