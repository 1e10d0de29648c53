from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

from maestro.images import ImageStore
from maestro.policy.protocol import Opening
from maestro.registry.menu import Menu
from maestro.types import Expert, Price, Skill, Task

# How long an example takes says something about the machine, not about the code.
settings.register_profile("no-clock", deadline=None)
settings.load_profile("no-clock")

EXPERTS = ("page-reader", "sparse-reader", "line-reader", "fast-counter", "robust-counter", "algebra-solver")
SKILLS = {"read": EXPERTS[:3], "count": EXPERTS[3:5], "locate": EXPERTS[3:5], "solve": EXPERTS[5:]}


SIZES = {
    "hidden": 64,
    "layers": 3,
    "heads": 4,
    "kv_heads": 2,
    "head_width": 16,
    "intermediate": 128,
    "vision_depth": 2,
    "initializer_range": 0.08,
}
"""Small enough for many tests; the deep stack reaches two of the three layers."""


@pytest.fixture(scope="session")
def menu() -> Menu:
    return Menu(
        tuple(Expert(id=name, summary="sees", kind="local", price=Price(call_usd=0.001 * (n + 1))) for n, name in enumerate(EXPERTS)),
        tuple(Skill(id=name, summary="does", experts=experts) for name, experts in SKILLS.items()),
        "0",
    )


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random tiny policy on disk."""
    pytest.importorskip("torch", reason="the extra `train` is not installed")
    from maestro.policy.local_model import build_tiny

    return build_tiny(tmp_path_factory.mktemp("policy") / "tiny", seed=3, experts=EXPERTS, skills=tuple(SKILLS), **SIZES)


@pytest.fixture
def images() -> ImageStore:
    return ImageStore()


@pytest.fixture
def picture(images: ImageStore) -> Callable[..., str]:
    """Puts a random picture into the store and returns its hash."""

    def put(seed: int = 0, width: int = 96, height: int = 64) -> str:
        rng = np.random.default_rng(seed)
        return images.put(Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8)))

    return put


@pytest.fixture
def opening(menu: Menu) -> Callable[..., Opening]:
    """What a session knows about a task."""

    def make(
        question: str = "How many red circles?",
        *names: str,
        id: str = "t",
        choices: tuple[str, ...] = (),
        sample: int = 0,
        cost_weight: float | None = None,
    ) -> Opening:
        return Opening(Task(id=id, question=question, images=names, choices=choices), menu, sample, cost_weight)

    return make
