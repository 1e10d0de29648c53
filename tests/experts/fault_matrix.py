"""The fault matrix: one episode for every way in which an endpoint can fail, once or for good; what it records and what it costs.

`python -m tests.experts.fault_matrix` prints the table of docs/served-experts.md.
"""

import asyncio
import re
import ssl
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import trustme

from maestro.experts.pool import ExpertPool
from maestro.images import ImageStore
from maestro.policy.scripted import ScriptedPolicy
from maestro.registry.registry import Registry
from maestro.rollout.episode import run_episode
from maestro.rollout.limits import Limits
from maestro.skills.ensemble import Ensemble
from maestro.types import CallLimits, Episode, Expert, Task

from .misbehaving_server import Behaviour, MisbehavingServer, cut, drip, error, hang, huge, in_turn, no_http, reset, says, status

SKILL = "---\nname: answer\ndescription: Answers.\nmetadata:\n  experts: [{experts}]\n---\nAnswer on the last line.\n"


@dataclass(frozen=True)
class Times:
    """What bounds an episode: those of the table in the documents by default."""

    episode_seconds: float = 4.0
    attempt_seconds: float = 1.5
    attempts: int = 2
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


@dataclass
class Fault:
    """One way to fail. `recovers` says whether an episode is saved when it happens once."""

    name: str
    behaviour: Behaviour
    recovers: bool = True
    says: str = ""
    """What the episode's error says when it happens for good."""
    requests: int = 2
    """How often a server that always does it is asked, if there is time."""
    slow: bool = False
    """Only a clock ends it."""
    target: str = "good-model"


FAULTS = [
    Fault("429 with Retry-After: 1", error(429, "slow down", Retry_After="1"), says="asks for fewer calls", requests=9),
    Fault("429 without", error(429, "slow down"), says="asks for fewer calls", requests=9),
    Fault("429, no credit left", status(429, {"error": {"message": "pay", "code": "insufficient_quota"}}), False, "no credit left", 1),
    Fault("500", error(500, "oops"), says="failed (HTTP 500: oops)"),
    Fault("503", status(503, "down"), says="failed (HTTP 503: down)"),
    Fault("hang", hang, says="did not answer chat within", slow=True),
    Fault("slow drip, a byte every 20 ms", drip, says="did not answer chat within", slow=True),
    Fault("connection reset", reset, says="closed the connection before it replied"),
    Fault("body cut off", cut, says="broke off in the middle of its reply"),
    Fault("no HTTP", no_http, says="does not speak HTTP"),
    Fault("200 with something that is no JSON", status(200, "<html>Welcome</html>"), says="no JSON (<html>Welcome</html>)"),
    Fault("200 with other JSON", status(200, {"ok": True}), says='no chat completion ({"ok": true})'),
    Fault("empty content", says(""), says="said nothing (finish_reason stop)"),
    Fault("null content", says(None), says="said nothing (finish_reason stop)"),
    Fault("only thinking, tokens spent", says("<think>so", "length"), False, "spent all its 10 tokens thinking", 1),
    Fault("50 MB reply", huge(50 << 20), False, "sent more than 8 MB", 1),
    Fault("400, request refused", error(400, "too long"), False, "refuses the request (HTTP 400: too long)", 1),
    Fault("401", error(401, "who?"), False, "it wants a key", 1),
    Fault("redirect", status(307, "", Location="http://elsewhere/"), False, "sends the call elsewhere", 1),
    Fault(
        "wrong model name",
        error(404, "The model `god-model` does not exist."),
        False,
        "no served model 'god-model'; did you mean good-model? There is good-model.",
        1,
        target="god-model",
    ),
]


@dataclass
class Outcome:
    """What became of an episode."""

    episode: Episode
    seconds: float
    requests: int

    @property
    def recorded(self) -> str:
        return f"{self.episode.stop}" if self.episode.error is None else f"{self.episode.stop}: {self.episode.error}"


