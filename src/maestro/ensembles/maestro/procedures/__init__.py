"""Coded procedures of the skills that are more than a SKILL.md."""
