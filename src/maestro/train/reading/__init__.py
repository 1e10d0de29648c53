"""Fitted Q iteration for the policy that reads the menu."""
