"""The menu as text: in full for models that read, compact for a tiny policy that counts tokens."""

from __future__ import annotations

from typing import Literal

from maestro.registry.menu import Menu
from maestro.types import Expert, Price, Skill


def render(menu: Menu, detail: Literal["full", "compact", "brief"] = "full") -> str:
    """The menu as a policy reads it.

    `full`: ids, summaries, prices, what each skill takes and gives, its experts. `compact`: one line per skill with its
    experts, then one line of prices in thousandths of a dollar per call (`page-tesseract 1`). `brief`: the skills' ids and
    the line of prices; who is offered for what is left out, for policies that count every token and learn it.
    """
    match detail:
        case "full":
            return _full(menu)
        case "compact":
            return _compact(menu)
        case "brief":
            return f"skills: {' '.join(skill.id for skill in menu.skills)}\n{_prices(menu)}"


def price_text(price: Price) -> str:
    """A price in words: `$0.0015 a call + $2 per million output tokens`, or `free`."""
    parts = [
        (price.call_usd, "a call"),
        (price.megapixel_usd, "per megapixel"),
        (price.input_mtok_usd, "per million input tokens"),
        (price.output_mtok_usd, "per million output tokens"),
    ]
    return " + ".join(f"${_number(amount)} {unit}" for amount, unit in parts if amount) or "free"


def _full(menu: Menu) -> str:
    lines = ["Experts:"]
    lines += [f"- {expert.id}: {expert.summary} Price: {price_text(expert.price)}." for expert in menu.experts]
    lines += ["", "Skills:"]
    for skill in menu.skills:
        lines.append(f"- {skill.id}: {skill.summary}")
        lines.append(f"  takes {' or '.join(skill.takes)}; gives {skill.gives}; experts: {', '.join(skill.experts)}")
    return "\n".join(lines)


def _compact(menu: Menu) -> str:
    lines = [_compact_skill(skill) for skill in menu.skills]
    return "\n".join([*lines, _prices(menu)])


def _prices(menu: Menu) -> str:
    return "price: " + " ".join(f"{expert.id} {_compact_price(expert)}" for expert in menu.experts)


def _compact_skill(skill: Skill) -> str:
    return f"{skill.id}: {' '.join(skill.experts)}"


def _compact_price(expert: Expert) -> str:
    """Thousandths of a dollar: the flat part, then what a megapixel and a thousand tokens in and out add."""
    price = expert.price
    extra = [(price.megapixel_usd * 1000, "/mp"), (price.input_mtok_usd, "/kin"), (price.output_mtok_usd, "/kout")]
    text = _number(price.call_usd * 1000).removeprefix("0") or "0"
    return text + "".join(f"+{_number(amount).removeprefix('0')}{unit}" for amount, unit in extra if amount)


def _number(amount: float) -> str:
    """Plain digits without a trailing zero: 0.0015, 12, .5 is 0.5."""
    return f"{amount:.9f}".rstrip("0").rstrip(".")
