"""Runs at the start of every Python of the vLLM environment, by a .pth file: the first `import torchvision` is made to work.

`install_vllm.sh` puts this file and a copy of `maestro/policy/local_torchvision.py` (as `torchvision_schemas.py`) into the
environment's site-packages. PyTorch is imported only when torchvision is, so that an ordinary start stays as quick as it was.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec


class _BeforeTorchvision:
    """Finds no module; declares what torchvision misses when somebody looks for it."""

    @staticmethod
    def find_spec(name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        if name == "torchvision":
            sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not _BeforeTorchvision]
            from torchvision_schemas import install

            install()
        return None


sys.meta_path.insert(0, _BeforeTorchvision)  # type: ignore[arg-type]  # a class with a static find_spec is a finder
