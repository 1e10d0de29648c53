"""Experts die in the middle of training and come back: everything is counted, nothing collapses, and a resumed run is the same."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from maestro.evaluate.training_report import write_training_report
from maestro.rollout.record import read_episodes
from maestro.train.folder.layout import read_metrics
from maestro.train.run import train
from maestro.types import StopReason
from tests.train.test_resume import CutsPower, PowerCut, weights, without_times
from tests.train.test_run import config, materials

OUT = ["sturdy-eye", "full-ocr", "algebra-solver"]
STAGES = [
    {"kind": "expert_iteration", "rounds": 3, "tasks_per_round": 4, "members": 4, "batch": 4, "micro_batch": 2, "floor": -9},
    {"kind": "grpo", "steps": 5, "prompts": 2, "members": 4, "micro_batch": 4, "stratified": 0.5},
]


def settings(policy: Path, **outages: Any) -> Any:
    windows = [{"start": 1, "end": 2, "experts": OUT, "stage": 0}, {"start": 2, "end": 3, "experts": OUT, "stage": 1}]
    return config(policy={"load": str(policy)}, stages=STAGES, ensemble={"outages": {"windows": windows, **outages}})


@pytest.fixture(scope="module")
def chaos(speaking: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("chaos") / "run"
    train(settings(speaking), materials(), run)
    return run


@pytest.mark.slow
def test_half_of_the_experts_die_and_return(chaos: Path) -> None:
    records = [record for record in read_metrics(chaos / "metrics.jsonl") if "signal" in record]
    assert [bool(record["out"]) for record in records] == [False, True, False, False, False, True, False, False]
    for record in records:
        signal, out = record["signal"], record["out"]
        assert set(record["faults"]["experts"]) <= set(out)
        assert signal["lost"] == sum(record["faults"]["kinds"].values())
        assert (signal["lost"] > 0) == bool(out)
        assert signal["drawn"] == record["episodes"] + signal["drawn_again"]
        assert record["broken"] == signal["not_replaced"] <= signal["lost"]
        assert math.isfinite(record["reward"])
    episodes = list(read_episodes(chaos / "episodes.jsonl"))
    assert len(episodes) == sum(record["signal"]["drawn"] for record in records)
    assert sum(one.stop is StopReason.INFRASTRUCTURE for one in episodes) == sum(record["signal"]["lost"] for record in records)
    assert len({(one.task_id, one.sample) for one in episodes}) >= len(episodes) // 2


@pytest.mark.slow
def test_the_report_explains_the_outages(chaos: Path) -> None:
    page = write_training_report(chaos).read_text()
    assert "Experts out on purpose" in page
    assert "further draws took their places" in page
    assert "Mean reward of what was trained on: before" in page
    assert "perform expert_error" in page
    assert page.count("<svg") >= 8


@pytest.mark.slow
def test_a_run_with_outages_cut_and_resumed_is_the_same(speaking: Path, chaos: Path, tmp_path: Path) -> None:
    run, after, resume = tmp_path / "run", 5, False
    for _ in range(20):
        try:
            final = train(settings(speaking), materials(), run, resume=resume, progress=CutsPower(after))
        except PowerCut:
            resume, after = True, after + 7
        else:
            break
    else:
        pytest.fail("never finished")
    assert weights(final) == weights(chaos / "policy")
    assert without_times(run / "metrics.jsonl") == without_times(chaos / "metrics.jsonl")


@pytest.mark.slow
def test_told_of_outages_the_policy_goes_on(speaking: Path, tmp_path: Path) -> None:
    train(settings(speaking, told="policy"), materials(), tmp_path / "run")
    records = [record for record in read_metrics(tmp_path / "run" / "metrics.jsonl") if "signal" in record]
    assert all(record["signal"]["lost"] == record["signal"]["drawn_again"] == 0 for record in records)
    assert [record["faults"]["told"] > 0 for record in records] == [bool(record["out"]) for record in records]
