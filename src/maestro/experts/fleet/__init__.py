"""The fleet: model services of a registry, placed on this machine's GPUs, started, checked and stopped.

cards with `serve` -> services -> placement on GPUs -> plan (commands, totals) -> processes -> health
"""
