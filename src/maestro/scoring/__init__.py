"""Prediction and reference in, score out."""

from maestro.scoring.profiles import PROFILES, score, score_off_loop, score_response
from maestro.scoring.score import Score

__all__ = ["PROFILES", "Score", "score", "score_off_loop", "score_response"]
