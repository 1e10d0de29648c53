"""Profiles of multiple-choice benchmarks."""

from __future__ import annotations

from functools import partial

from maestro.scoring import choice_official as official
from maestro.scoring.choice import choice
from maestro.scoring.equality import realworldqa
from maestro.scoring.profile import Profile

_OURS = "ours: whole reply, last explicit statement, start, only capital letter, only option text; no guess, the article A is no letter"


def _letters(whose: str, *, lower_case: bool = False, least: int = 4, rubric: str = "") -> Profile:
    return Profile(partial(choice, lower_case=lower_case, least=least), f"{whose}; {_OURS}", takes_options=True, rubric=rubric)


PROFILES: dict[str, Profile] = {
    "choice": _letters("any question with options"),
    "mmbench": _letters("VLMEvalKit's letter accuracy without its judge"),
    "mmstar": _letters("VLMEvalKit's letter accuracy without its judge"),
    "microvqa": _letters("letter accuracy (gold also [letter, text])", least=5),
    "erqa": _letters("letter accuracy as in VLMEvalKit's rule scorer"),
    "hr_bench": _letters(
        "the authors' letter accuracy (can_infer) without GPT for the rest; the mean over cycles is the caller's", rubric="hr_bench"
    ),
    "v_star": _letters(
        "letter accuracy as in the harnesses (the official script compares likelihoods); a bare lower-case letter counts", lower_case=True
    ),
    "realworldqa": Profile(
        realworldqa,
        f"RealWorldQA: letters by a multiple-choice extractor ({_OURS}), others equal after lower, strip, rstrip('.')",
        takes_options=True,
    ),
    "mathvista": Profile(
        official.mathvista,
        "MathVista calculate_score.py: (X) or a capital letter, else the option at least edit distance, compared as text; rule-only (no "
        "GPT extraction), and an empty reply scores 0 instead of the nearest option",
        takes_options=True,
        rubric="mathvista",
    ),
    "mathvista_reward": _letters("ours, for rewards on MathVista: no nearest option"),
    "mmmu": Profile(
        official.mmmu,
        "MMMU parse_multi_choice_response: of several candidates the last; none scores 0 instead of a random option",
        takes_options=True,
    ),
    "mmmu_reward": _letters("ours, for rewards on MMMU: several candidates score 0"),
    "scienceqa": Profile(
        official.scienceqa, "ScienceQA as LLaVA and lmms-eval score it: the whole reply or its start is the letter", takes_options=True
    ),
    "scienceqa_gpt3": Profile(
        official.scienceqa_gpt3,
        'ScienceQA\'s first script: exactly one "The answer is X."; else 0 instead of a random option',
        takes_options=True,
    ),
    "medxpertqa": Profile(
        partial(official.medxpertqa, least=5),
        "MedXpertQA's own rule (MM, 5 options): first letter after the trigger or ' answer is '",
        takes_options=True,
    ),
    "medxpertqa_text": Profile(
        partial(official.medxpertqa, least=10),
        "MedXpertQA's own rule (Text, 10 options): first letter after the trigger or ' answer is '",
        takes_options=True,
    ),
    "medxpertqa_reward": _letters("ours, for rewards on MedXpertQA", least=10),
    "msearth": Profile(
        official.msearth, "MSEarth MCQ: JSON answer, leading letter in its case, else equality with the option's text", takes_options=True
    ),
}