def ensemble_of(folder: Path, *cards: Expert, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> Ensemble:
    """An ensemble whose one skill is prompted and allowed to all cards."""
    (folder / "skills" / "answer").mkdir(parents=True, exist_ok=True)
    lines = [f"  - {card.model_dump_json(exclude_defaults=True)}\n" for card in cards]  # JSON is YAML
    (folder / "registry.yaml").write_text("name: served\nexperts:\n" + "".join(lines))
    (folder / "skills" / "answer" / "SKILL.md").write_text(SKILL.format(experts=", ".join(one.id for one in cards)))
    registry, images = Registry.load(folder), ImageStore()
    return Ensemble(registry, images, ExpertPool(registry.experts, None, images, sleep=sleep))


def served(url: str, expert: str = "wide-model", target: str = "good-model", **fields) -> Expert:
    """A card with a patient clock."""
    fields.setdefault("limits", CallLimits(timeout_seconds=60, attempts=2, concurrency=64))
    return Expert(id=expert, summary="sees", kind="openai", endpoint=url, target=target, **fields)


async def episode(ensemble: Ensemble, seconds: float = 120.0, query: str = "") -> Episode:
    """One call, then the answer that it gave."""
    call = f"<search>wide-model@@answer: {query}</search>"
    policy = ScriptedPolicy(lambda _, turns: f"<answer>{turns[-1].observation.value}</answer>" if turns else call)
    return await run_episode(Task(id="t", question="What?"), policy, ensemble, Limits(seconds=seconds))


async def outcome(folder: Path, url: str, server: MisbehavingServer | None, times: Times, target: str = "good-model") -> Outcome:
    """An episode with the endpoint at `url`."""
    limits = CallLimits(timeout_seconds=times.attempt_seconds, attempts=times.attempts)
    async with ensemble_of(folder, served(url, target=target, limits=limits), sleep=times.sleep) as ensemble:
        started = time.perf_counter()
        ended = await episode(ensemble, times.episode_seconds)
        return Outcome(ended, time.perf_counter() - started, len(server.chats) if server else 0)


async def once(fault: Fault, folder: Path, times: Times) -> Outcome:
    """The fault, then a server in good health."""
    async with MisbehavingServer(in_turn(fault.behaviour, says("7"))) as server:
        return await outcome(folder, server.url, server, times, fault.target)


async def always(fault: Fault, folder: Path, times: Times) -> Outcome:
    """Nothing but the fault."""
    async with MisbehavingServer(in_turn(fault.behaviour)) as server:
        return await outcome(folder, server.url, server, times, fault.target)


async def dead_port(folder: Path, times: Times) -> Outcome:
    """Nobody listens."""
    async with MisbehavingServer(in_turn(says("7"))) as server:
        pass
    return await outcome(folder, server.url, None, times)


def server_tls() -> ssl.SSLContext:
    """The context of a server whose certificate nobody has heard of."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    return context


async def distrusted(folder: Path, times: Times) -> Outcome:
    """A certificate that no authority has signed."""
    async with MisbehavingServer(in_turn(says("7")), tls=server_tls()) as server:
        return await outcome(folder, server.url, server, times)


async def tls_to_plain(folder: Path, times: Times) -> Outcome:
    """https where http is spoken."""
    async with MisbehavingServer(in_turn(says("7"))) as server:
        return await outcome(folder, server.url.replace("http:", "https:"), server, times)


UNREACHABLE = {
    "dead port": (dead_port, "cannot be reached (Connection refused); is the server running?"),
    "TLS, unknown certificate": (distrusted, "its TLS certificate was refused (unable to get local issuer certificate)"),
    "TLS to a plain port": (tls_to_plain, "does not speak TLS as expected"),
}


async def table(folder: Path) -> AsyncIterator[str]:
    """The lines of a Markdown table, every row measured by itself."""
    times = Times()
    await dead_port(folder / "warm", times)
    yield ("| fault | when it happens once | when it happens always, the episode records | requests | time lost |\n|---|---|---|---|---|")
    for number, fault in enumerate(FAULTS):
        saved, lost = await once(fault, folder / f"{number}a", times), await always(fault, folder / f"{number}b", times)
        recovery = f"answered after {saved.seconds:.2f} s" if saved.episode.answer else "the same"
        yield (f"| {fault.name} | {recovery} | {_said(lost)} | {lost.requests} | {lost.seconds:.2f} s |")
    for name, (work, _) in UNREACHABLE.items():
        found = await work(folder / name, times)
        yield (f"| {name} | the same | {_said(found)} | {found.requests} | {found.seconds:.2f} s |")


def _said(found: Outcome) -> str:
    text = re.sub(r"127\.0\.0\.1:\d+", "HOST", found.recorded).replace("wide-model@answer: ", "").replace("infrastructure: perform: ", "")
    return f"`{text}`"


if __name__ == "__main__":

    async def show() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async for line in table(Path(folder)):
                sys.stdout.write(f"{line}\n")

    asyncio.run(show())
