"""The call store: every expert call in one SQLite file, so that a recorded pool is a deterministic environment.

A call's key is the SHA-256 of its canonical JSON (`canonical`), and that JSON is stored beside the reply: a row proves
its own key. Errors are never stored. Several processes may share a file (WAL).
"""

from __future__ import annotations

import contextlib
import hashlib
import random
import sqlite3
import threading
import time
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from maestro.errors import NotRecorded, StoreError
from maestro.experts.protocol import ExpertRequest, Reply
from maestro.experts.store_file import SCHEMA_VERSION, open_file
from maestro.types import Expert

_COMPRESS_ABOVE_BYTES = 1024
_FLUSH_ROWS = 256
_FLUSH_SECONDS = 1.0
_INSERT = "INSERT OR {conflict} INTO calls VALUES (?, ?, ?, ?, ?, ?, ?, ?)"


class StoreMode(StrEnum):
    """What the store does for a call."""

    OFF = "off"
    """Nothing; the file is not touched."""
    CACHE = "cache"
    """Answer what is recorded, record what is not."""
    RECORD = "record"
    """Always call, and overwrite what was recorded."""
    REPLAY = "replay"
    """Answer what is recorded; anything else raises NotRecorded. The file is opened for reading only."""


@dataclass(frozen=True)
class RecordedCall:
    """One row, decoded: enough to make the call again and compare."""

    expert: str
    revision: str
    request: ExpertRequest
    reply: Reply
    created: float
    """Unix time in seconds."""


@dataclass(frozen=True)
class RecordedCount:
    """How many calls are recorded for one expert, revision, skill and operation."""

    expert: str
    revision: str
    skill: str
    operation: str
    calls: int


Row = tuple[bytes, str, str, str, str, bytes, bytes, float]


def canonical(card: Expert, request: ExpertRequest) -> bytes:
    """The canonical JSON of a call (sorted keys); its SHA-256 is the key.

    Raises TypeError when an argument is no JSON value. NaN counts as null, a tuple as a list.
    """
    return orjson.dumps(
        {
            "schema": SCHEMA_VERSION,
            "expert": card.id,
            "revision": card.revision,
            "skill": request.skill,
            "skill_digest": request.skill_digest,
            "operation": request.operation,
            "arguments": request.arguments,
            "images": request.images,
            "sampling": request.sampling,
            "draw": request.draw,
        },
        option=orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME,
    )


def call_key(card: Expert, request: ExpertRequest) -> bytes:
    """32 bytes that name a call. Raises TypeError as `canonical` does."""
    return hashlib.sha256(canonical(card, request)).digest()


def pack(data: bytes) -> bytes:
    """JSON bytes as they are kept: deflated when large. JSON starts with `{`, deflate with 0x78."""
    return data if len(data) <= _COMPRESS_ABOVE_BYTES else zlib.compress(data, 6)


def unpack(data: bytes) -> bytes:
    """The JSON bytes that `pack` was given."""
    return data if data[:1] == b"{" else zlib.decompress(data)


def decode_request(data: bytes) -> ExpertRequest:
    """The request inside canonical JSON."""
    fields = orjson.loads(data)
    for name in ("schema", "expert", "revision"):
        del fields[name]
    fields["images"] = tuple(fields["images"])
    return ExpertRequest(**fields)


def encode_reply(reply: Reply) -> bytes:
    """A reply as JSON; whether it was replayed and who else answered is no part of it, reasoning only where there is some."""
    fields = asdict(reply)
    del fields["replayed"], fields["answered_by"]
    if not reply.reasoning:
        del fields["reasoning"]
    return orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)


def decode_reply(data: bytes) -> Reply:
    """The reply inside its JSON, marked as replayed."""
    return Reply(**orjson.loads(data), replayed=True)


