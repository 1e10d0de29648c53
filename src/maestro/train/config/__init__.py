"""What a training run is, setting by setting."""
