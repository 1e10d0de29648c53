"""What a skill is to the rest: a request in, a result out, expert calls in between."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from PIL import Image

from maestro.errors import RegistryError, not_found
from maestro.registry.sections import sections
from maestro.types import Skill, Value


@dataclass(frozen=True)
class SkillRequest:
    """What the skill is asked."""

    question: str
    """The task's question, as the user wrote it."""
    query: str = ""
    """What the policy wrote; empty means: the question itself."""
    images: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The query, or the question when the query is empty."""
        return self.query or self.question


@dataclass(frozen=True)
class SkillResult:
    """What the skill found. `value` None means that it found nothing, which is no error."""

    value: str | None
    confidence: float = 0.0
    """0 to 1, the skill's own estimate."""
    evidence: str = ""
    """A few words: what the value rests on."""
    gives: Value = "answer"
    message: str | None = None
    """The expert's last message in full, for registries whose observations are messages."""

    @property
    def text(self) -> str:
        """The observation the policy reads: three short lines."""
        shown = "none" if self.value is None else self.value
        lines = [f"{self.gives}: {shown}", f"confidence: {self.confidence:.2f}"]
        if self.evidence:
            lines.append(f"evidence: {self.evidence}")
        return "\n".join(lines)


@dataclass(frozen=True)
class HelperReply:
    """What a helper said, or why it said nothing."""

    text: str = ""
    fault: str = ""
    """A few words when there is no reply; empty when there is one."""


async def _nobody(role: str, **_: Any) -> HelperReply:
    return HelperReply(fault=f"nobody fills the role {role}")


@dataclass
class Caller:
    """The skill's hand on the one expert the policy chose, and on the helpers that its card names.

    `ask` performs an operation and returns the parsed JSON reply (in-process) or the message text (served); every call is
    recorded in the observation. `pixels` and `crop` give the skill images; a crop is put in the image store so that the
    expert sees exactly those pixels.
    """

    expert: str
    ask: Callable[..., Awaitable[Any]]
    """`await caller.ask(operation, images=(hash, ...), sampling={...}, **arguments)`"""
    pixels: Callable[[str], Image.Image]
    put: Callable[[Image.Image], str]
    notes: dict[str, Any] = field(default_factory=dict)
    skill: Skill | None = None
    """The card of the skill that runs."""
    help: Callable[..., Awaitable[HelperReply]] = _nobody
    """`await caller.help(role, images=(hash, ...), messages=[...], sampling={...})`: a chat with the helper of a role. It never
    raises for what the helper does: a helper that is missing, slow or broken is a reply with a `fault`."""
    lost: list[str] = field(default_factory=list)
    """Evidence that could not be had, in words; the observation tells the policy."""

    def has(self, role: str) -> bool:
        """Whether somebody fills a helper role."""
        return self.skill is not None and bool(self.skill.helpers.get(role))

    def hint(self, role: str) -> str:
        """What the skill's body says under `## For <role>`: words for that helper alone; empty when there is no such section."""
        return sections(self.skill.body)[1].get(f"For {role}", "") if self.skill is not None else ""

    def section(self, title: str) -> str:
        """A section of the skill's body. Raises RegistryError naming the sections there are."""
        assert self.skill is not None
        found = sections(self.skill.body)[1]
        if not found.get(title):
            raise RegistryError(f"skill {self.skill.id}: " + not_found("section", title, found, f"Its SKILL.md needs: ## {title}"))
        return found[title]

    def crop(self, image: str, box: tuple[int, int, int, int], scale: float = 1.0) -> str:
        """Hash of the part of `image` inside `box` (left, top, right, bottom, pixels), enlarged by `scale`."""
        part = self.pixels(image).crop(box)
        if scale != 1.0:
            part = part.resize((max(1, round(part.width * scale)), max(1, round(part.height * scale))), Image.Resampling.LANCZOS)
        return self.put(part)


class SkillProcedure(Protocol):
    """A coded skill: one async function in one file, named by the card's `target`.

    Raises ValueError when the query or question makes no sense for it (the policy's fault, and the policy is told).
    """

    async def __call__(self, request: SkillRequest, caller: Caller) -> SkillResult:
        """Find what the request asks for."""
        ...


def is_text(value: str) -> bool:
    """Whether it can be written: half a surrogate pair, from a command line that is no UTF-8 or from a program, cannot."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
