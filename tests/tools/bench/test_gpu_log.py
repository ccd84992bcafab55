"""What is recorded of TensorFlow's log, with little processes in its place."""

import json
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tools.bench import gpu_log
from tools.bench.gpu_log import PACKAGES, RESULTS, has, installed, main, said

LOG = """\
WARNING: All log messages before absl::InitializeLog() is called are written
I0000 00:00:1795817210.703744   12605 cudart_stub.cc:31] Could not find it.
2026-02-24 16:46:52.110213: I tensorflow/core/cpu_feature_guard.cc:210] Mine
To enable the following instructions: AVX2 FMA, rebuild.
E0000 00:00:1795817220.214275   12605 cuda_platform.cc:52] failed call: (303)
I0000 00:00:1795817218.982875   12605 cudart_stub.cc:31] Could not find it.
"""


def test_what_a_log_says() -> None:
    assert said(LOG) == ["Could not find it.", "Mine", "failed call: (303)"]


def test_a_text_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "library.so"
    path.write_bytes(b"\0\1DNN library is not found\0")
    assert has(path, "DNN library")
    assert not has(path, "ptxas")


def test_a_package_is_installed_and_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ran: list[list[str]] = []

    def run(command: list[Any], **options: Any) -> Any:
        ran.append([str(part) for part in command])
        assert options["check"]
        names = options.get("env", {}).keys()
        assert not any(n.startswith(("TF_", "CUDA_")) for n in names)
        return SimpleNamespace(stdout="{}", stderr=LOG)

    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    monkeypatch.setattr(subprocess, "run", run)
    assert installed("one==1 two", tmp_path).stderr == LOG
    made, install, look = ran
    assert made[1:4] == ["-m", "uv", "venv"]
    assert made[-1] == str(tmp_path)
    assert install[1:5] == ["-m", "uv", "pip", "install"]
    assert install[-2:] == ["one==1", "two"]
    assert look[0] == install[-3] == str(tmp_path / "bin/python")


def test_the_record_has_what_was_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fake(package: str, folder: Path) -> Any:
        packages = folder / "lib/python3/site-packages"
        for name, content in (
            ("tensorflow/library.so.2", b"failed call to cuInit"),
            ("nvidia/cuda_nvcc/bin/ptxas", b""),
        ):
            path = packages / name
            path.parent.mkdir(parents=True)
            path.write_bytes(content)
        return SimpleNamespace(stdout='{"cuda_version": "1"}', stderr=LOG)

    results = tmp_path / "results.json"
    monkeypatch.setattr(gpu_log, "installed", fake)
    monkeypatch.setattr(gpu_log, "RESULTS", results)
    main()
    found = json.loads(results.read_text("utf-8"))
    kept = json.loads(RESULTS.read_text("utf-8"))
    assert found.keys() == kept.keys()
    assert list(kept["messages"]) == list(PACKAGES)
    assert found["texts"].keys() == kept["texts"].keys()
    assert found["files"].keys() == kept["files"].keys()
    assert found["files"]["ptxas"] == ["nvidia/cuda_nvcc/bin/ptxas"]
    assert [t for t, there in found["texts"].items() if there] == [
        "failed call to cuInit"
    ]
    assert found["build"] == {"cuda_version": "1"}
