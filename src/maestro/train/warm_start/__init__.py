"""Supervised steps on written traces, before anything is rewarded."""
