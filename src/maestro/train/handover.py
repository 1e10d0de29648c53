"""What a run hands over, and what makes a checkpoint a policy for others: the registry it was trained on, and its model card."""

from __future__ import annotations

import shutil
from pathlib import Path

import orjson

from maestro.errors import CheckpointError
from maestro.train.bench import Workbench
from maestro.train.card import write_card
from maestro.train.config.run import TrainConfig
from maestro.train.folder.checkpoint import Checkpoint, to_disk
from maestro.train.folder.digests import NAME
from maestro.train.folder.layout import RunFolder

OURS = ("trainer.pt", "position.json", "adapter", NAME)
"""Files of a checkpoint that only its run needs."""


def describe(run: RunFolder, config: TrainConfig, folder: Path, name: str) -> None:
    """Write `registry.lock` and the model card (`README.md`) into a policy folder; `name` says which checkpoint it is."""
    lock = (run.path / "registry.lock").read_bytes()
    (folder / "registry.lock").write_bytes(lock)
    write_card(folder, config, orjson.loads(lock), run.path / "metrics.jsonl", name)


def hand_over(bench: Workbench) -> Path:
    """Copy the policy the config asks for to its final place, in the first process. Raises CheckpointError when there is none."""
    if not bench.processes.main:
        bench.processes.wait()
        return bench.folder.final
    chosen = chosen_checkpoint(bench)
    final, writing = bench.folder.final, bench.folder.path / ".writing-policy"
    shutil.rmtree(writing, ignore_errors=True)
    shutil.copytree(chosen.path, writing, ignore=shutil.ignore_patterns(*OURS))
    begun, place = chosen.path == bench.start, chosen.position
    name = "what it began with" if begun else f"{chosen.path.name}, of stage {place.stage + 1}, step {place.step}"
    name += f", because the alarm {bench.position.stopped} ended the run" if bench.position.stopped is not None else ""
    describe(bench.folder, bench.config, writing, name)
    to_disk(writing)
    if final.exists():
        shutil.rmtree(final)
    writing.rename(final)
    bench.processes.wait()
    return final


def chosen_checkpoint(bench: Workbench) -> Checkpoint:
    """The best by validation or the last, as the config says; of a run that an alarm ended the best, or else the one before its end.

    That may be the policy that the run began with. Raises CheckpointError when it began with none.
    """
    checkpoints, stopped = bench.folder.checkpoints, bench.position.stopped is not None
    best = checkpoints.best() if stopped or bench.config.result == "best" else None
    if best is not None:
        return best
    numbered = checkpoints.all()
    if not numbered:
        raise CheckpointError(f"{bench.folder.path} has no checkpoint to hand over")
    if not stopped:
        return numbered[-1]
    return numbered[-2] if len(numbered) > 1 else _begun_with(bench)


def _begun_with(bench: Workbench) -> Checkpoint:
    """The policy that the run was given; what an alarm ended before its first checkpoint has nothing better."""
    if bench.config.policy.load is None:
        raise CheckpointError(
            f"the alarm {bench.position.stopped} ended the run in {bench.folder.path} before its first checkpoint, and it began without a "
            "trained policy, so there is none to hand over. Mend what the alarm says, and train into another folder."
        )
    return Checkpoint(bench.start, bench.position)
