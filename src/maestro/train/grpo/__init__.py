"""Group-relative policy gradients through TRL."""
