"""A training run that goes wrong says so."""
