"""Leakage between two task sets: pictures and questions of one that are found again, exactly or nearly, in the other.

Pictures are compared by a perceptual hash (a cosine transform of a small grey copy, which scaling, recompression and slight changes of
brightness leave nearly as it is); a pair within reach counts only when the small copies themselves agree, because line drawings on white
have much the same hash. Questions are compared as normalised text: equal, or sharing most of their shingles (runs of words). Template
questions ("How many circles are there?") repeat by design, so a task leaks only when its pictures are found again and its question too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from maestro.images import ImageStore
from maestro.types import Task

SIDE, KEPT = 64, 16
"""Grey copies are SIDE x SIDE pixels; the lowest KEPT x KEPT frequencies but the mean make up the hash: 255 bits."""
NEAR_BITS = 40
"""Hashes that differ in at most so many of 255 bits are looked at more closely."""
NEAR_PIXELS = 2.0
"""Root mean square difference of two grey copies, in levels of 255, mean brightness taken out, up to which they are one picture.

On drawings of VLMsAreBlind other sizes and JPEG at quality 50 stay below 1.6; a circle moved a little, another letter circled, is near 3.
"""
NEAR_QUESTION = 0.8
"""Jaccard similarity of shingles from which two questions are near-duplicates."""
SHINGLE = 3
_WORD = re.compile(r"[^\W_]+|[^\w\s.,;:!?\"'`“”‘’。，；：！？、]")


@dataclass(frozen=True)
class Match:
    """One task of the second set and what of it is in the first."""

    task_id: str
    other_id: str
    picture: str
    """`same` (every pixel), `near`, `different`, or `none` when neither has pictures."""
    question: str
    """`same`, `near` or `different`."""
    answer: bool
    """Whether the reference answers are equal as well."""
    pixels: float | None = None
    """Root mean square difference of the pictures, levels of 255; of several the largest."""

    @property
    def leaks(self) -> bool:
        """Whether knowing the first task answers the second."""
        return self.picture in {"same", "near", "none"} and self.question in {"same", "near"}


@dataclass(frozen=True)
class Overlap:
    """What of `tasks` tasks is found again among `others`."""

    tasks: int
    others: int
    same_picture: int
    near_picture: int
    same_question: int
    near_question: int
    leaks: tuple[Match, ...]
    """Of each task the closest."""
    pictures: tuple[Match, ...]
    """Tasks whose pictures are in the other set under another question."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        counts = {name: value for name, value in asdict(self).items() if isinstance(value, int)}
        return {
            **counts,
            "leaked": len(self.leaks),
            "leaks": [asdict(one) for one in self.leaks],
            "pictures": [asdict(one) for one in self.pictures],
        }


def overlap(tasks: Sequence[Task], others: Sequence[Task], images: ImageStore) -> Overlap:
    """Which of `tasks` are found again among `others`. Raises ImageError for a picture that cannot be read."""
    names = dict.fromkeys(name for task in (*tasks, *others) for name in task.images)
    pictures = _picture_pairs(tasks, others, {name: _grey(images.pixels(name)) for name in names})
    mine, theirs = ([asked(task) for task in group] for group in (tasks, others))
    questions = _question_pairs(mine, theirs)
    plain = {text: place for place, text in reversed(list(enumerate(theirs))) if not others[place].images}
    found: list[Match] = []
    for place, task in enumerate(tasks):
        alike = questions[mine[place]]
        seen = pictures.get(place, {})
        again = seen if task.images else [plain[text] for text in alike if text in plain]
        matches = [_match(task, others[other], seen.get(other), alike.get(theirs[other], "different")) for other in again]
        if matches:
            found.append(min(matches, key=_closeness))
    kinds = [set(questions[text].values()) for text in mine]
    return Overlap(
        tasks=len(tasks),
        others=len(others),
        same_picture=sum("same" in _kinds(row) for row in pictures.values()),
        near_picture=sum("same" not in _kinds(row) for row in pictures.values()),
        same_question=sum("same" in kind for kind in kinds),
        near_question=sum(kind == {"near"} for kind in kinds),
        leaks=tuple(one for one in found if one.leaks),
        pictures=tuple(one for one in found if not one.leaks and one.picture in {"same", "near"}),
    )


def asked(task: Task) -> str:
    """What is compared of a question: its choices are part of it."""
    return normalised(" ".join((task.question, *task.choices)))


