#!/bin/sh
# Creates the virtual environment and installs Maestro with everything the embedded default uses.
# System packages (tesseract, fonts, bubblewrap) are installed when this is Debian or Ubuntu and we may; otherwise
# `maestro doctor` says what is missing and what that disables.
set -eu
: "${PYTHON:=python3}" "${VENV:=.venv}"

"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Maestro needs Python 3.11 or newer; $PYTHON is $("$PYTHON" --version). Set PYTHON=/path/to/python3.11." >&2
    exit 1
}

missing=""
for package in tesseract-ocr tesseract-ocr-eng libtesseract-dev libleptonica-dev pkg-config bubblewrap libseccomp2 util-linux \
    fonts-dejavu-core fonts-dejavu-extra fonts-liberation fonts-freefont-ttf fonts-comic-neue; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
if [ -n "$missing" ]; then
    sudo=""
    [ "$(id -u)" = 0 ] || sudo="sudo -n"
    if command -v apt-get >/dev/null && { [ -z "$sudo" ] || sudo -n true 2>/dev/null; }; then
        echo "Installing system packages:$missing"
        { $sudo apt-get update -qq && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null; } ||
            echo "Could not install system packages:$missing. Go on without them; see 'maestro doctor'." >&2
    else
        echo "System packages not installed (no permission):$missing. Go on without them; see 'maestro doctor'." >&2
    fi
fi

[ -x "$VENV/bin/python" ] || "$PYTHON" -m venv "$VENV"
pip() { "$VENV/bin/python" -m pip --quiet "$@"; }
# torch first and pinned: a range would pull the CUDA build and gigabytes of its libraries.
pip install torch==2.13.0
pip install -c requirements.lock -e '.[train,verl,playground,sandbox,eval,dev]'
pip install --no-deps torchvision==0.28.0
if command -v tesseract >/dev/null; then
    pip install -c requirements.lock -e '.[tesseract]' || echo "tesserocr did not install; the two tesseract experts are disabled." >&2
fi
