"""The folder of a run: its layout, checkpoints and owner."""
