"""The errors, named by the boundary they cross.

    MaestroError                     every error a user can act on; the command line prints it without a traceback
    ├── ConfigError                  a config file or option
    ├── RegistryError                registry.yaml, SKILL.md, ids, plugins
    ├── TaskError                    a task source or row
    ├── ImageError                   an image that cannot be read
    ├── StoreError                   the call store
    │   └── NotRecorded              replay asked for a call that was never recorded
    ├── CheckpointError              a checkpoint or run folder that cannot be used
    ├── MissingDependency            an extra that is not installed
    ├── FleetError                   a model service that cannot be started, found or stopped
    └── CallFailed                   an expert call
        ├── PolicyFault              the request made no sense: the policy's doing, it is told and may learn
        └── InfrastructureFault      the expert is down, slow or broken: not the policy's doing
            ├── CallTimeout          the same, because time ran out
            ├── RateLimited          the endpoint asks for fewer calls; it is alive
            ├── EndpointDown         the endpoint is known to be down, and was not asked
            ├── NotReached           there was no connection to the endpoint, and nothing was sent
            └── NothingSaid          the endpoint is alive, but its reply has no text

Authors of experts and skills raise ordinary Python errors; the call layer translates them.
"""

from __future__ import annotations

from collections.abc import Iterable


class MaestroError(Exception):
    """Base of all; the message says what was tried, what exists and what to do next."""


class ConfigError(MaestroError):
    """A config file or option cannot be used."""


class RegistryError(MaestroError):
    """A registry, card, skill file or plugin cannot be used."""


class TaskError(MaestroError):
    """A task source or one of its rows cannot be used."""


class ImageError(MaestroError):
    """An image cannot be read."""


class StoreError(MaestroError):
    """The call store cannot be used."""


class NotRecorded(StoreError):
    """Replay asked for a call that was never recorded."""


class CheckpointError(MaestroError):
    """A checkpoint or run folder cannot be used."""


class MissingDependency(MaestroError):
    """An optional part is not installed."""


class FleetError(MaestroError):
    """A local model service cannot be started, found or stopped."""


class CallFailed(MaestroError):
    """An expert call came to nothing."""


class PolicyFault(CallFailed):
    """The call made no sense: unknown id, pair not allowed, query the skill cannot use."""


class InfrastructureFault(CallFailed):
    """The expert failed for a reason that is not the policy's.

    `retryable` says whether another attempt may succeed; `retry_after_seconds` is the server's wish, if it had one.
    """

    def __init__(self, message: str, *, retryable: bool = False, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retryable = retryable
        self.retry_after_seconds = retry_after_seconds


class CallTimeout(InfrastructureFault):
    """The call did not come back in time."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=True)


class RateLimited(InfrastructureFault):
    """The endpoint is alive and asks for fewer calls (429, or 503 with a time to come back)."""

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message, retryable=True, retry_after_seconds=retry_after_seconds)


class EndpointDown(InfrastructureFault):
    """The endpoint failed too often of late, so the call was not made; `retry_after_seconds` is when it is tried again."""

    def __init__(self, message: str, *, retry_after_seconds: float) -> None:
        super().__init__(message, retryable=True, retry_after_seconds=retry_after_seconds)


class NotReached(InfrastructureFault):
    """There was no connection to the endpoint: nothing was sent, so nothing was asked or spent."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=True)


class NothingSaid(InfrastructureFault):
    """The endpoint is alive and replied as it should, but without any text."""


_LISTED = 12
"""Names that are listed beside the nearest ones; of more only their number is told."""


def not_found(what: str, asked: object, existing: Iterable[str], next_step: str = "") -> str:
    """The message of a failed lookup: what was asked, the nearest names, what exists, what to do next.

    `what` is the noun ("skill", "task source"); `next_step` a sentence. Long lists are cut after 40 names, and left out where
    there is a near name.
    """
    from difflib import get_close_matches  # only a failure pays for the import

    names = sorted(existing)
    folded = {name.casefold(): name for name in names}
    near = [folded[match] for match in get_close_matches(str(asked).casefold(), list(folded), n=3, cutoff=0.6)]
    message = f"no {what} {str(asked)!r}"
    if near:
        message += f"; did you mean {' or '.join(filter(None, (', '.join(near[:-1]), near[-1])))}?"
    if near and len(names) > _LISTED:  # whoever misspelt a name does not look for another one
        return f"{message} There are {len(names)} in all. {next_step}".rstrip()
    shown = ", ".join(names[:40]) + (f" and {len(names) - 40} more" if len(names) > 40 else "")
    message += f" There is {shown}." if near and names else f"; there is {shown}." if names else f"; there is no {what} at all."
    return f"{message} {next_step}".rstrip()


def raised_in(error: BaseException, module: str) -> str:
    """Where in a module's own file an error came from, as ` (file.py, line 7)`; empty when it did not come through it."""
    import sys
    import traceback

    file = getattr(sys.modules.get(module), "__file__", None)
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if file is not None and frame.filename == file]
    return f" ({file.rpartition('/')[2]}, line {lines[-1]})" if file is not None and lines else ""
