"""In-process experts: models of a `local` card, run in worker processes so that they never hold up the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import weakref
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from multiprocessing.connection import Connection
from typing import Protocol

import numpy as np
import orjson

from maestro.errors import ConfigError, InfrastructureFault, PolicyFault
from maestro.experts.protocol import ExpertRequest, Pixels, Reply
from maestro.experts.worker import BUILD, Job, ModelHost, Outcome, receive_outcome, send_job
from maestro.images import ImageStore
from maestro.types import Expert

RawImage = tuple[int, int, bytes]
"""Height, width, RGB bytes."""
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OMP_THREAD_LIMIT", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"), "1"
)
_ENVIRONMENT = {**_ONE_THREAD, "PYTHONHASHSEED": "0", "PYTHONUNBUFFERED": "1"}
"""One thread a worker, because there are as many workers as cores; a fixed hash seed, because replies are recorded."""


class Models(Protocol):
    """Where jobs are run."""

    count: int
    """Jobs at a time."""

    async def run(self, job: Job, images: list[RawImage]) -> Outcome:
        """Run one job; cancelling it stops the work. Raises InfrastructureFault when its process dies."""
        ...

    def has(self, expert: str) -> bool:
        """Whether the next job of this expert finds its model built."""
        ...

    async def close(self) -> None:
        """Leave no process behind."""
        ...


class LocalExpert:
    """The client of one `local` card. Raises ConfigError when the card has no target."""

    def __init__(self, card: Expert, models: Models, images: ImageStore) -> None:
        if not card.target or ":" not in card.target:
            raise ConfigError(f"local expert {card.id} needs a target `package.module:Class` in registry.yaml, not {card.target!r}.")
        self.card = card
        self._target = card.target
        self._models = models
        self._images = images

    async def prepare(self) -> None:
        """Have a worker with the model. What goes wrong here is told by the call that follows."""
        if not self._models.has(self.card.id):
            await self._models.run(Job(self.card.id, self._target, self.card.options, BUILD, {}), [])

    async def call(self, request: ExpertRequest) -> Reply:
        """Run the operation once. Raises PolicyFault, InfrastructureFault, ImageError (unknown hash)."""
        job = Job(self.card.id, self._target, self.card.options, request.operation, request.arguments)
        images: list[RawImage] = []
        for name in request.images:
            image = self._images.pixels(name)
            images.append((image.height, image.width, image.tobytes()))
        outcome = await self._models.run(job, images)
        if outcome.status == "policy":
            raise PolicyFault(outcome.text)
        if outcome.status == "failed":
            raise InfrastructureFault(outcome.text)
        return Reply(text=outcome.text, latency_seconds=outcome.seconds)

    async def close(self) -> None:
        """The models are shared; whoever made them closes them."""


class _Worker:
    """One worker process and the socket to it. Used by one thread at a time, except `kill`."""

    def __init__(self) -> None:
        self.experts: set[str] = set()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  it lives as long as the process
        ours, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603  our own module
                [sys.executable, "-m", "maestro.experts.worker", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=self._errors,  # libraries print; the socket is ours alone
                stderr=self._errors,
                pass_fds=(theirs.fileno(),),
                env={**os.environ, **_ENVIRONMENT, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
                start_new_session=True,  # Ctrl-C is the parent's to handle; and what a model starts dies with its group
            )
        self._connection = Connection(ours.detach())
        self._connection.send_bytes(orjson.dumps(sys.path))

    def exchange(self, job: Job, images: list[RawImage]) -> Outcome:
        """Run a job. Raises InfrastructureFault (retryable) when the process dies on the way."""
        try:
            send_job(self._connection, job, images)
            outcome = receive_outcome(self._connection)
        except (EOFError, OSError) as error:
            self.kill()
            when = "while it was built" if job.operation == BUILD else f"during {job.operation}"
            raise InfrastructureFault(
                f"the worker process of {job.expert} died {when} ({self._last_words()}); another one takes over.",
                retryable=True,
            ) from error
        self.experts.add(job.expert)
        return outcome

    def kill(self) -> None:
        """End the process and everything it started; harmless when it is gone."""
        with contextlib.suppress(ProcessLookupError):
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def dispose(self) -> None:
        """Kill and free the socket and the log."""
        self.kill()
        self._connection.close()
        self._errors.close()

    @property
    def alive(self) -> bool:
        """Whether it can take a job."""
        return self.process.poll() is None

    def _last_words(self) -> str:
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - 2000))
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return f"exit code {self.process.returncode}" + (f": {lines[-1][:200]}" if lines else "")


class _Ticket:
    """Ties a job to the worker that runs it, so that cancelling the one can kill the other."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._worker: _Worker | None = None
        self._cancelled = False

    def start(self, worker: _Worker) -> bool:
        """Whether the job shall still be run."""
        with self._lock:
            self._worker = worker
            return not self._cancelled

    def finish(self) -> None:
        """The worker is no longer this job's: cancelling must not touch it."""
        with self._lock:
            self._worker = None

    def cancel(self) -> None:
        """Kill the worker if it is at this job."""
        with self._lock:
            self._cancelled = True
            if self._worker is not None:
                self._worker.kill()


