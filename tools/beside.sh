#!/bin/sh
# Makes an environment FOLDER from the file LOCK that also sees what .venv
# has, so that neither TensorFlow nor the engine's needs are installed twice.
#
#     sh tools/beside.sh FOLDER LOCK
# What it installs is all it has of its own: no pip and no setuptools, which
# would be other versions than those that pages ran with.
set -eu
folder=$1
lock=$2

rm -rf "$folder"
.venv/bin/python -m venv --without-pip "$folder"
.venv/bin/python -m pip --python "$folder/bin/python" install --quiet \
    --disable-pip-version-check \
    --require-hashes --no-compile --requirement "$lock"
here='import site; print(site.getsitepackages()[0])'
.venv/bin/python -c "$here" \
    >"$("$folder/bin/python" -c "$here")/project.pth"
"$folder/bin/python" -m compileall -q -j 0 "$folder/lib" >/dev/null || true
touch "$folder/ready"
