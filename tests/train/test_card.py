from pathlib import Path

import orjson

from maestro.train.card import write_card, write_features_card, write_results
from maestro.train.config.run import TrainConfig
from maestro.train.fitted_q.iteration import FittedQConfig

PROBE = {"kind": "probe", "name": "warm_start", "step": 10, "greedy": {"copy": 0.9, "topic": 1.0}, "sampled": {"copy": 0.5, "topic": 0.75}}
LOOK = {"utility": 0.625, "accuracy": 0.7, "calls": 1.5, "information": 2.25, "wellformed": 0.875}


def test_the_card_says_what_the_run_recorded(tmp_path: Path) -> None:
    records = [PROBE, {"kind": "step", "name": "grpo", "step": 1}, {"kind": "validation", "name": "grpo", "step": 25, "greedy": LOOK}]
    metrics = tmp_path / "metrics.jsonl"
    metrics.write_bytes(b"".join(orjson.dumps(record) + b"\n" for record in records))
    write_card(tmp_path, TrainConfig(seed=7), {"name": "playground", "digest": "abc"}, metrics, "step-25")
    text = (tmp_path / "README.md").read_text()
    assert "| greedy | 0.900 | 1.000 |" in text
    assert "| 1 grpo | 25 | 0.625 | 0.700 | 1.500 | 2.250 | 0.875 |" in text
    assert "Seed 7" in text
    assert "step-25" in text
    assert "first 200 tasks" in text  # the validation split, as the config limits it


def test_the_card_says_what_was_read_and_what_an_episode_was_worth(tmp_path: Path) -> None:
    metrics = tmp_path / "metrics.jsonl"
    metrics.write_bytes(b"")
    changes = {"reward": {"latency_weight": 0.1}, "dial": {"low": 2, "high": 200}, "ensemble": {"variation": {"share": 0.7}}}
    loaded = TrainConfig.model_validate({"policy": {"load": "x"}, "stages": [{"kind": "grpo"}], **changes})
    write_card(tmp_path, loaded, {}, metrics, "best")
    text = (tmp_path / "README.md").read_text()
    assert "traces from" not in text
    assert "- 20 per dollar, or 2 to 200 as a task was told - 0.1 per second + 0.5 x form. It met varied registries with 70% of" in text
    write_card(tmp_path, TrainConfig.model_validate({"stages": [{"kind": "warm_start"}]}), {}, metrics, "last")
    text = (tmp_path / "README.md").read_text()
    assert "traces from `warm` (first 4000 tasks). The run read no other split." in text
    assert "trained on split" not in text


def test_a_run_that_went_on_from_a_policy_says_what_its_warm_start_had_taught(tmp_path: Path) -> None:
    start, mine = tmp_path / "start", tmp_path / "mine"
    start.mkdir()
    mine.mkdir()
    metrics = tmp_path / "metrics.jsonl"
    metrics.write_bytes(orjson.dumps(PROBE) + b"\n")
    write_card(start, TrainConfig(), {}, metrics, "last")
    metrics.write_bytes(b"")
    config = TrainConfig.model_validate({"policy": {"load": str(start)}, "stages": [{"kind": "grpo"}]})
    write_card(mine, config, {}, metrics, "best")
    text = (mine / "README.md").read_text()
    assert "| greedy | 0.900 | 1.000 |" in text
    assert text.count("The pictures and questions are drawn by a program") == 1
    (start / "README.md").write_text("nothing of the kind")
    write_card(mine, config, {}, metrics, "best")
    assert "warm start (held-out" not in (mine / "README.md").read_text()


def test_the_card_of_a_feature_policy_and_the_results_on_it(tmp_path: Path) -> None:
    rounds = [
        {"round": 1, "states": 10.0, "loss": 0.1, "reluctance": 0.0, "utility": 0.4, "accuracy": 0.5, "cost_usd": 0.005},
        {"round": 2, "states": 20.0, "loss": 0.05, "reluctance": 0.02, "utility": 0.625, "accuracy": 0.7, "cost_usd": 0.00375},
    ]
    write_features_card(tmp_path, "mine", FittedQConfig(seed=7), {"name": "toy", "digest": "abcdef"}, {"train": 30, "val": 10}, rounds)
    text = (tmp_path / "README.md").read_text()
    assert "| 2 | 20 | 0.05 | 0.02 | 0.625 | 0.7 | 0.00375 |" in text
    assert "weights of round 2" in text
    assert "30 questions of `train`" in text
    write_results(tmp_path, "| old |")
    write_results(tmp_path, "| new |")
    assert (tmp_path / "README.md").read_text() == text.rstrip() + "\n\n## Results\n\n| new |\n"
