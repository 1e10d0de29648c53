"""What a policy of the dialect `maestro` reads first: the menu, the question and the budget, as short as it goes."""

from __future__ import annotations

from typing import Any

from maestro.policy.dialect_maestro import neutralise
from maestro.policy.protocol import Opening
from maestro.registry.menu import Menu
from maestro.types import Price


def write_menu(menu: Menu) -> str:
    """Experts with their prices in thousandths of a dollar, then every skill with the experts it may be run with.

    `experts:page-ocr 1,full-ocr 10` / `read:page-ocr,full-ocr` ...
    """
    experts = ",".join(f"{expert.id} {write_price(expert.price)}" for expert in menu.experts)
    skills = [f"{skill.id}:{','.join(skill.experts)}" for skill in menu.skills]
    return "\n".join([f"experts:{experts}", *skills])


def write_price(price: Price) -> str:
    """A price in thousandths of a dollar per call, with the parts that depend on size where there are any."""
    parts = [f"{1000 * price.call_usd:g}"] if price.call_usd or price == Price() else []
    if price.megapixel_usd:
        parts.append(f"{1000 * price.megapixel_usd:g}/megapixel")
    if price.input_mtok_usd or price.output_mtok_usd:
        parts.append(f"{1000 * price.input_mtok_usd:g}-{1000 * price.output_mtok_usd:g}/Mtoken")
    return "+".join(parts)


def write_prompt(opening: Opening) -> str:
    """The user's message without its images. Everything that people or experts wrote is neutralised."""
    task = opening.task
    lines = [neutralise(write_menu(opening.menu)), f"question: {neutralise(task.question)}"]
    if task.choices:
        lines.append("choices: " + "; ".join(f"{chr(65 + index)}) {neutralise(choice)}" for index, choice in enumerate(task.choices)))
    if opening.cost_weight is not None:
        lines.append(f"cost weight: {opening.cost_weight:g}")
    return "\n".join(lines)


def write_messages(opening: Opening) -> list[dict[str, Any]]:
    """The prompt as chat messages for a processor's chat template: one user message, images first."""
    content: list[dict[str, Any]] = [{"type": "image"} for _ in opening.task.images]
    content.append({"type": "text", "text": write_prompt(opening)})
    return [{"role": "user", "content": content}]
