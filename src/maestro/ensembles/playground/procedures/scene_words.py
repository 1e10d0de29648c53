"""Words of free questions about drawings: colours, shapes, directions and sides, with synonyms and plurals."""

from __future__ import annotations

import re

_COLOURS: dict[str, str] = {
    "red": "red reddish crimson scarlet maroon",
    "orange": "orange amber tangerine",
    "yellow": "yellow golden gold",
    "green": "green greenish lime olive",
    "cyan": "cyan turquoise teal aqua",
    "blue": "blue bluish navy azure",
    "purple": "purple violet lilac indigo lavender",
    "pink": "pink magenta rose fuchsia",
    "brown": "brown brownish tan chocolate",
    "black": "black",
    "gray": "gray grey greyish grayish silver",
    "white": "white",
}
_SHAPES: dict[str, str] = {
    "circle": "circle circles disc discs disk disks dot dots ball balls round rounds coin coins bubble bubbles",
    "ring": "ring rings hoop hoops",
    "square": "square squares box boxes block blocks",
    "rectangle": "rectangle rectangles bar bars",
    "triangle": "triangle triangles",
    "diamond": "diamond diamonds rhombus rhombuses",
    "pentagon": "pentagon pentagons",
    "hexagon": "hexagon hexagons",
    "star": "star stars",
    "cross": "cross crosses plus pluses",
    "ellipse": "ellipse ellipses oval ovals",
}
_COLOUR_OF = {word: name for name, words in _COLOURS.items() for word in words.split()}
_SHAPE_OF = {word: name for name, words in _SHAPES.items() for word in words.split()}
_ALIKE: dict[str, tuple[str, ...]] = {
    "circle": ("circle", "ring"),
    "ring": ("ring", "circle"),
    "square": ("square", "diamond"),
    "rectangle": ("rectangle", "square"),
    "diamond": ("diamond", "square"),
    "ellipse": ("ellipse",),
}


def words_of(text: str) -> list[str]:
    """Lower-case words."""
    return re.findall(r"[a-z]+", text.lower())


def colours_in(text: str) -> list[str]:
    """Colour names that the text mentions, in order, each once."""
    return list(dict.fromkeys(_COLOUR_OF[word] for word in words_of(text) if word in _COLOUR_OF))


def shapes_in(text: str) -> list[str]:
    """Kinds of shape that the text mentions, in order, each once."""
    return list(dict.fromkeys(_SHAPE_OF[word] for word in words_of(text) if word in _SHAPE_OF))


def objects_in(text: str) -> list[tuple[str | None, str | None]]:
    """Things such as "the red circle", in order, as (colour, kind); a colour or a kind alone counts too."""
    found: list[tuple[str | None, str | None]] = []
    colour: str | None = None
    for word in words_of(text):
        if word in _COLOUR_OF:
            if colour is not None:
                found.append((colour, None))
            colour = _COLOUR_OF[word]
        elif word in _SHAPE_OF:
            found.append((colour, _SHAPE_OF[word]))
            colour = None
        elif word in {"one", "ones", "shape", "shapes", "figure", "object", "thing"} and colour is not None:
            found.append((colour, None))
            colour = None
    if colour is not None:
        found.append((colour, None))
    return found


def is_kind(kind: str, wanted: str) -> bool:
    """Whether a shape that an expert called `kind` is one of what the question calls `wanted`."""
    return kind in _ALIKE.get(wanted, (wanted,))


def written_colour(name: str, question: str) -> str:
    """The colour as the questioner spells it (grey or gray)."""
    return "grey" if name == "gray" and "gray" not in question.lower() else name


_CONTAINER = re.compile(
    r"\b(?:the|a|an|this)?\s*\b("
    + "|".join(sorted(_COLOUR_OF, key=len, reverse=True))
    + r")\s+(?:frame|box|rectangle|border|window|outline|area|region)\b",
    re.IGNORECASE,
)


def frame_colour(text: str) -> str | None:
    """Colour of the frame that the text speaks of ("inside the red box"), None when it names none."""
    match = _CONTAINER.search(text)
    return _COLOUR_OF[match.group(1).lower()] if match else None


def without_frame(text: str) -> str:
    """The text less its mention of a frame, so that "circles in the red box" asks for circles of any colour."""
    return _CONTAINER.sub(" ", text)
