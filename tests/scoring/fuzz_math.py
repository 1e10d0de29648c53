"""Fuzz the scorers of mathematics and boxes: `python -m tests.scoring.fuzz_math --examples 100000` prints the worst call of each."""

import argparse
import time
from functools import partial

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from maestro.scoring.geometry3k import geometry3k, geometry3k_choice, geometry3k_verl
from maestro.scoring.grounding import point_in_mask, refcoco, screenspot
from maestro.scoring.humaneval_v import extract_program
from maestro.scoring.mathematics import math, math_reward, math_verify
from maestro.scoring.mathverse import mathverse
from maestro.scoring.mathvision import mathvision
from tests.scoring import hostile_math

_BOXES = ("[10, 20, 30, 40]",)
ALGEBRA = {
    "math": lambda reply, golds, _: math(reply, golds),
    "math_reward": lambda reply, golds, _: math_reward(reply, golds),
    "math_verify": lambda reply, golds, _: math_verify(reply, golds),
    "mathvision": lambda reply, golds, options: mathvision(reply, golds, options=options),
    "mathverse": lambda reply, golds, options: mathverse(reply, golds, options=options),
    "geometry3k": lambda reply, golds, _: geometry3k(reply, golds),
    "geometry3k_verl": lambda reply, golds, _: geometry3k_verl(reply, golds),
    "geometry3k_choice": lambda reply, _, options: geometry3k_choice(reply, ("A",), options=options),
}
PLAIN = {
    "refcoco": lambda reply, _golds, _options: refcoco(reply, _BOXES, metric="iou", coords="auto", image_size=(640, 480)),
    "screenspot": lambda reply, _golds, _options: screenspot(reply, _BOXES, coords="0-1000", image_size=(640, 480)),
    "point_in_mask": lambda reply, _golds, _options: point_in_mask(reply, ("0, 0, 9, 0, 0, 9",)),
}
SCORERS = {**ALGEBRA, **PLAIN}
CHUNK = 2500
"""Replies of one seed: what Hypothesis remembers of more of them takes longer to collect as garbage than any call."""


def fuzz(names, examples, slow_share=0.0, told=None):
    """Score the same hostile replies by several scorers, as making them up costs more than most verdicts.

    The slowest call of each comes back as (seconds by the clock, of processor time here, reply). Fails unless scores lie in [0, 1].
    `slow_share`: how many replies are power towers, deep nests and very long, each of which may take its whole time limit. `told` is called
    with how many are done and the slowest calls after every chunk.
    """
    worst = dict.fromkeys(names, (0.0, 0.0, ""))

    def check(reply, golds, options):
        for name in names:
            started, worked = time.perf_counter(), time.process_time()
            found = SCORERS[name](reply, golds, options)
            worst[name] = max(worst[name], (time.perf_counter() - started, time.process_time() - worked, reply))
            assert 0 <= found.score <= 1, (name, reply, golds, options)
        extract_program(reply)

    for number, start in enumerate(range(0, examples, CHUNK)):
        chunk = min(CHUNK, examples - start)
        slow = round((start + chunk) * slow_share) - round(start * slow_share)
        _draw(number, hostile_math.replies, chunk - slow, check)
        _draw(number, st.one_of(hostile_math.towers, hostile_math.deep, hostile_math.huge), slow, check)
        if told is not None:
            told(start + chunk, worst)
    return worst


def _draw(number, strategy, count, check):
    """Call `check` with as many replies, references and options, drawn from a seed."""
    if count:
        ready = settings(max_examples=count, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
        seed(number)(ready(given(strategy, hostile_math.references, hostile_math.options)(check)))()


def main():
    """Fuzz by the arguments given."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--examples", type=int, default=2000)
    parser.add_argument("--slow-share", type=float, default=0.002)
    parser.add_argument("--scorer", action="append", choices=sorted(SCORERS))
    asked = parser.parse_args()
    show = partial(print, flush=True)
    names = asked.scorer or list(SCORERS)
    math("$x+1$", ("1+x",))  # a process is started before anything is timed
    started = time.perf_counter()

    def told(done, worst):
        name, (seconds, busy, _) = max(worst.items(), key=lambda item: item[1])
        taken = time.perf_counter() - started
        show(f"{done:,} of {asked.examples:,} in {taken:.0f} s, slowest {seconds:.2f} s, {busy:.3f} s of it at work ({name})")

    for name, (seconds, busy, reply) in sorted(fuzz(names, asked.examples, asked.slow_share, told).items(), key=lambda item: item[1][:1]):
        show(f"{name}: slowest {seconds:.2f} s, {busy:.3f} s of it at work here ({len(reply):,} characters: {reply[:50]!r})")
    show(f"{asked.examples:,} replies by each of {len(names)} scorers, no crash")


if __name__ == "__main__":
    main()
