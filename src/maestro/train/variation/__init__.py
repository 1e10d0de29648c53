"""Registry randomisation: another menu for every task."""
