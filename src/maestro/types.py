"""The vocabulary: the ten types that every room shares, all frozen and serialisable.

Read this file first. `Task` goes in, an `Episode` comes out; an episode is a list of `Turn`s, and a turn is what the
policy said (`Decision`), what that meant (`Action`) and what came back (`Observation`). `Expert` and `Skill` are the
cards of the registry. `Reward` and `StopReason` close the episode.

Units: money in US dollars (`cost_usd`), time in seconds (`*_seconds`), images by content hash (see `maestro.images`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Record(BaseModel):
    """Frozen data; an unknown field is an error rather than a silent no-op."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Task(_Record):
    """One question with images and the references it will be scored against."""

    id: str
    question: str
    images: tuple[str, ...] = ()
    """Content hashes; the pixels live in an `ImageStore`."""
    references: tuple[str, ...] = ()
    """Accepted answers. Empty when nobody knows (a user's own question)."""
    profile: str = "exact"
    """Name of the scoring profile in `maestro.scoring`."""
    params: dict[str, Any] = Field(default_factory=dict)
    """Parameters of the scoring profile, for example a tolerance."""
    choices: tuple[str, ...] = ()
    """The answers to choose from, also where the question names them itself (see `unlisted`)."""
    source: str = "user"
    """Where it came from, as `source/split`."""
    category: str = ""
    """Family inside the source; reports group by it. A policy never sees it."""
    cluster: str = ""
    """What tasks that are not independent of each other share (a scene, a picture); empty for a task on its own. A policy never sees it."""

    def unanswered(self) -> Task:
        """The same task without anything a policy, skill or expert may not know (references, scoring, category, cluster)."""
        return self.model_copy(update={"references": (), "profile": "exact", "params": {}, "category": "", "cluster": ""})


def unlisted(text: str, choices: Sequence[str]) -> tuple[str, ...]:
    """The choices that whoever shows a question has to lay out below it: none where the text has each one behind its letter."""
    marks = (rf"(?:^|[\s(]){chr(65 + index)}[.):]\s*{re.escape(choice)}" for index, choice in enumerate(choices))
    return () if all(re.search(mark, text) for mark in marks) else tuple(choices)


def _is_empty(value: object) -> bool:
    """Whether a field is left out of a dump: fields that came later must not change the digests of cards that lack them."""
    return not value


class Price(_Record):
    """What one call costs: a flat part, a part per image megapixel and parts per million tokens, in US dollars."""

    model_config = ConfigDict(allow_inf_nan=False)

    call_usd: float = Field(default=0.0, ge=0)
    megapixel_usd: float = Field(default=0.0, ge=0)
    input_mtok_usd: float = Field(default=0.0, ge=0)
    output_mtok_usd: float = Field(default=0.0, ge=0)


class CallLimits(_Record):
    """Bounds on the calls to one expert."""

    model_config = ConfigDict(allow_inf_nan=False)

    timeout_seconds: float = Field(default=60.0, gt=0)
    """One attempt."""
    attempts: int = Field(default=2, ge=1, le=10)
    """Attempts in all; only transient failures are tried again."""
    concurrency: int = Field(default=4, ge=1)
    """Calls at a time; of a served expert the most, its endpoint's adaptive limit may be lower."""


class ChatSampling(_Record):
    """How a served expert (`openai`) is sampled. Changing a default here needs a new version of the store keys."""

    temperature: float | None = Field(default=0.2, ge=0, le=2)
    """None leaves it to the server."""
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_tokens: int = Field(default=2048, ge=1)
    """Of the reply, reasoning included; always sent."""
    keep_thinking: bool = False
    """Leave a reasoning block (`<think>`) in the reply; otherwise it is kept apart from it."""
    extra: dict[str, Any] = Field(default_factory=dict)
    """Further fields of the request, for example `top_k` or `chat_template_kwargs`."""

    def chosen(self) -> dict[str, Any]:
        """What differs from the defaults, flat: the card's part of every store key."""
        chosen = self.model_dump(exclude_defaults=True, exclude={"extra"})
        return {**self.extra, **chosen}


