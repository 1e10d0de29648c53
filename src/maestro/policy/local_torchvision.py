"""Makes `import torchvision` work beside a PyTorch without CUDA.

The torchvision wheel of the public registry is built for CUDA. Beside a CPU build of PyTorch its import fails, because the
compiled operators are not loaded and their fake implementations find no schema. Declaring the two schemas is enough for the
tensor transforms, which is all that image and video processors use. Compiled operators and torchvision's own image decoding
stay unavailable.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import torch

_libraries: list[torch.library.Library] = []
"""Kept alive: a declared schema goes away with its library object."""


def install() -> None:
    """Declare what torchvision misses, once per process; does nothing where PyTorch has CUDA or torchvision fits it."""
    if _libraries or "torchvision" in sys.modules or torch.version.cuda is not None or not _built_for_cuda():
        return
    library = torch.library.Library("torchvision", "DEF")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _libraries.append(library)


def _built_for_cuda() -> bool:
    """Whether the installed torchvision is a CUDA build; read from its version file, because importing it is what fails."""
    spec = importlib.util.find_spec("torchvision")
    if spec is None or not spec.submodule_search_locations:
        return False
    version = Path(spec.submodule_search_locations[0]) / "version.py"
    return version.exists() and re.search(r"^__version__ = '[^']*\+cu\d", version.read_text(encoding="utf-8"), re.MULTILINE) is not None
