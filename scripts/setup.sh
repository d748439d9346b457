#!/bin/sh
# Sets up the environment in $VENV: `setup.sh app`, `setup.sh test`, `setup.sh chromium`.
# torch comes first and by itself, so that one chosen for a driver is kept; everything else is one
# pip command, so that pip sees all the pins at once.
set -eu

VENV=${VENV:-.venv}
TORCH=${TORCH:-torch==2.13.0}

say() { printf '%s\n' "$*" >&2; }
stop() { say "$*"; exit 1; }
may_apt() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; }
apt_install() {
    say "Installing $* with apt."
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >&2 && apt-get install -y -qq --no-install-recommends "$@" >&2
}

fits() { "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' >/dev/null 2>&1; }

find_python() {
    for candidate in ${PYTHON:-python3 python3.12 python3.11 python3.10}; do
        if fits "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

make_venv() {
    [ -x "$VENV/bin/python" ] && fits "$VENV/bin/python" && "$VENV/bin/python" -m pip --version >/dev/null 2>&1 && return
    if [ -e "$VENV" ] && [ "$VENV" != .venv ]; then
        stop "$VENV has no Python 3.10 to 3.12 with pip in it. Give another environment with VENV=DIR, or none."
    fi
    if ! python=$(find_python) && may_apt && [ -z "${PYTHON:-}" ]; then
        apt_install python3 python3-venv || true
    fi
    python=$(find_python) ||
        stop "Python 3.10, 3.11 or 3.12 is needed, and ${PYTHON:-what is installed here} is not. Install one, for example" \
            "with 'sudo apt install python3.11-venv' or from python.org, and name it with PYTHON=/path/to/python3.11."
    if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        may_apt && { apt_install "python$version-venv" || apt_install python3-venv || true; }
        "$python" -c 'import ensurepip, venv' >/dev/null 2>&1 ||
            stop "$python cannot make environments: install its venv module, on Debian and Ubuntu with" \
                "'sudo apt install python$version-venv', and run make again."
    fi
    say "Making $VENV with $python."
    rm -rf "$VENV"
    "$python" -m venv "$VENV"
}

torch_fits() {
    "$VENV/bin/python" - >/dev/null 2>&1 <<'PYTHON'
import importlib.metadata
import pathlib
import re
import sys

low, high = re.search(r"torch>=([\d.]+),<([\d.]+)", pathlib.Path("pyproject.toml").read_text()).groups()
number = lambda text: tuple(int(part) for part in re.findall(r"\d+", text)[:2])
sys.exit(not number(low) <= number(importlib.metadata.version("torch")) < number(high))
PYTHON
}

install() {
    make_venv
    if torch_fits; then
        say "Keeping the torch that is in $VENV."
    else
        say "Installing $TORCH."
        # shellcheck disable=SC2086 # options such as --index-url are words of their own
        "$VENV/bin/python" -m pip install -q --no-compile $TORCH || stop "torch could not be installed: see pip's message above."
    fi
    say "Installing everything else. This takes a few minutes, once."
    # Not compiled ahead: of thousands of modules a few hundred are ever imported, and those compile themselves.
    "$VENV/bin/python" -m pip install -q --no-compile "$@" -e . ||
        stop "The packages could not be installed: see pip's message above, and run make again."
}

has_chromium() {
    for name in chromium chromium-browser google-chrome; do
        # Ubuntu's chromium-browser may be an empty shell that only asks for a snap.
        command -v "$name" >/dev/null 2>&1 && "$name" --version >/dev/null 2>&1 && return
    done
    return 1
}

case "${1:-}" in
app) install -r requirements.txt ;;
test) install -r requirements.txt -r requirements-test.txt ;;
chromium)
    has_chromium || { may_apt && apt_install chromium fonts-dejavu-core && has_chromium; } ||
        stop "The tests of the page need Chromium, and it is not here. Install it ('sudo apt install chromium'" \
            "on Debian, 'sudo snap install chromium' on Ubuntu), and run make test again."
    ;;
*) stop "usage: setup.sh app|test|chromium" ;;
esac
