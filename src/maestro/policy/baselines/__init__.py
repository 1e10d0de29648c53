"""The obvious alternatives, as policies run by the same loop: random, one fixed route, lookup, cascade, oracle."""

from maestro.policy.baselines.cascade import CascadePolicy
from maestro.policy.baselines.fixed import FixedPolicy
from maestro.policy.baselines.lookup import Examples, LookupPolicy
from maestro.policy.baselines.oracle import OraclePolicy
from maestro.policy.baselines.random import RandomPolicy
from maestro.policy.baselines.recorded import Plan, RecordedTask, best
from maestro.policy.baselines.route import Route, read_route, write_route

__all__ = [
    "CascadePolicy",
    "Examples",
    "FixedPolicy",
    "LookupPolicy",
    "OraclePolicy",
    "Plan",
    "RandomPolicy",
    "RecordedTask",
    "Route",
    "best",
    "read_route",
    "write_route",
]
