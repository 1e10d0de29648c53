"""The folder of a run: layout, checkpoints, and the policy that it hands over."""
