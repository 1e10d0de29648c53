"""Both engines, each alone; a test that needs bubblewrap says why where there is none."""

from dataclasses import replace
from pathlib import Path

import pytest

from maestro.sandbox import bubblewrap, monty, run_python_sync
from maestro.sandbox.limits import Limits
from tests.sandbox.outside import Outside


@pytest.fixture(scope="session")
def engine():
    """Bubblewrap on this machine."""
    found, reason = bubblewrap.find()
    if found is None:
        pytest.skip(f"no bubblewrap: {reason}")
    return found


NOBODY_PYTHON = "/usr/bin/python3"


@pytest.fixture
def as_nobody(engine):
    """Bubblewrap of a root that gives its rights up, or of the user we are."""
    if engine.counts_processes:
        return engine
    if not Path(NOBODY_PYTHON).exists():
        pytest.skip("no Python that another user could read")
    return replace(engine, python=str(Path(NOBODY_PYTHON).resolve()), prefix="/usr", user=65534)


@pytest.fixture
def no_bubblewrap(monkeypatch):
    """A machine without it."""
    monkeypatch.setattr(bubblewrap, "find", lambda: (None, "bwrap not found"))


@pytest.fixture(params=["monty", "bubblewrap"])
def alone(request):
    """`alone(source, stdin, limits) -> Outcome` in one engine and no other."""
    if request.param == "monty":
        if reason := monty.missing():
            pytest.skip(reason)
        request.getfixturevalue("no_bubblewrap")
        return lambda source, stdin="", limits=Limits(): run_python_sync(source, stdin=stdin, limits=limits)  # noqa: B008
    return request.getfixturevalue("engine").run


@pytest.fixture
def outside(tmp_path, monkeypatch):
    """Something to read, to write, to reach and to kill."""
    place = Outside(tmp_path)
    monkeypatch.setenv("MAESTRO_TEST_SECRET", place.secret)
    yield place
    place.close()
