"""The policy over frozen features: a two-layer network values every open action, and the best, or a softmax draw, is taken."""

from __future__ import annotations

import time
from collections.abc import Sequence
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
from maestro.policy.features.glimpses import Glimpses
from maestro.policy.features.guess import settled, worth
from maestro.policy.features.history import ActionSpace, Step
from maestro.policy.features.network import Committee
from maestro.policy.features.question import question_vector
from maestro.policy.protocol import Dialect, Opening
from maestro.registry.menu import Menu
from maestro.types import Action, Answer, Call, Decision, Tokens, Turn

Array = NDArray[np.float32]


class FeaturePolicy:
    """Decides by valued actions. With `temperature` 0 it is greedy; otherwise it draws from softmax(value / temperature).

    It speaks the dialect `maestro` through the same loop as every policy. It knows the pairs it was trained on: a menu that lacks one of
    them closes that action, and a pair it never saw is never chosen.
    """

    def __init__(
        self,
        space: ActionSpace,
        committee: Committee,
        images: ImageStore,
        *,
        temperature: float = 0.0,
        seed: int = 0,
        reluctance: float = 0.0,
        blank_images: bool = False,
        name: str = "maestro-mini",
    ) -> None:
        """`reluctance` is how much better than everything else a call has to look, in utility."""
        self.space = space
        self.committee = committee
        self.reluctance = reluctance
        self._glimpses = Glimpses(images)
        self.temperature = temperature
        self.seed = seed
        self.blank_images = blank_images
        self.name = name
        self.dialect: Dialect = MaestroDialect()

    @classmethod
    def load(cls, folder: str | Path, images: ImageStore, *, temperature: float = 0.0, seed: int = 0) -> FeaturePolicy:
        """Load a folder written by `save`; one that was trained with blanked pictures runs with them. Raises CheckpointError."""
        folder = Path(folder)
        try:
            card = orjson.loads((folder / "features.json").read_bytes())
            with np.load(folder / "features.npz", allow_pickle=False) as weights:
                committee = Committee.of(dict(weights))
            reluctance, blank = float(card["reluctance"]), bool(card["blank_images"])
            pairs, takes = tuple((e, s) for e, s in card["pairs"]), tuple(tuple(t) for t in card["takes"])
            space = ActionSpace(pairs, takes, tuple(card["words"]), bool(card["unasked"]), bool(card["elsewhere"]))
        except (OSError, KeyError, ValueError, TypeError) as error:
            raise CheckpointError(f"{folder} holds no feature policy (features.json, features.npz): {error}") from error
        settings: dict[str, Any] = {"temperature": temperature, "seed": seed, "blank_images": blank, "name": folder.name}
        return cls(space, committee, images, reluctance=reluctance, **settings)

    def save(self, folder: str | Path) -> None:
        """Write `features.json` and `features.npz` (half precision)."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        card = {
            "pairs": self.space.pairs,
            "takes": self.space.takes,
            "words": self.space.words,
            "unasked": self.space.unasked,
            "elsewhere": self.space.elsewhere,
            "reluctance": self.reluctance,
            "blank_images": self.blank_images,
        }
        (folder / "features.json").write_bytes(orjson.dumps(card, option=orjson.OPT_INDENT_2))
        arrays: dict[str, Any] = {name: array.astype(np.float16) for name, array in self.committee.arrays().items()}
        np.savez_compressed(folder / "features.npz", **arrays)

    def open(self, opening: Opening) -> FeatureSession:
        """Look at the task once and begin."""
        names = () if self.blank_images else opening.task.images
        picture = self._glimpses.of(names[0] if names else None)
        return FeatureSession(self, opening, self.committee.fixed(question_vector(opening.task.question), picture))


class FeatureSession:
    """One episode of a `FeaturePolicy`."""

    def __init__(self, policy: FeaturePolicy, opening: Opening, fixed: Sequence[Array]) -> None:
        self._policy = policy
        self._opening = opening
        self._fixed = fixed
        self._steps: list[Step] = []

    async def decide(self) -> Decision:
        """Take the action of highest value, or a draw."""
        started = time.monotonic()
        space, task, menu = self._policy.space, self._opening.task, self._opening.menu
        actions = [action if _offered(menu, action) else None for action in space.actions(task.question, self._steps)]
        if not task.images:
            actions = space.without_picture(actions, menu, sighted=self._policy.committee.sighted)
        index = [i for i, action in enumerate(actions) if action is not None]
        if not index:
            return Decision(text=self._policy.dialect.write(Answer(text=NOTHING)))
        values = self._policy.committee.values(self._fixed, space.vector(self._steps))[index]
        calling = np.array([isinstance(actions[i], Call) for i in index], dtype=np.float32)
        values -= np.float32(self._policy.reluctance) * calling
        key = f"{self._policy.seed}/{self._opening.task.id}/{self._opening.sample}/{len(self._steps)}"
        place = choose(values, self._policy.temperature, key)
        open_ = [action for action in actions if action is not None]
        action = settled(open_, values, place, self._steps)
        text = self._policy.dialect.write(action, f"value {min(1.0, float(values.max())):.2f}")
        return Decision(text=text, value=worth(action, open_, values), latency_seconds=time.monotonic() - started)

    def observe(self, turn: Turn) -> bool:
        """Remember a call and what came back."""
        if isinstance(turn.action, Call) and turn.observation is not None:
            self._steps.append((turn.action, turn.observation))
        return True

    def tokens(self) -> Tokens | None:
        """None: it has no token ids."""
        return None


def _offered(menu: Menu, action: Action | None) -> bool:
    return action is not None and (not isinstance(action, Call) or menu.allows(action.expert, action.skill))
