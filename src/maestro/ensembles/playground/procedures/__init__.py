"""Coded skills: one async function `run(request, caller)` a file, named by the `target` of a SKILL.md."""