class LocalWorkers:
    """Up to `count` worker processes (as many as cores by default), started when first needed.

    A worker keeps every model it has built; a job goes to an idle worker that has its model, if there is one. A crashed
    worker is replaced, one whose job is cancelled is killed and replaced.
    """

    def __init__(self, count: int | None = None) -> None:
        self.count = count or len(os.sched_getaffinity(0))
        self._threads = ThreadPoolExecutor(self.count, thread_name_prefix="maestro-local")
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()
        self._closed = False
        self._finalizer = weakref.finalize(self, _dispose_all, self._all)

    async def run(self, job: Job, images: list[RawImage]) -> Outcome:
        """Run one job. Raises InfrastructureFault when its worker dies or cannot be started."""
        ticket = _Ticket()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._work, ticket, job, images)
        except asyncio.CancelledError:
            ticket.cancel()
            task = asyncio.current_task()
            if self._closed and task is not None and not task.cancelling():
                raise self._gone(job.expert) from None  # not the caller's cancelling: `close` dropped the job from the queue
            raise

    def has(self, expert: str) -> bool:
        """Whether an idle worker has built the model."""
        with self._lock:
            return any(expert in worker.experts for worker in self._idle)

    async def close(self) -> None:
        """Kill every worker and wait for it."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        with self._lock:
            self._closed = True
            for worker in self._all:
                worker.kill()  # a thread that waits for it is released
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._finalizer()

    def _work(self, ticket: _Ticket, job: Job, images: list[RawImage]) -> Outcome:
        worker = self._take(job.expert)
        try:
            if not ticket.start(worker):
                raise InfrastructureFault(f"the call of {job.expert} was cancelled before it began", retryable=True)
            return worker.exchange(job, images)
        finally:
            ticket.finish()
            self._give(worker)

    def _take(self, expert: str) -> _Worker:
        """An idle worker, best one that has the model; a new one when all are busy. There are never more threads than `count`."""
        with self._lock:
            if self._closed:
                raise self._gone(expert)
            for worker in reversed(self._idle):
                if expert in worker.experts:
                    self._idle.remove(worker)
                    return worker
            if self._idle:
                return self._idle.pop()
            try:
                worker = _Worker()
            except OSError as error:
                raise InfrastructureFault(f"cannot start a worker process for {expert}: {error}", retryable=True) from error
            self._all.add(worker)
            return worker

    def _gone(self, expert: str) -> InfrastructureFault:
        return InfrastructureFault(f"{expert} cannot be called: its workers are closed")

    def _give(self, worker: _Worker) -> None:
        with self._lock:
            if worker.alive:
                self._idle.append(worker)
            else:
                self._all.discard(worker)
                worker.dispose()


def _dispose_all(workers: set[_Worker]) -> None:
    for worker in workers:
        worker.dispose()
    workers.clear()


class InlineModels:
    """The same in this process, one job at a time in a thread: for tests and very small tools.

    A cancelled job cannot be stopped: its thread and models are left behind, and do not keep the program from ending.
    """

    count = 1

    def __init__(self) -> None:
        self._host = ModelHost()
        self._busy = threading.Lock()

    async def run(self, job: Job, images: list[RawImage]) -> Outcome:
        """Run one job. A crash of the model's native code takes this process with it."""
        arrays = [np.frombuffer(bytearray(data), np.uint8).reshape(height, width, 3) for height, width, data in images]
        done: Future[Outcome] = Future()
        # Daemon, unlike the threads of an executor: one that never returns may not be waited for when the program ends.
        work = partial(_perform, self._host, self._busy, job, arrays, done)
        threading.Thread(target=work, name="maestro-inline", daemon=True).start()
        try:
            return await asyncio.wrap_future(done)
        except asyncio.CancelledError:
            self._host, self._busy = ModelHost(), threading.Lock()  # the stuck thread keeps the old models
            raise

    def has(self, expert: str) -> bool:
        """Whether the model has been built."""
        return expert in self._host.models

    async def close(self) -> None:
        """Wait for the job at hand."""
        await asyncio.to_thread(self._busy.acquire)
        self._busy.release()


def _perform(host: ModelHost, busy: threading.Lock, job: Job, arrays: list[Pixels], done: Future[Outcome]) -> None:
    """Do a job when its turn comes, unless nobody waits for it any more."""
    with busy:
        if not done.set_running_or_notify_cancel():
            return
        try:
            done.set_result(host.perform(job, arrays))
        except BaseException as error:  # noqa: BLE001 (whatever it is, the one who waits gets it)
            done.set_exception(error)
