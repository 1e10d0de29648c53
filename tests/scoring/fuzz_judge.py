"""Fuzz what the judge makes of any text: `python -m tests.scoring.fuzz_judge --examples 100000`.

The candidate's answer in the chat, and the same text as the judge's reply.
"""

import argparse
import json
import time

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from maestro.scoring.judge.prompt import messages
from maestro.scoring.judge.rubric import rubric
from maestro.scoring.judge.verdict import read_verdict
from tests.scoring import nasty

RUBRIC = rubric("general")
VERDICTS = st.fixed_dictionaries({"extracted_answer": nasty.short, "correct": st.booleans()}).map(json.dumps)
REPLIES = st.one_of(nasty.short, nasty.repeated, nasty.huge, VERDICTS)
CHUNK = 5000


def one(reply, golds):
    """Fails unless the candidate stays within its block, and the reply is a verdict or refused."""
    chat = messages(RUBRIC, "How many?", tuple(golds), reply, ())
    key = chat[0]["content"].split("the same key: ")[1].split(".")[0]
    end = f"END CANDIDATE {key}"
    assert chat[1]["content"].count(end) == 1
    assert chat[1]["content"].endswith(end)
    try:
        said = read_verdict(reply)
    except ValueError:
        return
    assert isinstance(said.correct, bool)


def fuzz(examples, number):
    """As many examples, drawn from the seed `number`; the slowest's processor time and length."""
    worst = (0.0, 0)

    @seed(number)
    @settings(max_examples=examples, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(REPLIES, nasty.golds)
    def check(reply, golds):
        nonlocal worst
        started = time.process_time()
        one(reply, golds)
        worst = max(worst, (time.process_time() - started, len(reply)))

    check()
    return worst


def main():
    """Fuzz in chunks."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--examples", type=int, default=2000)
    asked = parser.parse_args()
    worst = max(fuzz(min(CHUNK, asked.examples - start), number) for number, start in enumerate(range(0, asked.examples, CHUNK)))
    print(f"{asked.examples:,} replies, no crash, slowest {worst[0]:.3f} s of processor time ({worst[1]:,} characters)")  # noqa: T201


if __name__ == "__main__":
    main()
