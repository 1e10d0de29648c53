"""Evaluations on disk, made of results that are simply said."""

from maestro.evaluate.folder import EvaluationFolder
from maestro.evaluate.results import CallMade, Result
from maestro.types import Answer, Decision, Episode, StopReason, Turn


def result(task_id, score, *, category="even", sample=0, cost_usd=0.0, cluster="", expert=None, digest="d", seconds=1.0, **fields):
    made = (CallMade(expert, "read", "ok", cost_usd, seconds, 10, 5),) if expert else ()
    return Result(
        task_id=task_id,
        category=category,
        sample=sample,
        score=float(score),
        cost_usd=cost_usd,
        utility=score - 20 * cost_usd,
        calls=tuple(f"{call.expert}@{call.skill}" for call in made),
        malformed=0,
        seconds=seconds,
        stop=fields.pop("stop", StopReason.ANSWERED),
        cluster=cluster or task_id,
        made=made,
        task_digest=digest,
        rule="exact",
        **fields,
    )


def write_run(folder, results, policy="a", tasks="toy", split="test", **settings):
    made = EvaluationFolder(folder, {"policy": policy, "tasks": tasks, "split": split, **settings})
    turn = Turn(decision=Decision(text="x"), action=Answer(text="x"))
    episodes = tuple(Episode(task_id=one.task_id, sample=one.sample, turns=(turn,), stop=one.stop) for one in results)
    made.finish({}, episodes, tuple(results))
    return folder
