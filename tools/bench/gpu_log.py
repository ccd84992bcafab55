"""Record what each package of TensorFlow logs where there is no GPU.

    python -m tools.bench.gpu_log

installs each in an environment of its own, which takes some gigabytes and a
network, and notes what it logs until it has looked for a GPU, and which
messages about GPUs its libraries have.  Writes
``snippets/results/gpu_log.json``.
"""

import json
import mmap
import os
import platform
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tools.results import write_json

RESULTS = Path(__file__).parents[2] / "snippets/results/gpu_log.json"
PACKAGES = (
    "tensorflow==2.17.1",
    "tensorflow-cpu==2.21.0",
    "tensorflow==2.21.0",
    "tensorflow==2.21.0 nvidia-cuda-runtime-cu12",
    "tensorflow[and-cuda]==2.21.0",
)
LOOK = """
import json
import tensorflow as tf
tf.config.list_physical_devices("GPU")
print(json.dumps(tf.sysconfig.get_build_info()))
"""
TEXTS = (
    "Could not find cuda drivers on your machine",
    "failed call to cuInit",
    "Cannot dlopen some GPU libraries",
    "Unable to register cuDNN factory",
    "Could not create cudnn handle",
    "DNN library is not found",
    "libdevice not found at",
    "Couldn't get ptxas version",
    "TF-TRT Warning",
    "computation placer already registered",
    "successful NUMA node read from SysFS had negative value",
)
"""What readers ask about."""
FILES = ("libcudart.so.12", "libdevice.10.bc", "ptxas")
"""What is missed by those who read these messages."""
LINE = re.compile(r"(?m)^(?:[IWEF]\d{4} |\d{4}-\d\d-\d\d ).*?\.cc:\d+\] (.+)$")


def said(log: str) -> list[str]:
    """Return what the lines of a log say, each once."""
    return list(dict.fromkeys(LINE.findall(log)))


def has(library: Path, text: str) -> bool:
    """Return whether the file has the text in it."""
    with (
        library.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        return content.find(text.encode()) >= 0


def installed(package: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Return what a look for GPUs says after the package is installed."""
    uv = [sys.executable, "-m", "uv"]
    python = str(folder / "bin/python")
    made = [*uv, "venv", "--quiet", "--clear", str(folder)]
    subprocess.run(made, check=True)
    install = [*uv, "pip", "install", "--quiet", "--python", python]
    subprocess.run([*install, *package.split()], check=True)
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CUDA_", "PYTHON", "TF_"))
    }
    look = [python, "-c", LOOK]
    return subprocess.run(
        look, check=True, capture_output=True, text=True, env=kept
    )


def contents(folder: Path) -> dict[str, Any]:
    """Return where the files are in the environment, and which texts."""
    [packages] = folder.glob("lib/*/site-packages")
    libraries = [*packages.glob("tensorflow/*.so*")]
    files = {
        name: [
            path.relative_to(packages).as_posix()
            for path in packages.glob(f"nvidia/**/{name}")
        ]
        for name in FILES
    }
    texts = {
        text: any(has(library, text) for library in libraries)
        for text in TEXTS
    }
    return {"files": files, "texts": texts}


def main() -> None:
    """Write what was logged, and what the libraries of the last have."""
    results: dict[str, Any] = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "python": platform.python_version(),
        "system": platform.system(),
        "driver": shutil.which("nvidia-smi"),
        "messages": {},
    }
    for package in PACKAGES:
        with TemporaryDirectory() as folder:
            ran = installed(package, Path(folder))
            results["messages"][package] = said(ran.stderr)
            if package == PACKAGES[-1]:
                results["build"] = json.loads(ran.stdout)
                results |= contents(Path(folder))
    write_json(RESULTS, results)


if __name__ == "__main__":
    main()
