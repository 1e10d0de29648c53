"""Profiles of benchmarks whose answers are text or numbers."""

from __future__ import annotations

from functools import partial

from maestro.scoring import contains, equality, medical, mmmu_open, relaxed_numeric
from maestro.scoring.anls import anls
from maestro.scoring.charxiv import charxiv
from maestro.scoring.exact import exact
from maestro.scoring.number import number
from maestro.scoring.profile import Profile
from maestro.scoring.slake import slake
from maestro.scoring.vlms_are_blind import row_and_column_strict, vlms_are_blind, vlms_are_blind_reward
from maestro.scoring.vqa_v2 import vqa_v2

_ANLS = "ANLS as VLMEvalKit and lmms-eval compute it: threshold 0.5 inclusive, length of the raw strings"
_ANLS_PAPER = "ANLS of the paper: a similarity of exactly 0.5 scores 0"
_LLAVA_MED = "LLaVA-Med: closed by containment (closed = gold is yes or no unless answer_type says otherwise), open by token recall"
_LLAVA_MED_REWARD = "ours, for rewards: closed needs the one word, open scores token F1"

PROFILES: dict[str, Profile] = {
    "exact": Profile(exact, "ours: equality after case folding and trimming"),
    "number": Profile(number, "ours: absolute plus relative tolerance", ("absolute", "relative")),
    "chartqa": Profile(relaxed_numeric.relaxed_numeric, "ChartQA relaxed accuracy (pix2struct rule): 5 % of the gold, else equal text"),
    "chartqa_lenient": Profile(
        relaxed_numeric.lenient, "lenient, after mistral-evals: commas, $ and end punctuation stripped, percent both ways"
    ),
    "chartqapro": Profile(
        relaxed_numeric.chartqapro, "ChartQAPro evaluate_predictions: element by element, text by ANLS, years exactly", ("year",)
    ),
    "charxiv": Profile(
        charxiv, "rule-only: CharXiv is judged by GPT-4o; here numbers by value, else normalised equality", rubric="general"
    ),
    "docvqa": Profile(anls, f"DocVQA: {_ANLS}", given="untouched"),
    "infovqa": Profile(anls, f"InfographicVQA: {_ANLS}", given="untouched"),
    "anls": Profile(anls, _ANLS, given="untouched"),
    "anls_paper": Profile(partial(anls, inclusive=False), _ANLS_PAPER, given="untouched"),
    "ocrbench": Profile(contains.contains, "OCRBench: any gold is a substring, lower case, line end as space"),
    "ocrbench_hme100k": Profile(contains.contains_formula, "OCRBench, HME100k: any gold is a substring, case kept, no spaces"),
    "ocrbench_reward": Profile(
        contains.contains_words, "ours, for rewards on OCRBench: at word boundaries, in a reply not far longer than the gold"
    ),
    "ocrbench_hme100k_reward": Profile(
        partial(contains.contains_words, spaces=False),
        "ours, for rewards on HME100k: at word boundaries, in a reply not far longer than the gold",
    ),
    "mathvista_free_form": Profile(
        equality.mathvista_free,
        "MathVista calculate_score.py: int(float(x)), round(x, precision), then equality of strings; rule-only (no GPT extraction)",
        ("answer_type", "precision"),
        rubric="mathvista",
    ),
    "mmmu_open": Profile(mmmu_open.mmmu_open, "MMMU parse_open_response and eval_open: numbers to 2 places, or gold inside a key piece"),
    "mmmu_open_reward": Profile(mmmu_open.mmmu_open_reward, "ours, for rewards on MMMU: the whole reply equals the gold"),
    "realworldqa_open": Profile(equality.plain, "RealWorldQA: equal after lower, strip, rstrip('.')"),
    "gqa": Profile(equality.without_punctuation, "GQA as lmms-eval runs it: equal but for case and punctuation"),
    "vqa_v2": Profile(vqa_v2, "VQA v2: its normalisation; with ten references the annotators' agreement"),
    "slake": Profile(slake, "SLAKE as lmms-eval scores it, English and Chinese: equality after normalisation"),
    "slake_llava_med": Profile(medical.closed_or_open, f"SLAKE by {_LLAVA_MED}", ("answer_type",), rubric="open_medical"),
    "vqa_rad": Profile(medical.closed_or_open, f"VQA-RAD by {_LLAVA_MED}", ("answer_type",), rubric="open_medical"),
    "pathvqa": Profile(medical.closed_or_open, f"PathVQA by {_LLAVA_MED}", ("answer_type",), rubric="open_medical"),
    "vqa_rad_reward": Profile(medical.closed_or_open_reward, _LLAVA_MED_REWARD, ("answer_type",)),
    "pathvqa_reward": Profile(medical.closed_or_open_reward, _LLAVA_MED_REWARD, ("answer_type",)),
    "vlms_are_blind": Profile(
        vlms_are_blind, "VLMEvalKit: content of braces, yes or no contained, rows and columns, olympic counts contained", ("task",)
    ),
    "vlms_are_blind_reward": Profile(vlms_are_blind_reward, "ours, for rewards: the reply is the one answer, in braces or not", ("task",)),
    "row_column": Profile(row_and_column_strict, "ours: the reply is one pair of numbers, rows before columns, and equals the gold pair"),
    "braces": Profile(equality.braces, "VLMEvalKit: the content of the first {…} equals the gold"),
}