class CallStore:
    """Recorded calls in one file.

    Writes are committed every 256 calls or every second, so a killed process loses at most that; `close` (or leaving the
    `with` block) commits the rest. Replies read or written lately are kept in memory up to `memory_bytes` of text.

    Raises StoreError when the path is a folder, cannot be opened, is no call store, is damaged or of another version.
    """

    def __init__(self, path: Path | str, mode: StoreMode | str = StoreMode.CACHE, *, memory_bytes: int = 64 << 20) -> None:
        self.path = Path(path)
        try:
            self.mode = StoreMode(mode)
        except ValueError as error:
            raise StoreError(f"store mode {mode!r} does not exist; choose one of {', '.join(StoreMode)}.") from error
        self._lock = threading.RLock()
        self._memory: OrderedDict[bytes, Reply] = OrderedDict()
        self._memory_bytes = memory_bytes
        self._held_bytes = 0
        self._pending: dict[bytes, Row] = {}
        self._timer: threading.Timer | None = None
        self._closed = False
        self._connection = None if self.mode is StoreMode.OFF else open_file(self.path, read_only=self.mode is StoreMode.REPLAY)

    def get(self, card: Expert, request: ExpertRequest) -> Reply | None:
        """The recorded reply, marked `replayed`; None when the mode is `off` or `record`, or on a miss in `cache`.

        Raises NotRecorded on a miss in `replay`, StoreError when the file broke, TypeError as `canonical` does.
        """
        if self._connection is None or self.mode is StoreMode.RECORD:
            return None
        key = call_key(card, request)
        reply = self._read(key)
        if reply is None and self.mode is StoreMode.REPLAY:
            raise NotRecorded(
                f"{self.path} holds no call of expert {card.id} (revision {card.revision}) for skill {request.skill or '-'}, "
                f"operation {request.operation}, with these arguments and images. Record it first (store mode `cache` or `record`)."
            )
        return reply

    def put(self, card: Expert, request: ExpertRequest, reply: Reply) -> None:
        """Keep a reply: overwrites in `record`, keeps what is there in `cache`, does nothing in `off` and `replay`."""
        if self._connection is None or self.mode is StoreMode.REPLAY:
            return
        asked = canonical(card, request)
        key = hashlib.sha256(asked).digest()
        row = (key, card.id, card.revision, request.skill, request.operation, pack(asked), pack(encode_reply(reply)), time.time())
        with self._lock:
            self._check_open()
            if self.mode is StoreMode.CACHE and self._read(key) is not None:
                return
            self._pending[key] = row
            self._remember(key, replace(reply, replayed=True))
            if len(self._pending) >= _FLUSH_ROWS:
                self.flush()
            elif self._timer is None:
                self._timer = threading.Timer(_FLUSH_SECONDS, self._flush_late)
                self._timer.start()

    def flush(self) -> None:
        """Commit what is pending. Raises StoreError."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._pending:
                self._write(self._pending.values(), "REPLACE" if self.mode is StoreMode.RECORD else "IGNORE")
                self._pending.clear()

    def close(self) -> None:
        """Commit and let go of the file; closing twice is harmless."""
        with self._lock:
            if self._closed or self._connection is None:
                self._closed = True
                return
            try:
                self.flush()
            finally:
                self._closed = True
                self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def count(self) -> int:
        """Calls recorded."""
        return int(self._fetch("SELECT COUNT(*) FROM calls")[0][0]) if self._connection else 0

    def summary(self) -> tuple[RecordedCount, ...]:
        """Calls recorded per expert, revision, skill and operation, sorted."""
        rows = self._fetch("SELECT expert, revision, skill, operation, COUNT(*) FROM calls GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4")
        return tuple(RecordedCount(*row) for row in rows)

    def sample(self, n: int, seed: int | str) -> tuple[RecordedCall, ...]:
        """`n` recorded calls (all, when there are fewer) to make again and compare; the same for the same seed and contents."""
        keys = [key for (key,) in self._fetch("SELECT key FROM calls ORDER BY key")]
        chosen = random.Random(seed).sample(keys, min(n, len(keys)))
        return tuple(decode_row(row) for key in chosen for row in self._fetch("SELECT * FROM calls WHERE key = ?", (key,)))

    def rows(self) -> Iterator[Row]:
        """Every row as stored, in an order that depends on nothing but the contents."""
        for (key,) in self._fetch("SELECT key FROM calls ORDER BY expert, operation, key"):
            yield from self._fetch("SELECT * FROM calls WHERE key = ?", (key,))

    def add_rows(self, rows: Iterable[Row]) -> int:
        """Add rows that are not there yet; returns how many were new. Raises StoreError in `replay` and `off`."""
        with self._lock:
            if self.mode is StoreMode.REPLAY or self._connection is None:
                raise StoreError(f"{self.path} is open in mode {self.mode}; calls can be added in `cache` or `record`.")
            self.flush()
            return self._write(rows, "IGNORE")

    def merge(self, other: Path | str) -> int:
        """Add the calls of another store file; what is here already stays. Returns how many were new. Raises StoreError."""
        with CallStore(other, StoreMode.REPLAY, memory_bytes=0) as source:
            return self.add_rows(source.rows())

    def _read(self, key: bytes) -> Reply | None:
        with self._lock:
            if (reply := self._memory.get(key)) is not None:
                self._memory.move_to_end(key)
                return reply
            if (row := self._pending.get(key)) is not None:
                return decode_reply(unpack(row[6]))
            if not (found := self._fetch("SELECT reply FROM calls WHERE key = ?", (key,))):
                return None
            try:
                reply = decode_reply(unpack(found[0][0]))
            except (zlib.error, ValueError, TypeError) as error:
                raise StoreError(f"{self.path} holds a damaged reply under key {key.hex()[:12]}…: {error}. Record it again.") from error
            self._remember(key, reply)
            return reply

    def _remember(self, key: bytes, reply: Reply) -> None:
        if (old := self._memory.pop(key, None)) is not None:
            self._held_bytes -= len(old.text) + 512
        self._memory[key] = reply
        self._held_bytes += len(reply.text) + 512  # 512: what the objects around the text take
        while self._held_bytes > self._memory_bytes:
            _, dropped = self._memory.popitem(last=False)
            self._held_bytes -= len(dropped.text) + 512

    def _flush_late(self) -> None:
        with self._lock:
            self._timer = None
            if not self._closed:
                with contextlib.suppress(StoreError):  # the calls stay pending; the next batch or `close` raises it where somebody hears
                    self.flush()

    def _write(self, rows: Iterable[Row], conflict: str) -> int:
        assert self._connection is not None
        self._check_open()
        try:
            before = self._connection.total_changes
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.executemany(_INSERT.format(conflict=conflict), rows)
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
            return self._connection.total_changes - before
        except sqlite3.Error as error:
            raise StoreError(f"cannot write to the call store {self.path}: {error}. Is the disk full or the file read-only?") from error

    def _fetch(self, sql: str, values: tuple[bytes, ...] = ()) -> list[Any]:
        """All result rows; pending calls are committed first, unless one key is asked for."""
        with self._lock:
            if self._connection is None:
                return []
            self._check_open()
            if self._pending and not values:
                self.flush()
            try:
                return self._connection.execute(sql, values).fetchall()
            except sqlite3.Error as error:
                raise StoreError(f"cannot read the call store {self.path}: {error}. Restore it or record it anew.") from error

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError(f"the call store {self.path} is closed.")


def decode_row(row: Row) -> RecordedCall:
    """A row with its request and reply decoded."""
    _, expert, revision, _, _, request, reply, created = row
    return RecordedCall(expert, revision, decode_request(unpack(request)), decode_reply(unpack(reply)), created)
