"""The episodes of a training step: sampled, judged for what they may teach, and told of in numbers."""
