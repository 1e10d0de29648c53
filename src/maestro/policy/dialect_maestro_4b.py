"""The dialect `maestro-4b`: the token stream that the released checkpoint of that name was trained on.

    prompt        the checkpoint's chat template over system and user message, with its generation prompt
    generation    <kept ids> <|im_end|>
    observation   <|im_start|>user<information>TEXT</information><|im_end|>

No chat template is applied after the prompt: no line break, no assistant header stands between these, and the policy goes on right
behind `<|im_end|>`. What a generation leaves in the history depends on its number, counted from 0:

    0       with a search: at most the last 200 tokens before the first `<search>`, and all up to the last `</search>`; else discarded
    1       what follows `</think>`: its last search block, else its last answer block; else discarded
    2 to 4  its last answer block, else its last search block; else all of it, and the episode ends

A discarded generation is sampled again from the same row and uses up its number. A search in generation 4 is not performed.

That is the history `original`, which the released checkpoint reads. With the history `whole` nothing is dropped or discarded: every
sampled id stays, thoughts included, and a generation without an action is told so. Only such a row is what was sampled, token by token
in its context, so that a trainer can recompute its log-probs; a policy that is trained further goes on in it.

Where this differs from the system that the checkpoint was trained in: generations stop behind the closing tag, and so invent no
observation; a block is encoded again instead of counted from the tail; an answer tag inside the first thought does not end the
episode; control text in observations is neutralised; names are exact up to case and never guessed from parts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from maestro.errors import ConfigError, not_found
from maestro.policy.control import neutralise
from maestro.policy.prompt_maestro_4b import PlannerPrompt
from maestro.policy.protocol import Codec, Kept, Opening
from maestro.registry.menu import Menu
from maestro.types import Action, Answer, Call, Expert, Malformed, Skill

END = "<|im_end|>"
OBSERVED = "<|im_start|>user<information>"
HistoryKind = Literal["original", "whole"]
GENERATIONS = 5
"""At most so many in an episode, discarded ones included; the last one's search is not performed."""
THOUGHT_TOKENS = 200
"""What the first generation keeps of the text before its search."""

_SEARCH = re.compile(r"<search>(?P<inside>.*?)</search>", re.DOTALL)
_ANSWER = re.compile(r"<answer>(?P<inside>.*?)</answer>", re.DOTALL)
_END = re.compile(r"\s*(?:<\|im_end\|>|<\|endoftext\|>)\s*\Z")

NO_SEPARATOR_OR_COLON = "Format Error: Invalid skill call format"
COLON_FIRST = "Format Error: Missing @@ separator"
UNKNOWN_EXPERT = "Model Name Error"
UNKNOWN_SKILL = "Skill Name Error"


@dataclass(frozen=True)
class Excerpt:
    """Which part of a long reply the policy reads."""

    characters: int = 1000
    side: Literal["head", "tail"] = "tail"
    whole_words: bool = False
    """Leave out the word that the cut would go through. The released checkpoint was trained without."""

    def of(self, text: str) -> str:
        """The part; all of a text that is not longer."""
        if len(text) <= self.characters:
            return text
        if self.side == "head":
            part = text[: self.characters]
            return re.sub(r"\s\S*\Z", "", part) if self.whole_words and not text[self.characters].isspace() else part
        part = text[-self.characters :]
        return re.sub(r"\A\S*\s", "", part) if self.whole_words and not text[-self.characters - 1].isspace() else part


