"""The vocabulary of a small policy: byte-level BPE with few tokens, made so that values copy exactly.

A word, a digit, a punctuation mark and a blank are always separate before merging, so `42` or `HELLO` has the same ids in a
question, in an observation and in an answer, whatever stands around it. Grammar tags, the separator `@@` and names like
`page-reader` are single added tokens; names that are plain words are trained as words. Every expert, and every skill, is told
from the others by its first token.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from maestro.errors import ConfigError
from maestro.policy.control import TAGS
from maestro.policy.dialect_maestro import SEPARATOR

PAD = "<|endoftext|>"
START = "<|im_start|>"
END = "<|im_end|>"
VISION_START = "<|vision_start|>"
VISION_END = "<|vision_end|>"
IMAGE = "<|image_pad|>"
VIDEO = "<|video_pad|>"
SPECIALS = (PAD, START, END, VISION_START, VISION_END, "<|vision_pad|>", IMAGE, VIDEO)
"""The special tokens of the Qwen family that a policy needs."""
PICTURE_TOKENS = (VISION_START, VISION_END, "<|vision_pad|>", IMAGE, VIDEO)
"""Those that stand for pictures; no policy may sample them, because there would be no picture behind them."""

_PIECES = Regex(r"\p{L}+|\p{N}|[^\s\p{L}\p{N}]|\s")

_SENTENCES = """
What number does the sign say? What does the text in the picture say? Read the line. What is written in the field total?
How many circles are there? Count the red squares. How many blue triangles can you see? What colour is the background?
Which shape is left of the green star? Is the circle above the square? Do the two circles touch? yes no none true false
What is the value of the bar for March? Which slice of the pie is largest? How much did sales rise from 2019 to 2021?
Solve for x. What is 12 + 7 * 3? What does the program print? Find the missing angle of the triangle in degrees.
What is the perimeter? What is the length of the third side? What is the total resistance of the circuit in ohm?
How many rows and columns does the grid have? How often do the lines cross? How many routes lead from A to B?
Which letter is circled? Where does the arrow point? north south east west up down left right top bottom centre middle
What does the gauge show? Look at the small framed area. Is the picture mostly dark or light? The label reads nothing.
red green blue yellow orange purple pink brown black white grey gray cyan magenta circle square triangle rectangle pentagon
hexagon star diamond ring arrow line box frame table row column cell receipt price change paid cash name date item amount
user assistant system experts question choices cost weight answer region expression code confidence evidence error
words boxes lines shapes found read from with over under between largest smallest first second third last whole crop mean
plain scattered single textured faint tilted noisy overlapping tinted tiny clear unsure again look zoom calculate print for in
the a of and to is are on at by it this that which how many much what where who when does did has have one two three four five
""".strip().splitlines()


def train_vocabulary(
    texts: Iterable[str] = (),
    *,
    experts: Sequence[str] = (),
    skills: Sequence[str] = (),
    size: int = 1400,
) -> Tokenizer:
    """Train a tokenizer of at most `size` tokens on a built-in handful of sentences plus `texts`.

    Names of `experts` and `skills` become single tokens: added ones if they are more than letters, else by standing in the
    training text often enough (an added `read` would cut `reads` and `already` to pieces). The same input gives the same
    vocabulary. Raises ConfigError when two names would start alike, or the size is too small.
    """
    names = dict.fromkeys([*experts, *skills])
    added = [*TAGS, SEPARATOR, *(name for name in names if not name.isalpha())]
    smallest = 256 + len(SPECIALS) + len(added)
    if size <= smallest:
        raise ConfigError(
            f"a vocabulary of {size} tokens cannot hold 256 bytes, {len(SPECIALS)} special tokens and {len(added)} names; use more."
        )
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(_PIECES, behavior="isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size - len(SPECIALS) - len(added),
        min_frequency=2,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    given = list(texts)
    often = max(64, len(given))
    tokenizer.train_from_iterator(
        [*(line for line in _SENTENCES for _ in range(2)), *given, *(name for name in names if name.isalpha() for _ in range(often))],
        trainer,
    )
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIALS])
    tokenizer.add_tokens([AddedToken(token, special=False, normalized=False) for token in added])
    check_first_tokens(tokenizer, experts, skills)
    return tokenizer


def check_first_tokens(tokenizer: Tokenizer, experts: Sequence[str], skills: Sequence[str]) -> None:
    """Make sure that every expert, and every skill, is told apart by its first token. Raises ConfigError."""
    for kind, names in (("experts", experts), ("skills", skills)):
        seen: dict[int, str] = {}
        for name in names:
            first = tokenizer.encode(name, add_special_tokens=False).ids[0]
            if first in seen:
                raise ConfigError(
                    f"the {kind} {seen[first]!r} and {name!r} start with the same token; rename one or use a larger vocabulary."
                )
            seen[first] = name