class Serve(_Record):
    """How `maestro experts up` starts the model behind an `openai` card. No policy, prompt, digest or store key sees it.

    Sizes are per replica and in GiB; what is not given is computed (`maestro.experts.fleet.memory`) and shown before anything starts.
    """

    model: str | None = None
    """Hub id or folder of the weights."""
    revision: str | None = None
    """Hub revision: commit, tag or branch."""
    device: Literal["gpu", "cpu"] = "gpu"
    parameters_billions: float | None = Field(default=None, gt=0)
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    """`auto` is counted as two bytes a parameter on a GPU and started as float32 on a CPU."""
    quantization: str | None = None
    """vLLM's name of the method, such as fp8 or awq."""
    context_tokens: int = Field(default=16384, ge=128)
    """Longest request with its reply."""
    sequences: int = Field(default=2, ge=1)
    """Requests of full length that the KV cache holds at once; many more short ones fit."""
    kv_kib_per_token: float | None = Field(default=None, gt=0)
    """2 (keys, values) x layers x KV heads x head size x bytes / 1024, from the model's config.json."""
    weights_gib: float | None = Field(default=None, gt=0)
    kv_cache_gib: float | None = Field(default=None, gt=0)
    overhead_gib: float | None = Field(default=None, ge=0)
    """Of each GPU: CUDA context, activations, vision encoder, CUDA graphs."""
    gpu_gib: float | None = Field(default=None, gt=0)
    """Of each GPU, in place of the computed sum."""
    download_gib: float | None = Field(default=None, ge=0)
    tensor_parallel: int = Field(default=1, ge=1, le=64)
    """GPUs that share one replica."""
    replicas: int = Field(default=1, ge=1, le=64)
    """The first listens on the card's endpoint, the others on `ports`."""
    ports: tuple[int, ...] = ()
    """Of the second replica and further; by default the endpoint's port plus 1000, 2000, ..."""
    arguments: tuple[str, ...] = ()
    """Further arguments of the vLLM server."""
    environment: dict[str, str] = Field(default_factory=dict)
    command: tuple[str, ...] = ()
    """Starts something else than vLLM: program and arguments with {port}, {host}, {target}, {model}, {python} filled in."""


class Expert(_Record):
    """Card of a frozen model that can be called."""

    id: str
    summary: str
    kind: Literal["openai", "local", "scripted", "recorded"]
    """`recorded`: a system whose outcomes lie beside the tasks of a folder; on other tasks it is not offered."""
    revision: str = "1"
    """Changes whenever the weights or the code behind the id change; part of every store key."""
    endpoint: str | None = None
    """Base URL (`openai`)."""
    target: str | None = None
    """Served model name (`openai`), `package.module:attribute` (`local`), or the system's name where it is not the id (`recorded`)."""
    api_key_env: str | None = None
    """Name of the environment variable that holds the key; never the key."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Settings of a `local` expert, passed to its constructor."""
    price: Price = Price()
    limits: CallLimits = CallLimits()
    aliases: tuple[str, ...] = Field(default=(), exclude_if=_is_empty)
    """Other names that a policy may use, in any case; the id itself matches exactly only."""
    serve: Serve | None = None
    """How the model is started on this machine (`openai`); None when somebody else does that."""
    sampling: ChatSampling = Field(default=ChatSampling(), exclude_if=lambda sampling: sampling == ChatSampling())
    """How an `openai` expert is sampled."""
    fallback: str | None = Field(default=None, exclude_if=lambda fallback: fallback is None)
    """Id of the expert that is asked instead when this one is down or its attempts are used up."""


class ObservationSettings(_Record):
    """How much of a call's result a policy reads, and which part."""

    max_characters: int = Field(default=2000, ge=40, le=100_000)
    """Longer observations are cut."""
    side: Literal["head", "tail"] = Field(default="head", exclude_if=lambda side: side == "head")
    """Which end is kept."""
    boundary: Literal["line", "sentence", "word", "character"] = Field(default="line", exclude_if=lambda boundary: boundary == "line")
    """Where the cut falls; `character` cuts anywhere, and so do the others when what is kept has no such boundary."""
    form: Literal["lines", "message"] = Field(default="lines", exclude_if=lambda form: form == "lines")
    """`lines`: value, confidence and evidence, a line each. `message`: the expert's last message as it is, where a skill has one."""


class Bonus(_Record):
    """What a level-2 skill's score gains, once, under dispatch by `keywords`: when `any` keyword occurs or enough images are there."""

    any: tuple[str, ...] = ()
    images: int | None = Field(default=None, ge=1)
    """At least so many images."""
    adds: int = Field(ge=1)


