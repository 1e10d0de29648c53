"""Expert iteration: sample, keep what paid best per task, imitate, repeat. Outcome-only: nobody says which expert is right."""

from __future__ import annotations

import math
from collections.abc import Sequence

from maestro.train.batches import Row
from maestro.train.bench import Workbench
from maestro.train.config.run import ExpertIterationStage
from maestro.train.config.signal import SignalConfig
from maestro.train.episodes.drawing import draw_step, drawn_numbers
from maestro.train.episodes.metrics import broken, summarise, wellformed
from maestro.train.order import TaskOrder
from maestro.train.seeding import generator, number, seed_all
from maestro.train.supervised import Supervised
from maestro.train.warm_start.traces import TraceWriter
from maestro.types import Episode


def expert_iteration(bench: Workbench, stage: ExpertIterationStage) -> None:
    """Run the stage from where `bench.position` stands to its end.

    A round's episodes depend on the weights at its beginning, so a run is taken up again at the beginning of a round.
    """
    place, seed = bench.position.stage, bench.config.seed
    order, signal = TaskOrder(bench.train, number(seed, "order", place), stage.tasks_per_round), SignalConfig(redraws=stage.redraws)
    writer = bench.writer(number(seed, "rehearsal", place)) if stage.rehearsal else None
    most = stage.rounds * max(1, stage.tasks_per_round * stage.keep * stage.epochs // stage.batch)
    trainer = Supervised(bench.policy, stage.optimizer, most, micro_batch=stage.micro_batch, share=bench.config.shared_prefix)
    if (state := bench.resumed) is not None:
        trainer.load(state)
    bench.progress.stage(place, stage.kind, stage.rounds, bench.position.round)
    for turn in range(bench.position.round, stage.rounds):
        tasks = order.at(turn)
        forced = stage.members // 2 if stage.stratified else 0
        drawn = draw_step(bench, tasks, stage.members, turn, forced, signal, again=stage.again)
        numbers = drawn_numbers(bench, drawn, turn, signal)
        kept = [(task, episode) for task, group in zip(tasks, drawn.groups, strict=True) for episode in best_of(group, stage)]
        rows = [bench.rows.episode(task, episode) for task, episode in kept]
        stop = imitate(bench, stage, trainer, rows, writer, turn)
        bench.position.round = turn + 1
        imitated = summarise([task for task, _ in kept], [episode for _, episode in kept])
        bench.log(
            "round",
            turn + 1,
            {**numbers, "kept": len(kept), "imitated": {key: imitated.get(key) for key in ("utility", "calls", "cost_usd")}},
        )
        stop = bench.check(bench.position.step, numbers, rounds=True) or stop
        bench.look(bench.position.step)
        if stop:
            break
        if turn + 1 < stage.rounds:
            bench.save(trainer.save)


def best_of(group: Sequence[Episode], stage: ExpertIterationStage) -> list[Episode]:
    """The group's best episodes with different actions, at most `keep`, within `margin` of the best and above `floor`.

    Only well-formed ones that made no call twice: what is imitated must be in the grammar, and the same call tells nothing new. And
    only those whose row is what was sampled.
    """
    usable = [
        episode
        for episode in group
        if not broken(episode) and math.isfinite(_total(episode)) and wellformed(episode) and len({*episode.calls}) == len(episode.calls)
        if episode.tokens is None or episode.tokens.untrainable is None
    ]
    ranked = sorted(usable, key=lambda episode: (-_total(episode), episode.sample))
    chosen: list[Episode] = []
    seen: set[tuple[str, ...]] = set()
    for episode in ranked:
        actions = tuple(turn.action.model_dump_json() for turn in episode.turns)
        good = _total(episode) > stage.floor and _total(episode) >= _total(ranked[0]) - stage.margin
        if good and actions not in seen and len(chosen) < stage.keep:
            chosen.append(episode)
            seen.add(actions)
    return chosen


def imitate(
    bench: Workbench, stage: ExpertIterationStage, trainer: Supervised, rows: Sequence[Row], writer: TraceWriter | None, turn: int
) -> bool:
    """Supervised passes over the kept rows, mixed with rehearsal; True when an alarm ends the stage."""
    rehearsed = round(stage.batch * stage.rehearsal)
    fresh = stage.batch - rehearsed
    for epoch in range(stage.epochs):
        shuffled = list(rows)
        generator(bench.config.seed, "imitate", bench.position.stage, turn, epoch).shuffle(shuffled)
        for start in range(0, len(shuffled), fresh):
            step = bench.position.step
            seed_all(bench.config.seed, "imitate", bench.position.stage, step)
            traces = [
                bench.rows.trace(trace, choices=False)
                for trace in (writer.batch(step, rehearsed - rehearsed // 3, rehearsed // 3) if writer is not None else [])
            ]
            report = trainer.step([*shuffled[start : start + fresh], *traces])
            bench.position.step = step + 1
            bench.log("step", step + 1, report.numbers)
            if bench.check(step + 1, report.numbers):
                return True
    return False


def _total(episode: Episode) -> float:
    return episode.reward.total if episode.reward is not None else float("-inf")
