"""From `served:URL#MODEL` and `chat:URL#MODEL` to the policy: the server is asked once what it serves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from maestro.errors import ConfigError, not_found
from maestro.images import ImageStore
from maestro.policy.chat import ChatPolicy, ChatSettings
from maestro.policy.codec import TOKENIZER, Wording
from maestro.policy.control import TAGS
from maestro.policy.dialect_tools import ToolsDialect
from maestro.policy.endpoint import Endpoint
from maestro.policy.options import ChatOptions, ServedOptions, read_options, sizes, split_name, token_dialect
from maestro.policy.sampling import SamplingSettings
from maestro.policy.served import RowLimits, ServedPolicy
from maestro.policy.spoken import spoken
from maestro.registry.menu import Menu
from maestro.types import Price


def load_served(name: str, menu: Menu, images: ImageStore, *, greedy: bool, seed: int) -> ServedPolicy:
    """The policy of `served:URL#MODEL?options`. Raises ConfigError, CheckpointError, InfrastructureFault when the server is down."""
    url, model, written = _split(name, "served:")
    options = read_options(ServedOptions, written)
    endpoint = Endpoint(url, options.key_env)
    card = _card(endpoint, model)
    folder = Path(options.tokenizer or _folder(card, url)).expanduser()
    options = spoken(folder, options)
    wording = Wording.load(folder)
    single = all(len(wording.codec.encode(tag)) == 1 for tag in TAGS)
    dialect = token_dialect(options, menu, single_tags=single)
    limits = sizes(options, dialect.name)
    row = min(limits["max_tokens"], int(card.get("max_model_len") or limits["max_tokens"]))
    return ServedPolicy(
        endpoint,
        str(card["id"]),
        wording,
        images,
        dialect,
        SamplingSettings(temperature=options.temperature, seed=seed, max_new_tokens=limits["max_new_tokens"], greedy=greedy),
        RowLimits(row=row, observation=limits["observation_tokens"], reserve=limits["reserve"]),
        name=f"served:{card['id']}",
    )


def load_chat(name: str, menu: Menu, images: ImageStore, *, greedy: bool, seed: int) -> ChatPolicy:
    """The policy of `chat:URL#MODEL?options`. The model may be left out where the server has only one. Raises as `load_served`."""
    url, model, written = _split(name, "chat:")
    options = read_options(ChatOptions, written)
    endpoint = Endpoint(url, options.key_env)
    # Not every chat API lists its models, so a name that is given is taken as it is.
    served = model or str(_card(endpoint, model)["id"])
    temperature = (0.0 if greedy else 1.0) if options.temperature is None else options.temperature
    settings = ChatSettings(
        temperature=None if temperature == "default" else temperature,
        max_new_tokens=options.max_new_tokens,
        limit_field=options.limit_field,
        seed=None if greedy else seed,
        price=Price(call_usd=options.call_usd, input_mtok_usd=options.input_mtok_usd, output_mtok_usd=options.output_mtok_usd),
    )
    return ChatPolicy(endpoint, served, images, ToolsDialect(menu), settings, name=f"chat:{served}")


def _split(name: str, prefix: str) -> tuple[str, str, str]:
    """URL, model and options as written."""
    plain, written = split_name(name.removeprefix(prefix))
    url, _, model = plain.partition("#")
    return url, model, written


def _card(endpoint: Endpoint, model: str) -> dict[str, Any]:
    """What the server says about a model; about its only one when no name is given. Raises ConfigError naming what it serves."""
    cards = {str(card.get("id")): card for card in endpoint.models()}
    if not model and len(cards) == 1:
        return next(iter(cards.values()))
    if model not in cards:
        raise ConfigError(not_found(f"model at {endpoint.base_url}", model, cards, "Write it behind the address: URL#MODEL."))
    return cards[model]


def _folder(card: dict[str, Any], url: str) -> Path:
    """The folder that the server loaded the model from, when this machine has it."""
    root = Path(str(card.get("root") or ""))
    if not (root / TOKENIZER).is_file():
        raise ConfigError(
            f"the server at {url} serves {card['id']} from {str(root)!r}, which is no folder with a {TOKENIZER} here; "
            f"give one with ?tokenizer=FOLDER."
        )
    return root
