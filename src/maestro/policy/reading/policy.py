"""The reading policy: it values every open action from the cards of the menu, the record of the pairs and what has happened."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from maestro.errors import CheckpointError
from maestro.images import ImageStore
from maestro.policy.baselines.route import NOTHING
from maestro.policy.dialect_maestro import MaestroDialect
from maestro.policy.features.draw import choose
from maestro.policy.features.glance import Glance
from maestro.policy.features.glimpses import Glimpses
from maestro.policy.features.guess import settled, worth
from maestro.policy.features.history import ActionSpace, Step
from maestro.policy.features.picture import met_pictures
from maestro.policy.features.question import question_vector
from maestro.policy.protocol import Dialect, Opening
from maestro.policy.reading.cards import SkillTexts, words_vector
from maestro.policy.reading.heard import hear
from maestro.policy.reading.network import ReadingCommittee
from maestro.policy.reading.record import TrackRecord, likeness, place_of
from maestro.policy.reading.situation import Layout, Offer, Situations
from maestro.registry.menu import Menu
from maestro.types import Action, Answer, Call, Decision, Task, Tokens, Turn

Array = NDArray[np.float32]
_MENUS = 16
"""Menus whose texts are kept."""


@dataclass(frozen=True)
class Eyes:
    """How question and picture are read: scale of the picture features, and the glance."""

    glance: Glance
    mean: Array
    scale: Array

    def seen(self, picture: Array) -> Array:
        """Normalised picture features."""
        return np.asarray(np.clip((picture - self.mean) / self.scale, -4, 4), dtype=np.float32)

    @property
    def sighted(self) -> bool:
        """Whether there were pictures to learn from."""
        return met_pictures(self.mean)


@dataclass(frozen=True)
class Reading:
    """A menu as the policy reads it, whatever is asked."""

    space: ActionSpace
    layout: Layout
    texts: SkillTexts
    prices: Array
    """(pairs,)"""
    expert_words: Array
    skill_words: Array


class ReadingPolicy:
    """Decides by valued actions, greedily or (`temperature`) by a draw from softmax(value / temperature).

    Neither ids nor places in the menu are read: renamed and shuffled, a menu is decided on alike. A card never seen in training
    is valued by its words, price and skill texts; a record of its calls (`record`, bound to ids when a menu is opened) says more.
    `weight` is what a dollar costs in utility where the opening does not say.
    """

    def __init__(
        self,
        committee: ReadingCommittee,
        eyes: Eyes,
        images: ImageStore,
        *,
        words: Sequence[str] = (),
        record: TrackRecord | None = None,
        weight: float = 20.0,
        reluctance: float = 0.0,
        temperature: float = 0.0,
        seed: int = 0,
        name: str = "maestro-reading",
    ) -> None:
        """`reluctance` is how much better than all else a call has to look, in utility; `words` are answers it may give by itself."""
        self.committee = committee
        self.eyes = eyes
        self.images = images
        self.words = tuple(words)
        self.record = record
        self.weight = weight
        self.reluctance = reluctance
        self.temperature = temperature
        self.seed = seed
        self.name = name
        self.dialect: Dialect = MaestroDialect()
        self._glimpses = Glimpses(images)
        self._menus: dict[int, tuple[Menu, Reading]] = {}

    @classmethod
    def load(cls, folder: str | Path, images: ImageStore, *, temperature: float = 0.0, seed: int = 0) -> ReadingPolicy:
        """Load a folder written by `save`. Raises CheckpointError."""
        folder = Path(folder)
        try:
            card = orjson.loads((folder / "reading.json").read_bytes())
            with np.load(folder / "reading.npz", allow_pickle=False) as weights:
                arrays = {name: np.asarray(array, dtype=np.float32) for name, array in weights.items()}
            eyes = Eyes(Glance(**{name: arrays[f"glance.{name}"] for name in Glance.names()}), arrays["eyes.mean"], arrays["eyes.scale"])
            record = TrackRecord.of_arrays(arrays, card.get("questions", ())) if "record.places" in arrays else None
            committee = ReadingCommittee.of(arrays)
            settings: dict[str, Any] = {name: float(card[name]) for name in ("weight", "reluctance")} | {"words": tuple(card["words"])}
        except (OSError, KeyError, ValueError, TypeError) as error:
            raise CheckpointError(f"{folder} holds no reading policy (reading.json, reading.npz): {error!r}") from error
        return cls(committee, eyes, images, record=record, temperature=temperature, seed=seed, name=folder.name, **settings)

    def save(self, folder: str | Path) -> None:
        """Write `reading.json` and `reading.npz` (half precision)."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        questions = self.record.questions if self.record is not None else ()
        card = {"words": self.words, "weight": self.weight, "reluctance": self.reluctance, "questions": questions}
        (folder / "reading.json").write_bytes(orjson.dumps(card, option=orjson.OPT_INDENT_2))
        arrays = self.committee.arrays() | {f"glance.{name}": getattr(self.eyes.glance, name) for name in Glance.names()}
        arrays |= {"eyes.mean": self.eyes.mean, "eyes.scale": self.eyes.scale}
        arrays |= self.record.arrays() if self.record is not None else {}
        halved: dict[str, Any] = {name: array.astype(np.float16) for name, array in arrays.items()}
        np.savez_compressed(folder / "reading.npz", **halved)

    def open(self, opening: Opening) -> ReadingSession:
        """Look at the task and the menu once and begin."""
        task, reading = opening.task, self._read(opening.menu)
        asked, seen, opinion = self._look(task)
        weight = self.weight if opening.cost_weight is None else opening.cost_weight
        offer = self._offer(reading, task.question, place_of(asked, opinion), weight)
        return ReadingSession(self, opening, reading.space, Situations(offer), self.committee.fixed(asked, seen), opinion)

    def place(self, task: Task) -> Array:
        """Where a task lies among those on record. Raises ImageError when its picture cannot be seen."""
        asked, _, opinion = self._look(task)
        return place_of(asked, opinion)

    def _look(self, task: Task) -> tuple[Array, Array, Array]:
        """Features of the question and of the picture, and what the glance makes of them."""
        asked = question_vector(task.question)
        seen = self.eyes.seen(self._glimpses.of(task.images[0] if task.images else None))
        return asked, seen, self.eyes.glance(asked, seen)

    def _offer(self, reading: Reading, question: str, place: Array, weight: float) -> Offer:
        """The menu's offer for one question."""
        fits, layout = reading.texts.likeness([question])[0], reading.layout
        asked, carried = self._on_record(reading.space.pairs, place)
        return Offer(
            layout,
            offered=np.ones((1, layout.size), dtype=bool),
            price=reading.prices[None],
            weight=np.array([weight], dtype=np.float32),
            likeness=fits[layout.skill][None],
            asked=asked[None],
            carried=carried[None],
            expert_words=reading.expert_words,
            expert_text=layout.expert[None],
            skill_words=reading.skill_words,
            skill_text=layout.skill[None],
        )

    def _on_record(self, pairs: Sequence[tuple[str, str]], place: Array) -> tuple[Array, Array]:
        """Moments of every pair for a question at a place, each (pairs, MOMENTS)."""
        record = self.record if self.record is not None else TrackRecord(np.zeros((0, len(place)), dtype=np.float32), {}, {})
        weights = likeness(place[None], record.places)
        found = [record.of(pair, weights) for pair in pairs]
        return np.stack([first[0] for first, _ in found]), np.stack([second[0] for _, second in found])

    def _read(self, menu: Menu) -> Reading:
        """A menu's texts, read once while it is among the last used."""
        if id(menu) not in self._menus:
            if len(self._menus) >= _MENUS:
                self._menus.pop(next(iter(self._menus)))
            self._menus[id(menu)] = (menu, read_menu(menu, self.words, self.record))  # the menu is kept, so that its id stays its own
        return self._menus[id(menu)][1]


