#!/bin/sh
# Makes .venv from requirements.lock: whole, or not at all.
set -eu

fits='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'

for name in "${PYTHON:-python3}" python3.13 python3.12 python3.11; do
    if "$name" -c "$fits" 2>/dev/null; then
        python=$name
        break
    fi
done
if [ -z "${python:-}" ]; then
    echo "No Python 3.11, 3.12 or 3.13 found, which TensorFlow 2.21 needs." >&2
    echo "  mend: install one, or name it: make PYTHON=/path/to/python3.12" >&2
    exit 1
fi

echo "Making .venv with $("$python" --version) …"
rm -rf .venv
if ! "$python" -m venv .venv; then
    rm -rf .venv
    echo "Python's venv module does not work here." >&2
    echo "  mend: on Debian or Ubuntu, apt install python3-venv" >&2
    exit 1
fi
echo "Installing the locked packages (a few hundred megabytes, once) …"
# The lock file names every package, so there is nothing to resolve.
.venv/bin/python -m pip install --quiet --disable-pip-version-check \
    --require-hashes --no-deps --no-compile --requirement requirements.lock
.venv/bin/python -m pip check --quiet
echo "Compiling bytecode …"
.venv/bin/python -m compileall -q -j 0 .venv/lib >/dev/null || true
touch .venv/ready
