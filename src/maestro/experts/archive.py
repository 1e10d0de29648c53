"""A call store as one xz file: how a recorded pool is shipped.

The file is JSON lines under xz: a header with the number of calls, then one line a call in an order that depends on
nothing but the contents, so the same calls give the same bytes. Keys are not written: they follow from the requests.
"""

from __future__ import annotations

import hashlib
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import orjson

from maestro.errors import StoreError
from maestro.experts.store import CallStore, Row, pack, unpack
from maestro.experts.store_file import SCHEMA_VERSION

_FORMAT = "maestro-calls"
_MAX_LINE_BYTES = 64 << 20


def export_store(store: CallStore, path: Path | str) -> int:
    """Write every call of `store` to the xz file `path`, replacing it at once; returns how many. Raises StoreError."""
    target = Path(path)
    number = store.count()
    partial = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with lzma.open(partial, "wb", check=lzma.CHECK_CRC64, preset=6) as file:
            file.write(orjson.dumps({"format": _FORMAT, "schema": SCHEMA_VERSION, "calls": number}) + b"\n")
            for _, _, _, _, _, request, reply, created in store.rows():
                file.write(b'{"created":%d,"reply":%b,"request":%b}\n' % (int(created), unpack(reply), unpack(request)))
        partial.replace(target)
    except OSError as error:
        raise StoreError(f"cannot write {target}: {error}.") from error
    finally:
        partial.unlink(missing_ok=True)
    return number


def import_store(store: CallStore, path: Path | str) -> int:
    """Add the calls of the xz file `path` to `store`; what is there already stays. Returns how many were new.

    All or nothing. Raises StoreError when the file is missing, damaged, cut short or of another version.
    """
    try:
        with lzma.open(path, "rb") as file:
            header = orjson.loads(file.readline(_MAX_LINE_BYTES))
            if not isinstance(header, dict) or header.get("format") != _FORMAT:
                raise StoreError(f"{path} is no exported call store.")
            if header.get("schema") != SCHEMA_VERSION:
                raise StoreError(f"{path} has call-store version {header.get('schema')}, this program reads version {SCHEMA_VERSION}.")
            return store.add_rows(_rows(file, header["calls"], path))
    except (OSError, EOFError, lzma.LZMAError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"cannot import {path}: {error}. Is it an exported call store, whole?") from error


def _rows(file: BinaryIO | lzma.LZMAFile, expected: int, path: Path | str) -> Iterator[Row]:
    number = 0
    while line := file.readline(_MAX_LINE_BYTES):
        fields = orjson.loads(line)
        request = fields["request"]
        asked = orjson.dumps(request, option=orjson.OPT_SORT_KEYS)
        reply = orjson.dumps(fields["reply"], option=orjson.OPT_SORT_KEYS)
        names = (request["expert"], request["revision"], request["skill"], request["operation"])
        yield (hashlib.sha256(asked).digest(), *names, pack(asked), pack(reply), float(fields["created"]))
        number += 1
    if number != expected:
        raise StoreError(f"{path} holds {number} calls but announces {expected}: it is cut short. Fetch it again.")