class ReadingSession:
    """One episode of a `ReadingPolicy`."""

    def __init__(
        self, policy: ReadingPolicy, opening: Opening, space: ActionSpace, situations: Situations, fixed: Sequence[Array], opinion: Array
    ) -> None:
        self._policy = policy
        self._opening = opening
        self._space = space
        self._situations = situations
        self._fixed = fixed
        self._opinion = opinion
        self._steps: list[Step] = []

    async def decide(self) -> Decision:
        """Take the action of highest value, or a draw."""
        started = time.monotonic()
        actions, values = self._valued()
        if not actions:
            return Decision(text=self._policy.dialect.write(Answer(text=NOTHING)))
        key = f"{self._policy.seed}/{self._opening.task.id}/{self._opening.sample}/{len(self._steps)}"
        place = choose(values, self._policy.temperature, key)
        action = settled(actions, values, place, self._steps)
        text = self._policy.dialect.write(action, f"value {min(1.0, float(values.max())):.2f}")
        return Decision(text=text, value=worth(action, actions, values), latency_seconds=time.monotonic() - started)

    def observe(self, turn: Turn) -> bool:
        """Remember a call and what came back."""
        if isinstance(turn.action, Call) and turn.observation is not None and self._known(turn.action):
            self._steps.append((turn.action, turn.observation))
        return True

    def tokens(self) -> Tokens | None:
        """None: it has no token ids."""
        return None

    def _known(self, call: Call) -> bool:
        return (call.expert, call.skill) in self._space.pairs

    def _valued(self) -> tuple[list[Action], Array]:
        """The open actions and what each is worth, a call less the reluctance to make it."""
        space, history = self._space, self._space.vector(self._steps)[None]
        task = self._opening.task
        actions = space.actions(task.question, self._steps)
        if not task.images:
            actions = space.without_picture(actions, self._opening.menu, sighted=self._policy.eyes.sighted)
        pairs = len(space.pairs)
        columns = np.array([place for place in range(pairs) if actions[place] is not None], dtype=np.int64)
        said = [place for place in range(pairs, space.size) if actions[place] is not None]
        state = self._situations.state(np.zeros(1, dtype=np.int64), history)[0]
        rows = np.zeros(len(columns), dtype=np.int64)
        calls = self._situations.calls(rows, columns, np.repeat(history, len(columns), axis=0))
        answers, called = self._policy.committee.values(self._fixed, self._opinion, state, calls)
        values = np.concatenate([called - np.float32(self._policy.reluctance), answers[[place - pairs for place in said]]])
        return [action for place in [*columns.tolist(), *said] if (action := actions[place]) is not None], values


def read_menu(menu: Menu, words: Sequence[str], record: TrackRecord | None = None) -> Reading:
    """A menu's action space, texts and prices; what the record contradicts is not read."""
    space = ActionSpace.of(menu, words if _at_home(menu, record) else ())
    layout = Layout.of(menu, space)
    prices = np.array([expert.price.call_usd for expert in menu.experts], dtype=np.float32)
    heard = hear(menu, record)
    said = ["" if doubted else skill.summary for skill, doubted in zip(menu.skills, heard.doubted, strict=True)]
    return Reading(
        space,
        layout,
        SkillTexts(heard.texts),
        prices[layout.expert],
        np.stack([words_vector(expert.summary) for expert in menu.experts]),
        np.stack([words_vector(text) for text in said]),
    )


def _at_home(menu: Menu, record: TrackRecord | None) -> bool:
    """Whether most pairs on record are on the menu. Elsewhere other questions are asked, and words learned here would be guesses."""
    known = set(record.asked) if record is not None else set()
    return 2 * len(known & set(menu.pairs)) >= len(known)
