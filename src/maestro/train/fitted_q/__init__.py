"""Fitted Q iteration for the feature policy."""
