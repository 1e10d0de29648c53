"""Rows that begin alike are computed once."""
