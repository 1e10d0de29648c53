"""A run on verl told in the records of every other run: real episodes written down by a worker, beside what verl would log."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from PIL import Image

from maestro.evaluate.training_report import write_training_report
from maestro.policy.local_model import load_model
from maestro.train.alarms.watch import Alarm
from maestro.train.config.run import TrainConfig
from maestro.train.folder.layout import read_metrics
from maestro.train.progress import Silent
from maestro.train.start import starting_folder
from maestro.train.verl.chronicle import Chronicle
from maestro.train.verl.launch import Prepared, follow, prepare
from maestro.train.verl.rows import read_tasks, row
from maestro.train.verl.worker import Worker
from tests.registry.folders import small_registry

ANSWER = "<think>sure</think><answer>4</answer>"


def config(folder: Path, **changes: Any) -> TrainConfig:
    """A run over four questions on a small registry."""
    Image.new("RGB", (96, 64), "red").save(folder / "red.png")
    rows = [{"question": f"What is 2 + {n}?", "answer": str(n + 2), "split": split} for split in ("train", "val") for n in (2, 3)]
    rows[0]["image"] = "red.png"
    (folder / "sums.jsonl").write_bytes(b"".join(orjson.dumps(one) + b"\n" for one in rows))
    stage = {"kind": "grpo", "steps": 3, "prompts": 2, "members": 2, "micro_batch": 2, "signal": {"redraws": 1}}
    return TrainConfig.model_validate(
        {
            "engine": "verl",
            "policy": {"load": "maestro-mini-vl"},
            "ensemble": {"registry": str(small_registry(folder / "small"))},
            "tasks": {"source": str(folder / "sums.jsonl")},
            "verl": {"gpus": 1, "prompt_tokens": 512, "workers": 1},
            "stages": [stage],
            **changes,
        }
    ).located()


class Answers:
    """A server that answers at once; at the calls in `down` it breaks."""

    def __init__(self, tokenizer: Any, down: Sequence[int] = ()) -> None:
        self.ids = tokenizer.encode(ANSWER, add_special_tokens=False)
        self.down = down
        self.calls = 0

    async def generate(self, **_: Any) -> Any:
        self.calls += 1
        if self.calls in self.down:
            raise ConnectionError("the server is gone")
        logprobs = [-0.25] * len(self.ids)
        return SimpleNamespace(token_ids=self.ids, log_probs=logprobs, stop_reason="completed", extra_fields={})


@pytest.fixture(scope="module")
def processor() -> Any:
    return load_model(starting_folder("maestro-mini-vl"))[1]


class Played:
    """A prepared run in which steps can be played as verl's processes would."""

    def __init__(self, settings: TrainConfig, run: Path, processor: Any) -> None:
        self.settings, self.run, self.processor = settings, run, processor
        self.prepared: Prepared = prepare(settings, run, resume=False)
        self.worker = Worker(run)
        self.log = self.prepared.log

    def step(self, step: int, *, training: bool = True, down: Sequence[int] = ()) -> None:
        """Two members on each of the two questions, or one look at each."""
        server = Answers(self.processor.tokenizer, down)
        for index, task in enumerate(read_tasks(self.run, "train" if training else "validation")):
            for member in range(2 if training else 1):
                fields = {**row(task, index, training=training), "global_steps": step, "session_id": member}
                asyncio.run(self.worker.play(server, self.processor, {"temperature": 1.0}, fields))

    def logs(self, step: int, **numbers: float) -> None:
        """A line of verl's log."""
        with self.log.open("ab") as file:
            file.write(orjson.dumps({"step": step, "data": numbers}) + b"\n")

    def tell(self) -> Chronicle:
        """Everything from the beginning."""
        chronicle = Chronicle(self.settings, self.run, self.log)
        chronicle.tell(Silent())
        chronicle.close()
        return chronicle

    def records(self, kind: str) -> list[dict[str, Any]]:
        return [record for record in read_metrics(self.run / "metrics.jsonl") if record["kind"] == kind]


@pytest.fixture
def played(tmp_path: Path, processor: Any) -> Played:
    return Played(config(tmp_path), tmp_path / "run", processor)


LOSS = {"actor/loss": 0.5, "actor/grad_norm": 1.5, "actor/lr": 1e-5, "actor/entropy": 0.7, "rollout_corr/log_ppl_abs_diff": 1e-6}


def test_steps_and_looks_are_recorded_as_those_of_any_run(played: Played) -> None:
    played.step(0, training=False)
    played.logs(0, **{"val-core/playground/val/reward/mean@1": 0.5})
    played.step(1)
    played.logs(1, **LOSS)
    played.tell()
    (step,), (look,) = played.records("step"), played.records("validation")
    assert (step["step"], step["name"], step["episodes"], step["broken"]) == (1, "grpo", 4, 0)
    assert (step["loss"], step["grad_norm"], step["token_entropy"], step["drift"]) == (0.5, 1.5, 0.7, 1e-6)
    assert step["entropy"] == pytest.approx(0.25)
    assert (step["first"], step["calls"]) == ({"answer": 1.0}, 0.0)
    assert step["signal"]["trained"] == 4
    assert {"terms", "experts", "out", "information"} <= set(step)
    assert look["greedy"]["episodes"] == 2
    assert "utility" in look["greedy"]
    assert write_training_report(played.run).stat().st_size > 1000


