"""How questions are worded: templates with synonym slots, drawn independently of what the picture looks like."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

_SLOT = re.compile(r"\[([^\[\]]*)\]")
_OPENINGS = ("Look at the picture. ", "Please answer briefly: ", "Quick question: ", "Use the image. ")

_WORDS = """
amber apple anchor arrow autumn bakery basket beacon bottle branch bridge bucket button cable camera candle canyon carpet castle
cedar cherry circle clover cobalt copper corner cotton crater curtain desert dinner dragon drawer eagle ember engine falcon feather
ferry finger flower forest fountain garden ginger glacier granite guitar hammer harbor hazel helmet hollow hunter island jacket
jungle kettle kitten ladder lantern lemon lily linen lizard magnet mango maple marble market meadow melon mirror monkey mountain
needle nickel orange orchid otter palace panda paper parrot pencil pepper picnic pillow planet pocket polar pony potato prairie
puzzle rabbit ranger ribbon river rocket saddle salmon sandal silver spider spring stable summer sunset tanker teapot temple
thunder ticket tiger timber tomato tulip tunnel turtle valley velvet village violet walnut wander water willow winter wolf yellow
"""
WORDS = tuple(_WORDS.split())
"""Short common words for filler text and labels."""


def phrase(rng: random.Random, templates: Sequence[str], **values: str) -> str:
    """One question: a template at random, each `[a|b|c]` slot replaced by one of its synonyms, then `{names}` filled in."""
    template = rng.choice(list(templates))
    while _SLOT.search(template):
        template = _SLOT.sub(lambda match: rng.choice(match.group(1).split("|")), template, count=1)
    text = re.sub(r"\s+", " ", template).strip().format(**values).replace(" ?", "?").replace(" .", ".")
    text = text[0].upper() + text[1:]
    return rng.choice(_OPENINGS) + text if rng.random() < 0.12 else text


def pick_words(rng: random.Random, count: int, *, longest: int = 8) -> list[str]:
    """`count` different filler words of at most `longest` letters."""
    return rng.sample([word for word in WORDS if len(word) <= longest], count)


def shape_name(kind: str, count: int) -> str:
    """Singular or plural of a shape kind."""
    return kind if count == 1 else kind + "s"
