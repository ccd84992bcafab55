#!/bin/sh
# Makes an environment FOLDER from the file LOCK that also sees what .venv
# has, so that neither TensorFlow nor the engine's needs are installed twice.
#
#     sh bench/beside.sh FOLDER LOCK
set -eu
folder=$1
lock=$2

rm -rf "$folder"
.venv/bin/python -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check \
    --require-hashes --no-compile --requirement "$lock"
here='import site; print(site.getsitepackages()[0])'
.venv/bin/python -c "$here" \
    >"$("$folder/bin/python" -c "$here")/project.pth"
"$folder/bin/python" -m compileall -q -j 0 "$folder/lib" >/dev/null || true
touch "$folder/ready"
