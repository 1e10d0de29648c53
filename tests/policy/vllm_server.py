"""A real vLLM server over a tiny checkpoint that has learnt one conversation by heart."""

import itertools
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from maestro.policy.protocol import Opening
from maestro.types import Observation

ROOT = Path(__file__).parent.parent.parent
ENVIRONMENT = Path(os.environ.get("MAESTRO_VLLM", ROOT / ".venv-vllm"))
"""Where `make vllm` puts the server's environment."""
TOOLS = ("--enable-auto-tool-choice", "--tool-call-parser", "hermes")
"""The parser of Qwen's tool calls."""
STARTS_WITHIN_SECONDS = 600.0
"""On two cores under load; two minutes are usual."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(folder: Path, log: Path) -> Iterator[str]:
    """The base URL of a server over a checkpoint folder, stopped by its id at the end."""
    port = free_port()
    command = ["nice", "-n", "15", "sh", str(ROOT / "scripts" / "serve_vllm.sh"), str(ENVIRONMENT), str(folder), str(port)]
    with log.open("wb") as output:
        server = subprocess.Popen(
            [*command, "--served-model-name", "tiny", "--limit-mm-per-prompt", '{"image": 3}', *TOOLS],
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait(server, f"http://127.0.0.1:{port}/health", log)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _wait(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    until = time.monotonic() + STARTS_WITHIN_SECONDS
    while time.monotonic() < until:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=5) as reply:
                if reply.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(1)
    sys.stderr.write(log.read_text(errors="replace")[-4000:])
    raise RuntimeError(f"vLLM did not start ({server.poll()}); see {log}")


def rows_of(policy: Any, openings: Sequence[Opening], script: Sequence[str], replies: Sequence[str]) -> "Batch":
    """Conversations as padded rows: each decision of the script after whatever was replied. The policy's own ids are wanted."""
    import torch

    rows, masks, names = [], [], []
    end = policy.encode(policy.dialect.closing) if policy.dialect.closing else []
    for opening, reply in itertools.product(openings, replies):
        prompt = policy.encode_prompt(opening)
        row, mask = [*prompt], [0] * len(prompt)
        for turn, said in enumerate(script):
            ids = policy.encode(said)
            seen = [*end, *policy.encode_observation(Observation(text=reply))] if turn < len(script) - 1 else []
            row, mask = [*row, *ids, *seen], [*mask, *([1] * len(ids)), *([0] * len(seen))]
        rows.append(row)
        masks.append(mask)
        names += opening.task.images
    longest = max(map(len, rows))
    return Batch(
        torch.tensor([row + [0] * (longest - len(row)) for row in rows]),
        torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows]),
        torch.tensor([mask + [0] * (longest - len(mask)) for mask in masks])[:, 1:].bool(),
        policy.image_inputs(names),
    )


class Batch(NamedTuple):
    """Padded rows (rows, tokens)."""

    ids: Any
    attention: Any
    wanted: Any
    images: dict[str, Any]


def learn(policy: Any, batches: Sequence[Batch], steps: int = 250) -> float:
    """Teach a policy conversations by heart, one batch after the other; the largest last loss comes back."""
    import torch
    from torch.nn import functional

    optimizer = torch.optim.AdamW(policy.model.parameters(), lr=3e-3)
    losses = [1.0] * len(batches)
    for step in range(steps * len(batches)):
        number = step % len(batches)
        ids, attention, wanted, images = batches[number]
        seen = (ids == policy.model.config.image_token_id).int()
        logits = policy.model(input_ids=ids, attention_mask=attention, mm_token_type_ids=seen, **images).logits[:, :-1]
        loss = functional.cross_entropy(logits[wanted].float(), ids[:, 1:][wanted])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(policy.model.parameters(), 1.0)
        optimizer.step()
        losses[number] = float(loss.detach())
        if max(losses) < 0.004:
            break
    return max(losses)
