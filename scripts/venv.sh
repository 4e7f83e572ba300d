#!/bin/sh
# Make the virtual environment DIR if it is not there, and install the project into it, editable.
#
#   scripts/venv.sh DIR [GROUP]     GROUP: a dependency group of pyproject.toml; without one the project alone
#
# Needs Python 3.11 or newer: $PYTHON if it is set, else the first one found by name. No root, no network but pip's.
set -eu

dir=$1
group=${2:-}

is_new_enough() {
    # Run it, do not ask which version it claims: a version manager's shim may stand for nothing.
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        is_new_enough "$PYTHON" && { echo "$PYTHON"; return; }
        echo "PYTHON=$PYTHON is no Python 3.11 or newer with venv and ensurepip" >&2
        return 1
    fi
    for name in python3 python3.14 python3.13 python3.12 python3.11 python; do
        is_new_enough "$name" && { echo "$name"; return; }
    done
    echo "no Python 3.11 or newer with venv and ensurepip found; name one: make PYTHON=/path/to/python3" >&2
    return 1
}

# A virtual environment whose interpreter was removed or upgraded away is made anew.
if ! is_new_enough "$dir/bin/python"; then
    python=$(find_python)
    "$python" -m venv --clear "$dir"
fi

# Dependency groups came with pip 25.1.
"$dir/bin/python" -m pip install --quiet --disable-pip-version-check 'pip>=25.1'
"$dir/bin/python" -m pip install --quiet --disable-pip-version-check --editable . ${group:+--group "$group"}
