"""Under which names verl knows what is ours; apart from the modules that register it, which import verl."""

ESTIMATOR = "maestro_grpo"
POLICY_LOSS = "maestro_vanilla"