EVIDENCE_ROLES = ("ocr", "caption", "detection", "zoom")
"""What helpers can be asked for on behalf of a skill that is only a SKILL.md."""

Value = Literal["answer", "region", "expression", "code"]
"""What a skill gives back: an answer to the question, or the input of a further call."""


class Skill(_Record):
    """Card of a procedure over experts."""

    id: str
    summary: str
    """When to use it; the `description` of SKILL.md."""
    level: Literal[1, 2] = 1
    parent: str | None = None
    """The level-1 skill above a level-2 skill."""
    experts: tuple[str, ...] = ()
    """Ids of the experts it may be run with. A level-2 skill inherits its parent's when empty."""
    dispatch: Literal["none", "retrieval", "keywords", "expert"] = "none"
    """How a level-1 skill picks a level-2 skill; `none` when it is a procedure itself."""
    takes: tuple[Literal["question", "region", "expression", "code"], ...] = ("question",)
    """What its query may be. With `question` an empty query means the task's own question; with `region` the query may be
    `left,top,right,bottom` in pixels, and the skill then works on that part of the first image."""
    gives: Value = "answer"
    examples: tuple[str, ...] = ()
    """Example questions, used by `retrieval`."""
    keywords: tuple[str, ...] = ()
    """Used by `keywords`: each that occurs as whole words counts one."""
    similarity: Literal["nearest", "pooled"] = Field(default="nearest", exclude_if=lambda similarity: similarity == "nearest")
    """Used by `retrieval`, on level 1: likeness to the one nearest text of a child, or to all its texts together."""
    bonuses: tuple[Bonus, ...] = Field(default=(), exclude_if=_is_empty)
    """Used by `keywords`."""
    priority: int = Field(default=0, exclude_if=_is_empty)
    """Used by `keywords`: of equal scores the child with the lowest priority is taken, then the first."""
    fallback: str | None = Field(default=None, exclude_if=_is_empty)
    """Used by `keywords`, on level 1: the child that is taken when no keyword occurs; None: the first."""
    target: str | None = None
    """`package.module:function` of a coded skill; None for a prompted one, whose body is the procedure."""
    aliases: tuple[str, ...] = Field(default=(), exclude_if=_is_empty)
    """Other names that a policy may use, in any case; the id itself matches exactly only. Level 1 only."""
    helpers: dict[str, str | None] = Field(default_factory=dict, exclude_if=_is_empty)
    """Expert by role (`ocr`, `zoom`, `detection`, `caption`; a coded skill may have others): asked for evidence beside the expert
    that the policy chose. None: the role is open and nobody is asked."""
    needs_image: bool = Field(default=False, exclude_if=_is_empty)
    """A call without an image is the policy's fault; on level 1 it holds for the children too, and policies that value calls make none."""
    steps: tuple[str, ...] = Field(default=(), exclude_if=_is_empty)
    """Sections of the body, each one call that reads what the earlier ones gave. Empty: one call with the whole body."""
    observation: ObservationSettings | None = Field(default=None, exclude_if=_is_empty)
    """Instead of the registry's."""
    body: str = ""
    """The Markdown below the front matter."""
    digest: str = ""
    """SHA-256 of the skill's files; part of every store key."""


class Call(_Record):
    """The policy asks `expert` to follow `skill` on `query`."""

    type: Literal["call"] = "call"
    expert: str
    skill: str
    query: str = ""


class Answer(_Record):
    """The policy stops and answers."""

    type: Literal["answer"] = "answer"
    text: str


class Malformed(_Record):
    """The policy's text is no action. Nothing is guessed; the reason is what the policy is told."""

    type: Literal["malformed"] = "malformed"
    reason: str


Action = Annotated[Call | Answer | Malformed, Field(discriminator="type")]


