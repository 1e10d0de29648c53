"""The GPUs of this machine, or a list of them given by hand."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from maestro.errors import ConfigError

_QUERY = ("index", "uuid", "memory.total", "memory.free", "mig.mode.current", "name")
_OLD_QUERY = tuple(field for field in _QUERY if field != "mig.mode.current")
_SECONDS = 20.0
_GROUP = re.compile(r"(?:(\d{1,3})\s*[x*]\s*)?(\d+(?:\.\d+)?)\s*(?:g|gb|gib)?", re.IGNORECASE)
_KEPT_BACK_GIB = 0.6
"""vLLM compares what is free after its own CUDA context is there with what it was promised."""
_MOST_OF_A_CARD = 0.95
ADVICE = (
    "Plan for other cards by hand with --gpus 1x24 --dry-run (GiB a card; 4x80 is four of 80). "
    "A service with device: cpu, or with a command and no sizes, needs no GPU."
)


@dataclass(frozen=True)
class Gpu:
    """One card."""

    index: int
    """As nvidia-smi numbers it (PCI order)."""
    total_gib: float
    free_gib: float
    name: str = "by hand"
    uuid: str = ""

    @property
    def usable_gib(self) -> float:
        """What a plan may hand out: a little less than is free, and never all of the card."""
        return max(0.0, min(self.free_gib - _KEPT_BACK_GIB, self.total_gib * _MOST_OF_A_CARD))


@dataclass(frozen=True)
class FoundGpus:
    """What was found, and why something was left out."""

    gpus: tuple[Gpu, ...]
    notes: tuple[str, ...] = ()


def parse_gpus(text: str) -> tuple[Gpu, ...]:
    """A list by hand: `1x24`, `4x80`, `2x24,80` (GiB a card). Raises ConfigError."""
    gpus: list[Gpu] = []
    for part in text.split(","):
        found = _GROUP.fullmatch(part.strip())
        count, size = (int(found[1] or 1), float(found[2])) if found else (0, 0.0)
        if not 1 <= count <= 512 or not 1 <= size <= 4096:
            raise ConfigError(f"--gpus {text!r}: {part.strip()!r} is no group of GPUs. Write COUNTxGIB, as in 1x24, 4x80 or 2x24,1x80.")
        gpus += [Gpu(len(gpus) + k, size, size) for k in range(count)]
    return tuple(gpus)


def find_gpus() -> FoundGpus:
    """The GPUs that nvidia-smi lists and CUDA_VISIBLE_DEVICES allows; none, with the reason, where there are none."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return FoundGpus((), ("nvidia-smi is not installed, so no NVIDIA GPU can be found",))
    output, trouble = _run([program, f"--query-gpu={','.join(_QUERY)}", "--format=csv,noheader,nounits"])
    fields: Sequence[str] = _QUERY
    if trouble and "mig.mode" in trouble + output:  # drivers that know no MIG
        output, trouble = _run([program, f"--query-gpu={','.join(_OLD_QUERY)}", "--format=csv,noheader,nounits"])
        fields = _OLD_QUERY
    if trouble:
        return FoundGpus((), (f"nvidia-smi failed: {trouble}",))
    found = parse_query(output, fields)
    return visible(found, os.environ.get("CUDA_VISIBLE_DEVICES"))


def parse_query(output: str, fields: Sequence[str] = _QUERY) -> FoundGpus:
    """GPUs from nvidia-smi's CSV, memory in MiB; lines that are something else become notes."""
    gpus: list[Gpu] = []
    notes: list[str] = []
    for line in filter(None, map(str.strip, output.splitlines())):
        cells = [cell.strip() for cell in line.split(",", len(fields) - 1)]
        row = dict(zip(fields, cells, strict=False))
        total, free = _mib(row.get("memory.total")), _mib(row.get("memory.free"))
        if len(cells) != len(fields) or not row["index"].isdigit():
            notes.append(f"nvidia-smi says: {line[:160]}")
        elif total is None:
            notes.append(f"GPU {row['index']} ({row['name']}) does not tell its memory ({row['memory.total']}) and is left out")
        elif row.get("mig.mode.current", "").casefold() == "enabled":
            notes.append(f"GPU {row['index']} ({row['name']}) is split by MIG and is left out: services are placed on whole cards")
        else:
            gpus.append(Gpu(int(row["index"]), total / 1024, (total if free is None else free) / 1024, row["name"], row["uuid"]))
    return FoundGpus(tuple(gpus), tuple(notes) or (() if gpus else ("nvidia-smi lists no GPU",)))


def visible(found: FoundGpus, allowed: str | None) -> FoundGpus:
    """Those that CUDA_VISIBLE_DEVICES allows; `allowed` None allows all."""
    if allowed is None:
        return found
    wanted = [word.strip() for word in allowed.split(",") if word.strip()]
    kept = tuple(gpu for gpu in found.gpus if any(_names(word, gpu) for word in wanted))
    if len(kept) == len(found.gpus):
        return found
    note = f"CUDA_VISIBLE_DEVICES={allowed} leaves {len(kept)} of {len(found.gpus)} GPUs"
    return replace(found, gpus=kept, notes=(*found.notes, note))


def gpu_memory_by_process() -> dict[int, float]:
    """GiB of GPU memory by process id, as far as nvidia-smi tells; empty where it does not (also inside many containers)."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return {}
    output, trouble = _run([program, "--query-compute-apps=pid,used_memory", "--format=csv,noheader,nounits"])
    return {} if trouble else _by_process(output.splitlines())


def _by_process(lines: Iterable[str]) -> dict[int, float]:
    used: dict[int, float] = {}
    for line in lines:
        pid, _, memory = line.partition(",")
        mib = _mib(memory)
        if pid.strip().isdigit() and mib is not None:
            used[int(pid)] = used.get(int(pid), 0.0) + mib / 1024
    return used


def _names(word: str, gpu: Gpu) -> bool:
    return word == str(gpu.index) if word.isdigit() else bool(gpu.uuid) and gpu.uuid.startswith(word)


def _mib(text: str | None) -> float | None:
    """A number of MiB, or None for `[N/A]`, `[Not Supported]` and the like."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(?:\s*MiB)?", (text or "").strip())
    return float(found[1]) if found else None


def _run(command: list[str]) -> tuple[str, str]:
    """(output, what went wrong)."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=_SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        return "", f"no answer within {_SECONDS:.0f} s (a hung driver does that)"
    except OSError as error:
        return "", str(error)
    said = " ".join((done.stderr or done.stdout).split())[:300]
    return done.stdout, (said or f"exit code {done.returncode}") if done.returncode else ""
