"""Warm start: supervised steps on written traces.

It teaches the grammar, what the question is about, what the picture looks like, and exact copying. It does not teach which
expert is best or when a cheap one is enough (see `maestro.train.warm_start.traces`).
"""

from __future__ import annotations

from maestro.train.bench import Workbench
from maestro.train.config.run import WarmStartStage
from maestro.train.seeding import number, seed_all
from maestro.train.supervised import Supervised
from maestro.train.warm_start.probe import probe


def warm_start(bench: Workbench, stage: WarmStartStage) -> None:
    """Run the stage from where `bench.position` stands to its end."""
    seed, place = bench.config.seed, bench.position.stage
    policy = bench.policy
    writer = bench.writer(number(seed, "traces", place))
    trainer = Supervised(policy, stage.optimizer, stage.steps, micro_batch=stage.micro_batch, share=bench.config.shared_prefix)
    if (state := bench.resumed) is not None:
        trainer.load(state)
    bench.progress.stage(place, stage.kind, stage.steps, bench.position.step)
    for step in range(bench.position.step, stage.steps):
        seed_all(seed, "warm_start", place, step)
        report = trainer.step([bench.rows.trace(trace) for trace in writer.batch(step, stage.batch, stage.drills)])
        done = step + 1
        bench.position.step = done
        bench.log("step", done, report.numbers)
        if bench.check(done, report.numbers):
            break
        if done % stage.probe_every == 0 or done == stage.steps:
            bench.log("probe", done, probe(bench.sampler, bench.held_out[: stage.probe_scenes], number(seed, "probe")))
        if done % bench.config.checkpoint.every == 0 and done < stage.steps:
            bench.save(trainer.save)
