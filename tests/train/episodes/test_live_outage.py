"""A served expert dies between two steps and comes back: real servers, real sockets, and episodes that are counted and drawn again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from maestro.policy.dialect_maestro import MaestroDialect
from maestro.policy.protocol import Opening
from maestro.policy.scripted import ScriptedPolicy
from maestro.reward import RewardRule
from maestro.rollout.limits import Limits
from maestro.rollout.rerouting import ReroutingEnsemble
from maestro.train.config.signal import SignalConfig
from maestro.train.episodes.resampling import WAVE, Drawn, draw_groups, signal_numbers
from maestro.train.episodes.sampling import Sampler
from maestro.types import Answer, Call, Expert, Task, Turn
from tests.experts.fault_matrix import ensemble_of
from tests.experts.misbehaving_server import MisbehavingServer, in_turn, says

TASK = Task(id="t", question="How many?", references=("7",), profile="number")


def card(name: str, url: str) -> Expert:
    limits = {"attempts": 1, "timeout_seconds": 60}
    return Expert.model_validate({"id": name, "summary": name, "kind": "openai", "endpoint": url, "target": "good-model", "limits": limits})


def script(opening: Opening, turns: Sequence[Turn]) -> str:
    """Every second first draw asks the expert that will die; what is drawn again asks the other, and so does who is told."""
    dialect, told = MaestroDialect(), bool(turns) and turns[-1].observation is not None and turns[-1].observation.value is None
    if turns and not told:
        return dialect.write(Answer(text="7"))
    mortal = not turns and opening.sample < WAVE and opening.sample % 2 == 0
    return dialect.write(Call(expert="mortal" if mortal else "steady", skill="answer"))


def test_a_dead_server_is_noticed_counted_and_drawn_around(tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        mortal, steady = MisbehavingServer(in_turn(says("7"))), MisbehavingServer(in_turn(says("7")))
        for server in (mortal, steady):
            runner.run(server.__aenter__())
        ensemble = ensemble_of(tmp_path, card("mortal", mortal.url), card("steady", steady.url))
        sampler = Sampler(ScriptedPolicy(script), ensemble, RewardRule(), Limits(turns=4, seconds=3600), runner)
        config = SignalConfig(redraws=1)

        def step(number: int) -> Drawn:
            groups = sampler.groups([TASK], 4, 4 * number, 0)
            return draw_groups(sampler.episodes, [TASK], groups, 4 * number, config)

        alive = signal_numbers(step(0), config)
        runner.run(mortal.die())
        dead = signal_numbers(step(1), config)
        sampler.ensemble = ReroutingEnsemble(ensemble)
        told = step(2)
        sampler.ensemble = ensemble
        runner.run(mortal.start())
        back = signal_numbers(step(3), config)
        runner.run(ensemble.close())
        for server in (mortal, steady):
            runner.run(server.__aexit__())

    for numbers in (alive, back):
        assert (numbers["signal"]["drawn"], numbers["signal"]["lost"], numbers["faults"]["kinds"]) == (4, 0, {})
    assert (dead["signal"]["drawn"], dead["signal"]["lost"], dead["signal"]["drawn_again"], dead["signal"]["not_replaced"]) == (6, 2, 2, 0)
    assert dead["faults"]["kinds"] == {"perform expert_error": 2}
    assert dead["faults"]["experts"] == {"mortal": 2}
    assert [len(episode.calls) for episode in told.members] == [2, 1, 2, 1]
    assert all(episode.answer == "7" for episode in told.members)
    assert signal_numbers(told, config)["faults"]["told"] == 2
