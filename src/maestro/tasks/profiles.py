"""Which scoring profile a row is scored by when it names none: the one table for rows of other people's schemas.

A profile is a name here; whether scoring has it is asked when something is scored.
"""

from __future__ import annotations

DEFAULT = "exact"
"""Rows that say nothing about how they are scored."""

COMPATIBLE = "compat-original:"
"""Before a `data_source` of the original: its own scorer, for numbers that are like for like."""

STRICT = {"tallyqa": "number"}
"""Data sources of the original that one of our own profiles scores, without the original scorer's loopholes."""

BY_ANSWER_TYPE = {
    "choice": "choice",
    "free": "math",
    "integer": "number",
    "letter": DEFAULT,
    "number": "number",
    "row_column": "row_column",
    "yes_no": DEFAULT,
}
"""`answer_type` of a folder of recorded outcomes."""

BY_DATASET = {"vlms_are_blind": "vlms_are_blind_reward"}
"""`dataset` of such a folder, where a benchmark's own rule reads more forms of an answer than those; its category is the rule's `task`."""


def original_profile(data_source: str) -> str:
    """The profile of a row in the original's schema."""
    return STRICT.get(data_source, COMPATIBLE + data_source)
