"""The name under which verl knows our advantage estimator; apart from it, because naming it must not import verl."""

ESTIMATOR = "maestro_grpo"
