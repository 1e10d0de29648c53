"""Procedural tasks of the playground: synthetic pictures, questions and exact answers, always the same for the same id."""