def test_what_broke_and_what_was_drawn_again_is_counted(played: Played) -> None:
    played.step(1, down=[1, 3, 4])  # the first member once, the second twice: drawn again in vain
    played.logs(1, **LOSS)
    played.tell()
    (step,) = played.records("step")
    assert step["signal"]["drawn"] == 6
    assert step["signal"]["lost"] == 3
    assert step["signal"]["drawn_again"] == 2
    assert step["signal"]["not_replaced"] == 1
    assert step["signal"]["trained"] == 3
    assert step["faults"]["kinds"] == {"decide InfrastructureFault": 3}


def test_a_step_is_told_once_and_only_when_verl_has_logged_it(played: Played) -> None:
    chronicle = Chronicle(played.settings, played.run, played.log)
    played.step(1)
    chronicle.tell(Silent())
    assert played.records("step") == []
    played.logs(1, **LOSS)
    chronicle.tell(Silent())
    chronicle.tell(Silent())
    assert [record["step"] for record in played.records("step")] == [1]
    chronicle.close()


def test_what_happened_again_after_a_resume_is_told_once(played: Played) -> None:
    for step in (1, 2):
        played.step(step, down=[1, 2] if step == 2 else [])
        played.logs(step, **LOSS)
    (played.run / "checkpoints").mkdir(exist_ok=True)
    (played.run / "checkpoints" / "latest_checkpointed_iteration.txt").write_text("1")
    played.log = played.log.with_name("verl-002.jsonl")
    played.logs(1, **{"val-core/playground/val/reward/mean@1": 0.5})
    played.tell()
    assert [record["step"] for record in played.records("step")] == [1]
    played.step(2)
    played.logs(2, **{**LOSS, "actor/loss": 0.25})
    played.tell()
    steps = played.records("step")
    assert [(record["step"], record["loss"], record["signal"]["lost"]) for record in steps] == [(1, 0.5, 0), (2, 0.25, 0)]


def test_a_line_that_is_being_written_waits(played: Played) -> None:
    played.step(1)
    with played.log.open("ab") as file:
        file.write(b'{"step": 1, "data": {"actor/lo')
    played.tell()
    assert played.records("step") == []


class Listening(Silent):
    def __init__(self) -> None:
        self.alarms: list[str] = []

    def alarm(self, alarm: Alarm) -> None:
        self.alarms.append(alarm.name)


def start(code: str) -> subprocess.Popen[bytes]:
    """A process in verl's place."""
    return subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)


def test_a_loss_that_is_no_number_ends_the_run(played: Played) -> None:
    played.step(1)
    played.logs(1, **{**LOSS, "actor/loss": float("nan")})  # which orjson, and so verl, writes as null
    chronicle, listening = Chronicle(played.settings, played.run, played.log), Listening()
    verl = start("import time; time.sleep(600)")
    follow(verl, chronicle, listening, every_seconds=0.05)
    chronicle.close()
    assert verl.returncode != 0  # it did not come to its end
    assert (chronicle.stopped, listening.alarms) == ("nan", ["nan"])
    assert [record["alarm"] for record in played.records("alarm")] == ["nan"]


def test_a_step_that_was_lost_as_a_whole_does_not_end_the_run(played: Played) -> None:
    """All of its rows are masked, so verl divides by no tokens; it leaves the weights alone, and the next step may be fine."""
    played.step(1, down=range(1, 9))
    played.logs(1, **{**LOSS, "actor/loss": float("nan"), "actor/grad_norm": float("nan"), "rollout_corr/log_ppl_abs_diff": float("nan")})
    played.step(2)
    played.logs(2, **LOSS)
    assert played.tell().stopped is None
    lost, fine = played.records("step")
    assert (lost["signal"]["trained"], lost["signal"]["lost"], "loss" in lost) == (0, 8, False)
    assert (fine["signal"]["trained"], fine["loss"]) == (4, 0.5)
    assert "nan" not in {record["alarm"] for record in played.records("alarm")}


def test_a_run_that_ends_by_itself_is_told_to_its_end(played: Played) -> None:
    played.step(1)
    line = orjson.dumps({"step": 1, "data": LOSS}).decode()
    verl = start(f"import time; time.sleep(0.2); open({str(played.log)!r}, 'a').write({line!r} + chr(10))")
    chronicle = Chronicle(played.settings, played.run, played.log)
    follow(verl, chronicle, Silent(), every_seconds=60)
    chronicle.close()
    assert verl.returncode == 0
    assert [record["step"] for record in played.records("step")] == [1]


def test_an_interrupted_watch_leaves_no_process_behind(played: Played) -> None:
    class Interrupting(Silent):
        def step(self, record: Any) -> None:
            raise KeyboardInterrupt

    played.step(1)
    played.logs(1, **LOSS)
    verl = start("import time; time.sleep(600)")
    chronicle = Chronicle(played.settings, played.run, played.log)
    with pytest.raises(KeyboardInterrupt):
        follow(verl, chronicle, Interrupting(), every_seconds=0.05)
    chronicle.close()
    assert verl.poll() is not None
