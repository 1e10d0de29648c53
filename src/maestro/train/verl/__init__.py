"""The adapter for verl: the project's episodes inside verl's agent loop, on Ray, vLLM and FSDP.

verl owns generation, advantages, the update and the checkpoints; the episode, the reward and what of it may teach are those of
every other engine. Nothing here decides anything about a task.
"""
