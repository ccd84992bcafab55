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
# uv is many times as fast; pip brings it, and does all where it does not run.
awk '/^uv==/ { on = 1 } on { print } on && !/\\$/ { exit }' requirements.lock \
    >.venv/uv.lock
.venv/bin/python -m pip install --quiet --disable-pip-version-check \
    --require-hashes --no-deps --requirement .venv/uv.lock || true
# The lock file names every package, so there is nothing to resolve.
if ! .venv/bin/python -m uv pip install --python .venv --compile-bytecode \
    --require-hashes --no-deps --requirement requirements.lock; then
    echo "uv did not do; installing with pip, which takes minutes …"
    .venv/bin/python -m pip install --disable-pip-version-check \
        --require-hashes --no-deps --requirement requirements.lock
fi
.venv/bin/python -m pip check --quiet --disable-pip-version-check
touch .venv/ready
