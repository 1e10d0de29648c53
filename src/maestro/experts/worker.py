"""Where in-process experts live: models built once from their cards, asked one job at a time.

`python -m maestro.experts.worker FD` is the worker process that `LocalWorkers` starts: it reads jobs from a socket and
answers them until the other side goes away. Nothing is pickled: headers are JSON, images are raw RGB bytes.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import re
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection
from typing import Any, Literal

import numpy as np
import orjson

from maestro.errors import MissingDependency, PolicyFault, raised_in
from maestro.experts.protocol import Pixels

_DISTRIBUTION = "maestro-orchestrator"
BUILD = ""
"""The operation that every model has: being built."""
_PACKAGES = {"cv2": "opencv-python-headless", "sklearn": "scikit-learn", "PIL": "Pillow"}
"""Modules whose package has another name."""


@dataclass(frozen=True)
class Job:
    """One operation on one model."""

    expert: str
    target: str
    """`package.module:Class`"""
    options: dict[str, Any]
    operation: str
    """`BUILD` only builds the model."""
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What became of a job: a reply (`ok`), the caller's fault (`policy`) or the model's (`failed`)."""

    status: Literal["ok", "policy", "failed"]
    text: str
    """JSON of the reply, or a message."""
    seconds: float = 0.0
    """Time inside the operation, without building the model."""


@dataclass
class ModelHost:
    """Models by expert id, each built when first asked for and kept."""

    models: dict[str, Any] = field(default_factory=dict)
    _built_from: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    """Target and options of each model: an expert whose card was edited is built anew."""

    def perform(self, job: Job, images: Sequence[Pixels]) -> Outcome:
        """Do one job; every failure of the model comes back as an Outcome."""
        started = time.perf_counter()
        try:
            model = self._model(job)
            started = time.perf_counter()
            reply = None if job.operation == BUILD else _operation(model, job)(list(images), **job.arguments)
            seconds = time.perf_counter() - started
        except (ValueError, PolicyFault) as error:
            return Outcome("policy", f"{job.expert} cannot do {job.operation}: {error}")
        except ImportError as error:
            return Outcome("failed", f"{job.expert} needs something that is not installed: {_install_hint(error)}")
        except MissingDependency as error:
            return Outcome("failed", f"{job.expert}: {error}")
        except (Exception, SystemExit) as error:  # noqa: BLE001  the boundary: a model's own failure becomes data
            told = f"{type(error).__name__}: {error}{raised_in(error, job.target.partition(':')[0])}"
            failed = f"failed in {job.operation}" if self._is_built(job) and job.operation != BUILD else "could not be built"
            return Outcome("failed", f"{job.expert} {failed}: {told}", time.perf_counter() - started)
        try:
            return Outcome("ok", orjson.dumps(reply, option=orjson.OPT_SERIALIZE_NUMPY).decode(), seconds)
        except TypeError as error:
            return Outcome("failed", f"{job.expert} answered {job.operation} with something that is no JSON: {error}", seconds)

    def _is_built(self, job: Job) -> bool:
        return job.expert in self.models and self._built_from[job.expert] == (job.target, job.options)

    def _model(self, job: Job) -> Any:
        if not self._is_built(job):
            try:
                self.models[job.expert] = _load_class(job.target)(**job.options)
            except ValueError as error:  # options that make no sense are the registry's fault, not the policy's
                raise RuntimeError(f"its options {job.options} make no sense to it: {error}") from error
            self._built_from[job.expert] = (job.target, job.options)
            if (cv2 := sys.modules.get("cv2")) is not None:
                cv2.setNumThreads(1)
        return self.models[job.expert]


def _load_class(target: str) -> Any:
    module_name, _, attribute = target.partition(":")
    module = importlib.import_module(module_name)
    if (found := getattr(module, attribute, None)) is None:
        raise RuntimeError(f"its target {target} does not exist: {module_name} has no {attribute or 'name after the colon'}")
    return found


def _operation(model: Any, job: Job) -> Any:
    method = getattr(model, f"do_{job.operation}", None)
    if method is None:
        offered = sorted(name.removeprefix("do_") for name in dir(model) if name.startswith("do_"))
        raise PolicyFault(f"it offers {', '.join(offered) or 'nothing, for its class has no method do_<operation>'}")
    return method


def _install_hint(error: ImportError) -> str:
    """What to install for a failed import: the extra that brings the package, where one does."""
    module = (error.name or "").partition(".")[0]
    package = _PACKAGES.get(module, module)
    for requirement in importlib.metadata.requires(_DISTRIBUTION) or []:
        named = re.match(r"[A-Za-z0-9._-]+", requirement)
        extra = re.search(r"extra == ['\"]([^'\"]+)", requirement)
        if named and extra and named[0].replace("_", "-").lower() == package.replace("_", "-").lower():
            return f"{error}. Install it with: pip install '{_DISTRIBUTION}[{extra[1]}]'"
    return f"{error}. `maestro doctor` says what is missing"


def send_job(connection: Connection, job: Job, images: Sequence[tuple[int, int, bytes]]) -> None:
    """Write a job: a JSON header, then each image (height, width, RGB bytes)."""
    connection.send_bytes(orjson.dumps({"job": asdict(job), "images": [image[:2] for image in images]}))
    for _, _, data in images:
        connection.send_bytes(data)


def receive_outcome(connection: Connection) -> Outcome:
    """Read the outcome of the job sent last. Raises EOFError or OSError when the worker died."""
    return Outcome(**orjson.loads(connection.recv_bytes()))


def _receive_job(connection: Connection) -> tuple[Job, list[Pixels]]:
    header = orjson.loads(connection.recv_bytes())
    images = []
    for height, width in header["images"]:
        data = bytearray(connection.recv_bytes())  # a bytearray makes the array writable, as a model may expect
        images.append(np.frombuffer(data, np.uint8).reshape(height, width, 3))
    return Job(**header["job"]), images


def _die_with(parent: int) -> None:
    """Leave when the parent is gone, even in the middle of a long operation."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(0)


def main(descriptor: int) -> None:
    """Serve jobs from the socket `descriptor` until it closes."""
    threading.Thread(target=_die_with, args=(os.getppid(),), daemon=True).start()
    host = ModelHost()
    with Connection(descriptor) as connection:
        sys.path[:] = orjson.loads(connection.recv_bytes())
        while True:
            try:
                job, images = _receive_job(connection)
                connection.send_bytes(orjson.dumps(asdict(host.perform(job, images))))
            except (EOFError, ConnectionError):
                return


if __name__ == "__main__":
    main(int(sys.argv[1]))
