"""Programs nobody trusts are run here, and nowhere else: in pydantic-monty, else under bubblewrap, else not at all."""

from maestro.sandbox.engines import Availability, available
from maestro.sandbox.judge import run_tests, run_tests_sync
from maestro.sandbox.limits import Limits
from maestro.sandbox.outcome import Outcome, Refused, UnusableTests, Verdict
from maestro.sandbox.run import run_python, run_python_sync

__all__ = [
    "Availability",
    "Limits",
    "Outcome",
    "Refused",
    "UnusableTests",
    "Verdict",
    "available",
    "run_python",
    "run_python_sync",
    "run_tests",
    "run_tests_sync",
]
