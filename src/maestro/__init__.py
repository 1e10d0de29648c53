"""Maestro: train, evaluate and serve an orchestrator over frozen expert models."""
