"""Profiles of mathematics, boxes and programs."""

from __future__ import annotations

from maestro.scoring.geometry3k import geometry3k, geometry3k_choice, geometry3k_verl
from maestro.scoring.grounding import point_in_mask, refcoco, screenspot
from maestro.scoring.humaneval_v import humaneval_v
from maestro.scoring.mathematics import math, math_reward, math_verify
from maestro.scoring.mathverse import mathverse
from maestro.scoring.mathvision import mathvision
from maestro.scoring.profile import Profile

_PLACE = ("image_size", "coords")

PROFILES: dict[str, Profile] = {
    "math": Profile(
        math,
        "ours: the last box, else the last formula, else the last number; equal within 1e-6 or by Math-Verify; hedges are wrong",
        ("tolerance", "fbox"),
    ),
    "math_reward": Profile(math_reward, "ours, hardened for rewards: the last box or nothing; hedges are wrong"),
    "math_verify": Profile(math_verify, "Math-Verify 0.9.0 (huggingface), the whole reply; too slow is wrong"),
    "mathvision": Profile(
        mathvision,
        "MATH-V evaluate.py: its extraction and equality at two decimals, without eval; letter or option text",
        takes_options=True,
        rubric="mathvision",
    ),
    "mathverse": Profile(
        mathverse,
        "rule-only, not the published score (two GPT judges): quick match, letter, or ours for mathematics",
        takes_options=True,
        rubric="mathverse",
    ),
    "geometry3k": Profile(geometry3k, "RL practice (verl, EasyR1): the last box by mathruler 0.1.0, without eval", boxed=True),
    "geometry3k_choice": Profile(
        geometry3k_choice,
        "Inter-GPS: four choices, a number goes to the nearest; letters as lmms-eval; nothing stated is wrong",
        takes_options=True,
    ),
    "geometry3k_verl": Profile(geometry3k_verl, "verl geo3k.py: 0.9 x mathruler on the last box + 0.1 x format", given="response"),
    "refcoco": Profile(
        refcoco, "RefCOCO Acc@0.5 (hit at IoU >= T) or IoU; first box, declared coordinates", ("metric", *_PLACE), shapes=True
    ),
    "screenspot": Profile(
        screenspot, "ScreenSpot: click point or centre of the box inside the target, edges included", ("metric", *_PLACE), shapes=True
    ),
    "point_in_mask": Profile(point_in_mask, "ours: the first point inside a polygon", _PLACE, shapes=True),
    "humaneval_v": Profile(
        humaneval_v,
        "HumanEval-V: last solution block against the test script, 2 s, pass@1; in the sandbox, without pylint",
        ("signature", "seconds"),
    ),
}
