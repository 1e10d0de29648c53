"""Whether it is the program that failed, or monty that lacks what the program needs."""

from __future__ import annotations

import builtins
import re
import sys

from maestro.sandbox.limits import Limits

_UNSUPPORTED = re.compile(r"[Mm]onty|not (?:yet )?(?:supported|implemented)|unexpected keyword argument|keyword arguments")
_MODULE = re.compile(r"module named '([\w.]+)'|from '([\w.]+)'|module '([\w.]+)' has no attribute")
_MEMBER = re.compile(r"(?:'(\w+)' object|type object '(\w+)') has no attribute '(\w+)'")


def lacks(raised: BaseException, source: str, limits: Limits) -> bool:
    """Whether CPython might do better than monty did.

    False for what CPython would refuse as well: no such module in the standard library, no such method of a builtin type, no such name.
    """
    text = str(raised)
    if isinstance(raised, NotImplementedError) or (_UNSUPPORTED.search(text) and not isinstance(raised, AssertionError)):
        return True
    if isinstance(raised, NameError):
        return any(f"'{name}'" in text for name in dir(builtins))
    if isinstance(raised, ImportError):
        found = _MODULE.search(text)
        return found is None or next(filter(None, found.groups())).partition(".")[0] in sys.stdlib_module_names
    if isinstance(raised, AttributeError):
        return _lacks_member(text, source)
    if isinstance(raised, PermissionError):
        return limits.file_bytes > 0  # monty has no files at all; under bubblewrap there is a /tmp
    return False


def slow(raised: BaseException) -> bool:
    """Whether monty's time or memory was up: it is several times slower than CPython and counts memory its own way."""
    return isinstance(raised, (TimeoutError, MemoryError)) and "limit exceeded" in str(raised)


def _lacks_member(text: str, source: str) -> bool:
    found = _MEMBER.search(text)
    if found is None:
        return True  # a module's member, or words unknown here
    owner, member = found[1] or found[2], found[3]
    kind = type(None) if owner == "NoneType" else getattr(builtins, owner, None)
    if isinstance(kind, type):
        return hasattr(kind, member)
    if re.search(rf"^\s*class\s+{owner}\b", source, re.MULTILINE):
        return member.startswith("__")  # the program's own class, which lacks it there too
    return True
