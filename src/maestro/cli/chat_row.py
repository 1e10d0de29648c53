"""`--chat`: a chat model, prompted and not trained, as a row beside the baselines."""

from __future__ import annotations

from collections.abc import Sequence

import click

from maestro.errors import ConfigError, not_found
from maestro.images import ImageStore
from maestro.policy.chat import ChatPolicy, ChatSettings
from maestro.policy.dialect_tools import ToolsDialect
from maestro.policy.endpoint import Endpoint
from maestro.policy.loading import CHAT, load_policy
from maestro.policy.protocol import Policy
from maestro.registry.menu import Menu
from maestro.registry.registry import Registry
from maestro.types import Expert

chat_option = click.option(
    "--chat",
    "chats",
    multiple=True,
    metavar="MODEL@URL|EXPERT",
    help="Also a chat model in the dialect `tools`: served at an address, with options as in chat:URL#MODEL?…, or an expert's. Repeatable.",
)


def chat_policies(names: Sequence[str], menu: Menu, images: ImageStore, registry: Registry | None) -> list[Policy]:
    """A policy for each name: `MODEL@URL?options`, `chat:URL#MODEL?options`, or the id of a served expert of the registry.

    Raises ConfigError for a name that is none of them, or given twice; InfrastructureFault when a server that has to say what it serves
    does not answer.
    """
    found: dict[str, Policy] = {}
    for name in names:
        policy = _policy(name, menu, images, registry)
        if policy.name in found:
            raise ConfigError(f"--chat names {policy.name} twice; rows are told apart by the model's name.")
        found[policy.name] = policy
    return list(found.values())


def _policy(name: str, menu: Menu, images: ImageStore, registry: Registry | None) -> Policy:
    if name.startswith(CHAT):
        return load_policy(name, menu, images)
    model, at, address = name.partition("@http")
    if at:
        url, mark, options = f"http{address}".partition("?")
        return load_policy(f"{CHAT}{url}#{model}{mark}{options}", menu, images)
    served = {card.id: card for card in registry.experts.values() if card.kind == "openai"} if registry is not None else {}
    if name not in served:
        step = "Name an address: MODEL@http://HOST:PORT/v1"
        raise ConfigError(not_found("served expert of the registry, to be asked by --chat,", name, served, step))
    return _of_card(served[name], menu, images)


def _of_card(card: Expert, menu: Menu, images: ImageStore) -> ChatPolicy:
    """A served expert as the one who decides: its address, key and price are those of its card."""
    endpoint = Endpoint(card.endpoint or "", card.api_key_env)
    return ChatPolicy(endpoint, card.target or card.id, images, ToolsDialect(menu), ChatSettings(price=card.price), name=f"chat:{card.id}")