def perceptual_hash(grey: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Bits of a SIDE x SIDE grey copy, packed in 32 bytes: which low frequencies of its cosine transform lie above their median."""
    low = (_COSINES @ grey @ _COSINES.T).ravel()[1:]
    return np.packbits(low > np.median(low))


def normalised(question: str) -> str:
    """Words and signs but those of sentences in lower case, one blank between them, compatibility forms of characters made one."""
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", question).casefold()))


def shingles(text: str) -> frozenset[str]:
    """Runs of three words; the text itself when it is shorter."""
    words = text.split()
    return frozenset(" ".join(words[start : start + SHINGLE]) for start in range(max(1, len(words) - SHINGLE + 1)))


Closeness = tuple[str, float]
"""(`same` or `near`, root mean square difference)"""


def _picture_pairs(
    tasks: Sequence[Task], others: Sequence[Task], looks: Mapping[str, NDArray[np.float64]]
) -> dict[int, dict[int, Closeness]]:
    """For each task the others all of whose pictures are its own, in order."""
    ours, theirs = ({name for task in group for name in task.images} for group in (tasks, others))
    near = _near_pictures(looks, ours, theirs)
    holders: dict[str, list[int]] = {}
    for number, other in enumerate(others):
        if other.images:
            holders.setdefault(other.images[0], []).append(number)
    found: dict[int, dict[int, Closeness]] = {}
    for place, task in enumerate(tasks):
        again = [other for name in (near.get(task.images[0], {}) if task.images else ()) for other in holders.get(name, ())]
        for match in again:
            if (gap := _gap(task.images, others[match].images, near)) is not None:
                found.setdefault(place, {})[match] = ("same" if task.images == others[match].images else "near", gap)
    return found


def _gap(ours: Sequence[str], theirs: Sequence[str], near: Mapping[str, Mapping[str, float]]) -> float | None:
    """The largest difference of the pictures in order; None when one is another picture, or there are more of them."""
    if len(ours) != len(theirs):
        return None
    gaps = [near.get(mine, {}).get(other) for mine, other in zip(ours, theirs, strict=True)]
    known = [gap for gap in gaps if gap is not None]
    return max(known) if len(known) == len(gaps) else None


def _near_pictures(looks: Mapping[str, NDArray[np.float64]], ours: set[str], theirs: set[str]) -> dict[str, dict[str, float]]:
    """For each of our pictures those of theirs that look the same, with the difference in levels."""
    hashes = {name: perceptual_hash(looks[name]) for name in {*ours, *theirs}}
    listed = sorted(theirs)
    if not listed:
        return {}
    table = np.stack([hashes[name] for name in listed])
    found: dict[str, dict[str, float]] = {}
    for name in sorted(ours):
        apart = np.bitwise_count(table ^ hashes[name]).sum(axis=1)
        for place in np.flatnonzero(apart <= NEAR_BITS):
            other = listed[int(place)]
            difference = float(np.std(looks[name] - looks[other]))
            if name == other or difference <= NEAR_PIXELS:
                found.setdefault(name, {})[other] = difference
    return found


def _question_pairs(mine: Sequence[str], theirs: Sequence[str]) -> dict[str, dict[str, str]]:
    """For each of our texts those of theirs that are the same or nearly so, with which of the two."""
    pieces = {text: shingles(text) for text in {*mine, *theirs}}
    index: dict[str, list[str]] = {}
    for text in dict.fromkeys(theirs):
        for piece in pieces[text]:
            index.setdefault(piece, []).append(text)
    return {text: {other: "same" if other == text else "near" for other in _similar(text, pieces, index)} for text in dict.fromkeys(mine)}


def _similar(text: str, pieces: Mapping[str, frozenset[str]], index: Mapping[str, Sequence[str]]) -> list[str]:
    """Texts of the index that share most shingles with this one."""
    shared: dict[str, int] = {}
    for piece in pieces[text]:
        for other in index.get(piece, ()):
            shared[other] = shared.get(other, 0) + 1
    size = len(pieces[text])
    return [other for other, both in shared.items() if both / (size + len(pieces[other]) - both) >= NEAR_QUESTION]


def _match(task: Task, other: Task, picture: Closeness | None, question: str) -> Match:
    kind = picture[0] if picture is not None else "none" if not (task.images or other.images) else "different"
    same = {normalised(one) for one in task.references} == {normalised(one) for one in other.references}
    return Match(task.id, other.id, kind, question, same, round(picture[1], 2) if picture is not None else None)


def _closeness(match: Match) -> tuple[bool, int, int, str]:
    """Leaks first, then equal before near."""
    order = ("same", "none", "near", "different")
    return (not match.leaks, order.index(match.picture), order.index(match.question), match.other_id)


def _kinds(row: Mapping[int, Closeness]) -> set[str]:
    return {kind for kind, _ in row.values()}


def _grey(image: Image.Image) -> NDArray[np.float64]:
    """A SIDE x SIDE grey copy, levels 0 to 255."""
    return np.asarray(image.convert("L").resize((SIDE, SIDE), Image.Resampling.LANCZOS), dtype=np.float64)


_COSINES = np.cos(np.pi / SIDE * np.arange(KEPT)[:, None] * (np.arange(SIDE) + 0.5))
"""(KEPT, SIDE) rows of the cosine transform, type II."""
