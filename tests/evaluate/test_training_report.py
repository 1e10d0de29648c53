"""The report of a training run, from what metrics.jsonl holds."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from maestro.cli.main import cli
from maestro.errors import CheckpointError
from maestro.evaluate.training_journal import Journal, smooth
from maestro.evaluate.training_report import training_report, write_training_report
from maestro.images import ImageStore


def step(number: int, stage: int = 0, **numbers: Any) -> dict[str, Any]:
    signal = {"drawn": 8, "lost": 0, "drawn_again": 0, "not_replaced": 0}
    told = {"signal": signal, "faults": {"kinds": {}, "experts": {}, "told": 0}, "out": []}
    shares = {"terms": {"outcome": 0.6, "cost": -0.01}, "weights": {"outcome": 1.0, "cost": 20.0}, "experts": {"cheap": 0.7, "dear": 0.3}}
    plain = {"episodes": 8, "broken": 0, "reward": 0.4, "accuracy": 0.6, "calls": 1.5, "entropy": 0.2, **shares, **told}
    return {"kind": "step", "stage": stage, "name": "grpo", "step": number, "loss": 0.1, **plain, **numbers}


def outage(number: int) -> dict[str, Any]:
    signal = {"drawn": 12, "lost": 5, "drawn_again": 4, "not_replaced": 1}
    faults = {"kinds": {"perform expert_error": 5}, "experts": {"<dear>": 5}, "told": 0}
    return step(number, signal=signal, faults=faults, out=["<dear>"], reward=0.3, infrastructure_share=5 / 12)


def written(folder: Path, *records: dict[str, Any], tail: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records) + tail)
    return folder


ALARM = {"kind": "alarm", "stage": 0, "name": "grpo", "step": 4, "alarm": "infrastructure", "fatal": False}
SAID = {"measured": "broke 42% <of> them", "cause": "experts are down", "advice": "start them", "message": "all of it"}


def test_the_report_shows_curves_alarms_and_what_outages_did(tmp_path: Path) -> None:
    look = {"kind": "validation", "stage": 0, "name": "grpo", "step": 0, "greedy": {"utility": 0.5}}
    records = [look, step(1), step(2), outage(3), outage(4), {**ALARM, **SAID}, step(5), {**look, "step": 5, "greedy": {"utility": 0.7}}]
    page = write_training_report(written(tmp_path / "run", *records)).read_text()
    assert "<strong>0.700</strong><span>best validation utility, greedy" in page
    for text in ("broke 42% &lt;of&gt; them", "experts are down", "start them", "&lt;dear&gt;", "perform expert_error"):
        assert text in page
    assert "<dear>" not in page
    assert "41.7 % of the 24 episodes drawn were lost" in page
    assert "8 further draws took their places, and 2 places stayed masked" in page
    assert "before 0.400, meanwhile 0.300, at the end 0.400" in page
    assert Journal.read(tmp_path / "run").bands() == [(2.5, 4.5, "out: <dear>")]
    assert page.count("<title>out: &lt;dear&gt;</title>") == page.count("<svg")


def test_later_stages_are_counted_on_and_rounds_lie_where_their_steps_end(tmp_path: Path) -> None:
    imitation = {"kind": "step", "stage": 0, "name": "expert_iteration", "loss": 0.3}
    turn = {**step(1), "kind": "round", "name": "expert_iteration"}
    run = written(
        tmp_path / "run", {**imitation, "step": 1}, {**imitation, "step": 2}, turn, step(1, stage=1), step(2, stage=1), tail='{"kind": "st'
    )
    journal = Journal.read(run)
    assert [record["at"] for record in journal.records] == [1, 2, 2, 3, 4]
    assert journal.stages == [(0.0, "expert_iteration"), (2.0, "grpo")]
    assert [at for at, _ in journal.series("reward")] == [2, 3, 4]
    assert "Expert iteration, then grpo" in training_report(journal).html(ImageStore())


def test_a_step_that_lost_every_episode_is_still_reported(tmp_path: Path) -> None:
    bare = {
        key: value
        for key, value in outage(1).items()
        if key in {"kind", "stage", "name", "step", "episodes", "broken", "signal", "faults", "out"}
    }
    page = write_training_report(written(tmp_path / "run", bare, {**bare, "step": 2, "loss": None})).read_text()
    assert "Experts out on purpose" in page


def test_smoothing_is_the_mean_of_what_came_before() -> None:
    assert smooth([(0, 1.0), (1, 3.0), (2, 5.0)], 2) == [(0, 1.0), (1, 2.0), (2, 4.0)]
    assert math.isclose(smooth([(0, 1.0)], 9)[0][1], 1.0)


def test_a_folder_without_training_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"holds no metrics\.jsonl"):
        Journal.read(tmp_path)


def test_maestro_trace_report_writes_the_page(tmp_path: Path) -> None:
    run = written(tmp_path / "run", step(1), step(2))
    done = CliRunner().invoke(cli, ["trace", "report", str(run), "--json"])
    assert (done.exit_code, json.loads(done.output)) == (0, {"report": str(run / "report.html")})
    assert "No alarm has sounded." in (run / "report.html").read_text()
    assert CliRunner().invoke(cli, ["trace", "report", str(tmp_path)]).exit_code == 1
