"""Prediction and reference in, score out."""

from maestro.scoring.profiles import PROFILES, score
from maestro.scoring.score import Score

__all__ = ["PROFILES", "Score", "score"]