class Maestro4bDialect:
    """Writes and parses the token stream of Maestro-4B over one menu."""

    name = "maestro-4b"
    writes_headers = True
    closing = END

    def __init__(
        self,
        menu: Menu,
        *,
        prompt: PlannerPrompt | None = None,
        aliases: Mapping[str, str] | None = None,
        excerpt: Excerpt | None = None,
        history: HistoryKind = "original",
    ) -> None:
        """Speak about the experts and skills of `menu`.

        `history` says what a generation leaves in the row (see above); `aliases` are further names of ids, besides those on the cards.
        Raises ConfigError when an alias names nothing or two things, or two ids differ in nothing but case.
        """
        self.menu = menu
        self.prompt = prompt or PlannerPrompt()
        self.excerpt = excerpt or Excerpt()
        self.history = history
        self._aliases = aliases = aliases or {}
        self._experts = _names("expert", menu.experts, aliases)
        self._skills = _names("skill", menu.skills, aliases)
        known = {*self._experts.values(), *self._skills.values()}
        for alias, target in aliases.items():
            if target not in known:
                raise ConfigError(f"alias {alias!r}: {not_found('expert or skill', target, known)}")

    def over(self, menu: Menu) -> Self:
        """The same about another menu; aliases of what it does not have are left out. Raises ConfigError as the constructor."""
        if menu == self.menu:
            return self
        known = {*(expert.id for expert in menu.experts), *(skill.id for skill in menu.skills)}
        aliases = {alias: target for alias, target in self._aliases.items() if target in known}
        return type(self)(menu, prompt=self.prompt, aliases=aliases, excerpt=self.excerpt, history=self.history)

    def messages(self, opening: Opening) -> list[dict[str, Any]]:
        """System and user message; the user's begins with the images."""
        return self.prompt.messages(opening)

    def stops_at(self, generation: int) -> Sequence[str]:
        """The first generation must call, and may speak of answers while it thinks."""
        return ("</search>",) if generation == 0 else ("</search>", "</answer>")

    def keep(self, text: str, generation: int, codec: Codec) -> Kept:
        """What stays: all of it in the history `whole`, else by the table above."""
        if self.history == "whole":
            return Kept(text, final=generation >= GENERATIONS - 1)
        text = _END.sub("", text)
        if generation == 0:
            return Kept(_first(text, codec))
        if generation == 1:
            _, closed, after = text.partition("</think>")
            said = after if closed else text
            return Kept(_last(_SEARCH, said) or _last(_ANSWER, said))
        block = _last(_ANSWER, text) or _last(_SEARCH, text)
        return Kept(block or text, final=not block or generation >= GENERATIONS - 1)

    def parse(self, text: str) -> Action:
        """The action in what was kept: the answer it ends with, else its first search."""
        text = _END.sub("", text).rstrip()
        if text.endswith("</answer>") and (block := _last(_ANSWER, text)):
            return Answer(text=block[len("<answer>") : -len("</answer>")].strip())
        found = _SEARCH.search(text)
        return self._call(found["inside"]) if found else Malformed(reason="no search and no answer")

    def write(self, action: Action, thought: str = "") -> str:
        """The canonical text of an action; `parse(write(a)) == a` for actions free of control text.

        Raises ValueError for a malformed action, or names that the grammar cannot hold.
        """
        head = f"{neutralise(thought.strip())}\n</think>\n\n" if thought.strip() else ""
        match action:
            case Call(expert=expert, skill=skill, query=query):
                if self._experts.get(expert.casefold()) != expert or self._skills.get(skill.casefold()) != skill:
                    raise ValueError(f"the menu has no expert {expert!r} or no skill {skill!r}")
                return f"{head}<search> {expert}@@{skill}: {neutralise(query.strip())} </search>"
            case Answer(text=text):
                return f"{head}<answer>{neutralise(text.strip())}</answer>"
            case Malformed(reason=reason):
                raise ValueError(f"a malformed action has no text ({reason})")

    def refuse(self, action: Malformed) -> str:
        """What the policy is told: one of the short strings that it was trained with."""
        return action.reason

    def encode_observation(self, text: str, codec: Codec, limit: int) -> list[int]:
        """Ids of a user turn around the last part of the text; beyond `limit` tokens its head goes, the tags stay.

        A limit that has no room for more than the tags leaves the tags alone.
        """
        ids = codec.encode(f"{OBSERVED}{codec.neutralise(self.excerpt.of(text))}</information>{END}")
        if len(ids) <= limit:
            return ids
        head, tail = codec.encode(OBSERVED), codec.encode(f"</information>{END}")
        return [*head, *(ids[len(head) - limit :] if limit > len(head) + len(tail) else tail)]

    def _call(self, inside: str) -> Action:
        """The call between search tags, its names resolved to ids of the menu."""
        if "@@" not in inside or ":" not in inside:
            return Malformed(reason=NO_SEPARATOR_OR_COLON)
        names, _, query = inside.partition(":")
        expert, separator, skill = names.partition("@@")
        if not separator:
            return Malformed(reason=COLON_FIRST)
        known_expert = self._experts.get(expert.strip().casefold())
        known_skill = self._skills.get(skill.strip().casefold())
        if known_expert is None:
            return Malformed(reason=UNKNOWN_EXPERT)
        if known_skill is None:
            return Malformed(reason=UNKNOWN_SKILL)
        return Call(expert=known_expert, skill=known_skill, query=query.strip())


def _first(text: str, codec: Codec) -> str:
    """What the first generation leaves: the end of its thought and its search; empty without a search."""
    start, stop = text.find("<search>"), text.rfind("</search>")
    if start < 0 or stop < start:
        return ""
    thought = text[:start]
    ids = codec.encode(thought)
    if len(ids) > THOUGHT_TOKENS:
        thought = codec.decode(ids[-THOUGHT_TOKENS:])
    return thought + text[start : stop + len("</search>")]


def _last(block: re.Pattern[str], text: str) -> str:
    """The last block of a kind, tags included; empty when there is none."""
    found = [match.group() for match in block.finditer(text)]
    return found[-1] if found else ""


def _names(kind: str, cards: Sequence[Expert | Skill], aliases: Mapping[str, str]) -> dict[str, str]:
    """Ids by folded name. Raises ConfigError when two ids fold to the same, or an alias to another's name."""
    known: dict[str, str] = {}
    for card in cards:
        if (other := known.setdefault(card.id.casefold(), card.id)) != card.id:
            raise ConfigError(f"the {kind}s {other!r} and {card.id!r} differ in nothing but case; maestro-4b cannot tell them apart.")
    own = [(alias, card.id) for card in cards for alias in card.aliases]
    for alias, target in [*own, *((alias, target) for alias, target in aliases.items() if target in known.values())]:
        if (other := known.setdefault(alias.casefold(), target)) != target:
            raise ConfigError(f"the alias {alias!r} of the {kind} {target!r} is also the name of {other!r}.")
    return known
