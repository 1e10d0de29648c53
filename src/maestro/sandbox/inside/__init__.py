"""What runs inside the sandbox, beside the program. These files are handed over as text: they import nothing of Maestro but `plain`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_PLAIN = "maestro.sandbox.inside.plain"


@cache
def script(name: str) -> str:
    """The file `name` here, and the module it imports, as one text for `python -c`; `__main__` stays free for the program."""
    plain, text = (Path(__file__).with_name(f"{part}.py").read_text(encoding="utf-8") for part in ("plain", name))
    return (
        "import sys\n"
        f"sys.modules[{_PLAIN!r}] = m = type(sys)({_PLAIN!r})\n"
        f"exec({plain!r}, m.__dict__)\n"
        f"exec({text!r}, dict(__name__='inside', start=1))\n"
    )
