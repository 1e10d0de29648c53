"""The SQLite file of a call store: opening, checking, creating."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from maestro.errors import StoreError

SCHEMA_VERSION = 1
"""Part of every key; changes when the meaning of a recorded call changes."""
_APPLICATION_ID = 0x4D435331  # "MCS1"
_BUSY_SECONDS = 60.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS calls (
    key BLOB PRIMARY KEY,
    expert TEXT NOT NULL,
    revision TEXT NOT NULL,
    skill TEXT NOT NULL,
    operation TEXT NOT NULL,
    request BLOB NOT NULL,
    reply BLOB NOT NULL,
    created REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS calls_by_expert ON calls (expert, revision, skill, operation);
"""


def open_file(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """Open and check the file, creating it when it may be written. Raises StoreError."""
    if path.is_dir():
        raise StoreError(f"{path} is a folder; a call store is one file, for example {path / 'calls.sqlite'}.")
    if read_only and not path.exists():
        raise StoreError(f"there is no call store at {path}. Record one first (store mode `cache` or `record`).")
    try:
        if not read_only:
            path.parent.mkdir(parents=True, exist_ok=True)
        connection = _open(path, read_only=read_only)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"cannot open the call store {path}: {error}. Check the path, its permissions and what is in it.") from error
    return connection


def _open(path: Path, *, read_only: bool) -> sqlite3.Connection:
    name = path.absolute().as_uri()
    connection = sqlite3.connect(
        f"{name}?mode={'ro' if read_only else 'rwc'}", uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        try:
            connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError:
            # A WAL file in a folder that cannot be written needs to be told that nobody else writes it.
            if not read_only or path.with_name(path.name + "-wal").exists():
                raise
            connection.close()
            connection = sqlite3.connect(f"{name}?immutable=1", uri=True, isolation_level=None, check_same_thread=False)
        _check_schema(connection, path, read_only=read_only)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_schema(connection: sqlite3.Connection, path: Path, *, read_only: bool) -> None:
    (tables,) = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
    if tables == 0 and not read_only:
        _enter_wal(connection)
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("BEGIN IMMEDIATE")
        for statement in filter(str.strip, _SCHEMA.split(";")):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id={_APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        connection.execute("COMMIT")
        return
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != _APPLICATION_ID:
        raise StoreError(f"{path} is an SQLite file, but not a call store (application id {application:#x}). Choose another path.")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != SCHEMA_VERSION:
        raise StoreError(f"{path} has call-store version {version}, this program reads version {SCHEMA_VERSION}. Record it anew.")
    if not read_only:
        connection.execute("PRAGMA synchronous=NORMAL")


def _enter_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL; two processes that create the file together meet here, and SQLite does not wait for this lock itself."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
