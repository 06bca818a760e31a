#!/usr/bin/env bash
# Says plainly what the build needs and this machine lacks.
set -u
python=${1:-python3}
missing=()

command -v cargo >/dev/null 2>&1 || missing+=("a Rust toolchain (1.95 or newer): https://rustup.rs")
command -v cc >/dev/null 2>&1 || missing+=("a C compiler: apt-get install build-essential")
if command -v "$python" >/dev/null 2>&1; then
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        missing+=("Python 3.11 or newer ($python is $("$python" -V 2>&1))")
    "$python" -c 'import venv, ensurepip' 2>/dev/null ||
        missing+=("Python's venv module: apt-get install python3-venv")
else
    missing+=("Python 3.11 or newer: apt-get install python3 python3-venv")
fi

if [ ${#missing[@]} -gt 0 ]; then
    echo "bigsec cannot be built here. Missing:" >&2
    printf '  - %s\n' "${missing[@]}" >&2
    exit 1
fi