class Decision(_Record):
    """One policy turn as it was sampled."""

    text: str
    kept: str | None = None
    """What the dialect left of `text` in the history and acted on. None: all of it. Empty: nothing, the generation was discarded."""
    final: bool = False
    """The dialect ends the episode with this decision; a call in it is not performed."""
    token_ids: tuple[int, ...] = ()
    """As sampled, all of them."""
    logprobs: tuple[float, ...] = ()
    """Natural log-probabilities of `token_ids` under the sampling distribution; empty when unknown."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    truncated: bool = False
    """The token limit cut the text."""
    value: float | None = Field(default=None, exclude_if=lambda value: value is None)
    """Utility that the policy expects of what it does here, at most 1; None for a policy that does not say."""
    cost_usd: float = 0.0
    latency_seconds: float = 0.0

    @property
    def discarded(self) -> bool:
        """Whether nothing of it entered the history: the policy was asked again, at the price of one turn."""
        return self.kept == "" and not self.final


class ChildCall(_Record):
    """One expert call made by a skill."""

    expert: str
    skill: str
    """Id of the level-2 skill (or of the level-1 skill that is a procedure) that made it."""
    replayed: bool = False
    cost_usd: float = 0.0
    latency_seconds: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0


class Observation(_Record):
    """What came back for one action."""

    text: str = ""
    status: Literal["ok", "policy_error", "expert_error", "timeout"] = "ok"
    value: str | None = None
    """The answer, region, expression or code in `text`, when the skill found one; bounded as `text` is."""
    gives: Value = "answer"
    """What kind of thing `value` is."""
    confidence: float | None = None
    children: tuple[ChildCall, ...] = ()
    cost_usd: float = 0.0
    latency_seconds: float = 0.0


class Turn(_Record):
    """One round: what the policy said, what it meant, what came back (nothing after an answer)."""

    decision: Decision
    action: Action
    observation: Observation | None = None


class StopReason(StrEnum):
    """Every way out of the episode loop."""

    ANSWERED = "answered"
    """The policy answered."""
    TURN_LIMIT = "turn_limit"
    """As many decisions as allowed were made without an answer."""
    MALFORMED = "malformed"
    """The policy's text was no action, and its dialect ends the episode there."""
    TOKEN_LIMIT = "token_limit"  # noqa: S105 (not a password)
    """The token buffer is full; the last observation, if it did not fit, was not appended."""
    COST_LIMIT = "cost_limit"
    """As many decisions as allowed were made without an answer, the last one a call for which there was no money left."""
    TIME_LIMIT = "time_limit"
    """The episode's deadline passed before the policy had decided; a call that it cut off is `INFRASTRUCTURE`."""
    INFRASTRUCTURE = "infrastructure"
    """An expert or the policy's server failed for reasons that are not the policy's fault. Excluded from advantages."""


class Reward(_Record):
    """Named reward terms and their weights."""

    terms: dict[str, float] = Field(default_factory=dict)
    weights: dict[str, float] = Field(default_factory=dict)

    @property
    def total(self) -> float:
        """Weighted sum; a term without a weight is an error (KeyError)."""
        return sum(self.weights[name] * value for name, value in self.terms.items())


class Tokens(_Record):
    """The episode as the trainer sees it: one append-only row of ids."""

    prompt_ids: tuple[int, ...] = ()
    completion_ids: tuple[int, ...] = ()
    mask: tuple[int, ...] = ()
    """1 where the policy sampled the id, 0 where an observation put it; same length as `completion_ids`."""
    logprobs: tuple[float, ...] = ()
    """0.0 at observation positions; same length as `completion_ids`."""
    untrainable: str | None = None
    """Why the row is not what the policy sampled in this context, if it is not (a dialect drops or re-encodes part of a decision)."""


class Episode(_Record):
    """The single record that training, evaluation, the server and the viewer consume."""

    version: Literal[1] = 1
    task_id: str
    turns: tuple[Turn, ...]
    stop: StopReason
    answer: str | None = None
    supported: bool | None = None
    """Whether a call gave the answer (`maestro.rollout.support`); False is no error: the words are the policy's own. None without one."""
    reward: Reward | None = None
    tokens: Tokens | None = None
    error: str | None = None
    """What broke, as `stage: type: message`, when `stop` is `infrastructure`."""
    policy: str = ""
    registry: str = ""
    """`name@digest` of the registry the episode ran on."""
    sample: int = 0
    """Which of several episodes on the same task."""
    cost_usd: float = 0.0
    latency_seconds: float = 0.0

    @property
    def calls(self) -> tuple[Call, ...]:
        """The well-formed calls, in order."""
        return tuple(turn.action for turn in self.turns if isinstance(turn.action, Call))
