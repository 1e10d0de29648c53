"""Families that need no call: the answer stands in the question or is plain to see."""

from __future__ import annotations

import random

from PIL import Image

from maestro.ensembles.playground.tasks.drawing import SHAPES, picture_size, spread
from maestro.ensembles.playground.tasks.grounds import flat
from maestro.ensembles.playground.tasks.palette import VIVID, luminance, mix
from maestro.ensembles.playground.tasks.reading import sign
from maestro.ensembles.playground.tasks.scene import Scene
from maestro.ensembles.playground.tasks.style import Finish, Style, Surface, finished
from maestro.ensembles.playground.tasks.wording import phrase

STATED_QUESTIONS = (
    "The {thing} [says|reads|shows] {value}. [What number|Which number] does the {thing} [say|show]?",
    "[You are told|We know] that the {thing} [shows|reads] {value}. What does it [show|read]?",
    "It [says|reads] {value} on the {thing}. What [is the number|does it say] on the {thing}?",
    "Somebody noted {value} from the {thing}. Which number was noted?",
    "The [number|value] on the {thing} is {value}. [Repeat|Give|Tell me] that [number|value].",
    "Given that the {thing} says {value}, [what number is it|which number is on it]?",
)


def stated_value(rng: random.Random, style: Style) -> Scene:
    """A number that the question itself states; the picture shows it too."""
    value = str(rng.randint(11, 989))
    image = sign(rng, style, [value])
    question = phrase(rng, STATED_QUESTIONS, thing=rng.choice(("sign", "board", "label", "plate", "poster", "display")), value=value)
    return Scene(question, (value,), image, "any", ("blank",))


BACKGROUND_QUESTIONS = (
    "[What|Which] colour is the background [of the picture|]?",
    "[What|Which] colour [fills|covers] most of the [picture|image]?",
    "The shapes lie on a coloured background. [Which|What] colour is it?",
    "[Name|Tell me|Give] the [background colour|colour of the background].",
    "[Which|What] colour does the [paper|area] behind the shapes have?",
)


def _on_background(
    rng: random.Random, style: Style, size: tuple[int, int], paper: tuple[int, int, int], inks: list[tuple[int, int, int]]
) -> Image.Image:
    """A few small shapes on an even background."""
    surface = Surface(
        "tinted", flat(size, paper), (paper,), inks[0], Finish(noise=rng.uniform(0, 6), jpeg=rng.choice((0, 45)) if style.shifted else 0)
    )
    canvas = surface.canvas()
    for x, y, radius in spread(rng, rng.randint(2, 6), (8, 8, size[0] - 8, size[1] - 8), (9, 26), 6):
        canvas.shape(rng.choice(SHAPES), (x, y), radius, fill=rng.choice(inks))
    return finished(rng, canvas, surface)


def plain_background(rng: random.Random, style: Style) -> Scene:
    """The colour of an even background."""
    name = rng.choice((*VIVID, "grey", "white"))
    paper = (rng.randint(244, 255),) * 3 if name == "white" else style.colour(rng, name)
    others = [other for other in (*VIVID, "black") if other != name]
    inks = [style.colour(rng, other) for other in rng.sample(others, 3)]
    image = _on_background(rng, style, picture_size(rng), paper, inks)
    references = (name, "gray") if name == "grey" else (name,)
    return Scene(phrase(rng, BACKGROUND_QUESTIONS), references, image, "any", ("blank",))


BRIGHT_QUESTIONS = (
    "Is the [picture|image] mostly {first} or {second}?",
    "[Would you call|Is] [this picture|the whole image] {first} or {second}?",
    "Overall, is [it|the scene] {first} or {second}?",
    "Which word fits the [background|picture] better, {first} or {second}?",
    "[Decide|Say] whether the image is mainly {first} or {second}.",
)


def plain_bright(rng: random.Random, style: Style) -> Scene:
    """Whether a picture is mostly dark or light."""
    dark = rng.random() < 0.5
    hue = style.colour(rng, rng.choice(VIVID))
    paper = mix(hue, (10, 10, 16), rng.uniform(0.72, 0.95)) if dark else mix(hue, (255, 255, 255), rng.uniform(0.72, 0.95))
    inks = [mix(style.colour(rng, rng.choice(VIVID)), (128, 128, 128), 0.2) for _ in range(3)]
    if dark:
        inks = [ink if abs(luminance(ink) - luminance(paper)) > 40 else mix(ink, (255, 255, 255), 0.5) for ink in inks]
    image = _on_background(rng, style, picture_size(rng), paper, inks)
    first, second = rng.sample(("dark", "light"), 2)
    question = phrase(rng, BRIGHT_QUESTIONS, first=first, second=second)
    return Scene(question, ("dark",) if dark else ("light", "bright"), image, "any", ("blank",))
