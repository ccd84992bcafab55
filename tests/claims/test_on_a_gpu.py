"""What the page on GPUs says is true, as far as it shows without one."""

import importlib
import json
import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.eager import context

from snippets import on_a_gpu
from snippets.on_a_gpu import (
    count_work,
    devices,
    first_cause,
    grow,
    kind,
    libraries,
    look,
    make_step,
)
from snippets.on_a_gpu_placed import compute
from tests.claims.says import imported, logged, numbers, printed, ran, says
from tests.claims.sentences import DOCS, ROOT, below, read, sections
from tests.devices import mirrored

NAME = "on_a_gpu"
RNN = importlib.import_module("keras.src.backend.tensorflow.rnn")
PAGE = read(NAME)
BLOCKS = {block.name: block for block in PAGE.blocks}
LOG = json.loads((ROOT / "snippets/results/gpu_log.json").read_text("utf-8"))
OLD, CPU, BARE, RUNTIME, ALL = LOG["messages"].values()
DRIVERS = "Could not find cuda drivers"
COMMAND = 'python placed.py | grep -E "MatMul|Sum"'
GPU = context.PhysicalDevice("/physical_device:GPU:0", "GPU")
X, W = tf.ones([2, 3]), tf.ones([3, 1])
Refused = tf.errors.InvalidArgumentError
PROGRAM = """
import tensorflow as tf
tf.debugging.set_log_device_placement(True)
tf.matmul([[1.0]], [[2.0]])
"""


@pytest.fixture
def hard(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take no other device than the one that is asked for."""
    monkeypatch.setattr(context.context(), "_soft_device_placement", None)
    tf.config.set_soft_device_placement(False)
    yield
    tf.config.set_soft_device_placement(True)


@pytest.fixture
def with_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have TensorFlow believe in a GPU, as long as none is used."""
    known = context.context()._physical_devices
    monkeypatch.setattr(context.context(), "_physical_devices", [*known, GPU])


@pytest.fixture(scope="module")
def log() -> str:
    """What a program logs that multiplies, with the level as it comes."""
    return logged(PROGRAM)


@pytest.fixture(scope="module")
def here() -> dict[str, Any]:
    """What the page's function finds."""
    return look()


def has(messages: list[str], text: str) -> bool:
    return any(text in message for message in messages)


def plain(text: str) -> str:
    return " ".join(text.split())


# The page and its table


@says(
    "When you have read this page you can tell which of six things is in the "
    "way, see where a step runs, and count whether it has enough work for a "
    "GPU."
)
@says(
    "Why TensorFlow does not find or use a GPU - an empty list, what the log "
    "says, where each step runs, and why a small model is faster on a CPU."
)
@says("The order in which to look at it")
@says("Two functions ask for what may be in the way.")
def test_what_the_page_has() -> None:
    returned = re.findall('return "(.+?)"', BLOCKS["first_cause"].code)
    assert len(returned) == len(set(returned)) == 7
    assert returned[0].startswith("none")
    order = [BLOCKS[name].code for name in ("libraries", "look")]
    assert [code.count("def ") for code in order] == [1, 1]
    for name in ("log", "where", "count_work"):
        assert name in BLOCKS


@says("`list_physical_devices('GPU')` returns `[]` | … list)")
@says("`is_gpu_available()` is `False` | … list)")
@says("`pip install tensorflow-gpu` | … installs)")
@says("No GPU on Windows, or on a Mac | … list)")
@says("`Could not find cuda drivers on your machine` | … used)")
@says("`This TensorFlow binary is optimized to use …` | … used)")
@says("`Unable to register cuDNN factory` | … used)")
@says(
    "`Cannot dlopen some GPU libraries`, `DNN library is not found` | … found)"
)
@says("`libdevice not found`, `ptxas` | … found)")
@says("`… cannot be modified after being initialized` | … initialized)")
@says("A GPU is found but not used | … used)")
@says("`Cannot assign a device for operation` | … operation)")
@says("The GPU is slower than the CPU | … model)")
@says("GPU utilization is low, the first step is slow | … model)")
@says("An LSTM is slow on a GPU | … use_cudnn)")
@says("`MirroredStrategy` hangs | … nccl)")
def test_the_table_leads_to_sections_with_its_words() -> None:
    source = (DOCS / f"{NAME}.md").read_text("utf-8")
    rows = re.findall(r"(?m)^\| (.+) \| \[.+\]\(#(.+)\) \|$", source)
    assert len(rows) == 16
    found = sections(NAME)
    for words, anchor in rows:
        text = plain(anchor.replace("-", " ") + found[anchor]).lower()
        for word in re.findall(r"[a-z_]{5,}", words.lower()):
            assert word[:-1] in text, f"{word}: {anchor}"


@says(
    "This page was made without a GPU, with the package for processors alone."
)
@says("Print all of `found`, too: it is another on each machine.")
def test_what_was_found_here(monkeypatch: pytest.MonkeyPatch) -> None:
    assert printed(NAME, "found") == "GPUs: 0"
    packages = {"tensorflow": ["tensorflow_cpu"]}
    monkeypatch.setattr(metadata, "packages_distributions", lambda: packages)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    hidden = look()
    assert hidden["packages"] == ["tensorflow_cpu"]
    assert hidden["built with CUDA"] is False
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert look() == hidden | {"CUDA_VISIBLE_DEVICES": None}


@says("Then TensorFlow has found no GPU, and computes on the processor.")
def test_without_a_gpu_the_processor_computes() -> None:
    assert tf.config.list_physical_devices("GPU") == []
    assert kind(X @ W) == "CPU"


# Six causes


@says(
    "The first needs the name of the package that brought TensorFlow; the "
    "[next section](#what-pip-install-tensorflowand-cuda-installs) has more "
    "on it."
)
@says("Return for each library of package[and-cuda] if it is installed.")
@says("Return what says whether TensorFlow can use a GPU here.")
def test_what_is_asked_for(
    here: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    [package] = here["packages"]
    assert metadata.requires(package)
    found = libraries(package)
    assert len(found) == 12
    assert not any(found.values())
    monkeypatch.setattr(metadata, "distributions", lambda name: [name])
    assert all(libraries(package).values())
    assert (
        "libraries"
        in sections(NAME)["what-pip-install-tensorflowand-cuda-installs"]
    )


@says("Return the first thing that keeps a training from a GPU.")
@says(
    "This is what it says of seven machines, of which only the last has a GPU "
    "that TensorFlow found."
)
@says("Of your machine, `print(first_cause(found))` tells it.")
def test_the_causes_and_their_order(here: dict[str, Any]) -> None:
    said = printed(NAME, "others").splitlines()
    assert len(said) == 7
    assert [line.startswith("none") for line in said] == 6 * [False] + [True]
    assert first_cause(here) == said[2]
    worst: dict[str, Any] = {
        "GPUs": 0,
        "system": "Windows",
        "packages": ["tensorflow", "tensorflow_cpu"],
        "built with CUDA": False,
        "CUDA_VISIBLE_DEVICES": "",
        "CUDA libraries": 0,
    }
    mends = {
        "system": "Linux",
        "packages": ["tensorflow"],
        "built with CUDA": True,
        "CUDA_VISIBLE_DEVICES": None,
        "CUDA libraries": 12,
        "GPUs": 1,
    }
    causes = [first_cause(worst)]
    for name, mended in mends.items():
        worst[name] = mended
        causes.append(first_cause(worst))
    assert len(set(causes)) == 7
    assert said == causes


@says(
    "Both `tensorflow` and `tensorflow-cpu` are imported as `tensorflow`, "
    "from one folder, where the second overwrites the first."
)
def test_two_packages_have_one_folder(here: dict[str, Any]) -> None:
    [name] = here["packages"]
    files = metadata.files(name) or []
    assert name == "tensorflow_cpu"
    assert Path("tensorflow/__init__.py") in map(Path, files)
    # The other has been recorded: its libraries stand in that folder, too.
    assert "Could not find cuda drivers on your machine" in LOG["texts"]


@says(
    "`tensorflow-cpu` is one, and `tf.sysconfig.get_build_info()` says so: "
    "its `is_cuda_build` is `False`."
)
@says(
    "For `tensorflow` 2.21 on Linux it is `True`, and there is a "
    "`cuda_version`, 12.5.1, and a `cudnn_version`, 9."
)
def test_what_the_package_was_built_with() -> None:
    built = tf.sysconfig.get_build_info()
    assert not built["is_cuda_build"]
    assert not {"cuda_version", "cudnn_version"} & set(built)
    assert LOG["system"] == "Linux"
    assert list(LOG["messages"])[-1] == "tensorflow[and-cuda]==2.21.0"
    assert LOG["build"]["is_cuda_build"]
    assert LOG["build"]["cuda_version"] == "12.5.1"
    assert LOG["build"]["cudnn_version"] == "9"


@says(
    "`tf.test.is_gpu_available()` is deprecated, and its warning names "
    "`tf.config.list_physical_devices('GPU')`."
)
@says("`tf.test.gpu_device_name()` is an empty string where there is none.")
@says(
    "`K.tensorflow_backend._get_available_gpus()` raises an `AttributeError`."
)
def test_what_old_texts_ask(caplog: pytest.LogCaptureFixture) -> None:
    said: list[str] = []
    logger = tf.get_logger()
    keep = SimpleNamespace(level=0, handle=lambda r: said.append(str(r.msg)))
    logger.handlers.append(keep)
    try:
        assert tf.test.is_gpu_available() is False
    finally:
        logger.handlers.remove(keep)
    assert "deprecated" in said[0]
    assert tf.test.gpu_device_name() == ""
    with pytest.raises(AttributeError, match="tensorflow_backend"):
        keras.backend.tensorflow_backend._get_available_gpus()


# What pip installs


@says(
    "Beside TensorFlow it installs libraries of NVIDIA's, and TensorFlow's "
    "package names them."
)
@says("Here they are, and how many of them this machine has.")
@says(
    "The names end in `cu12`, for CUDA 12, and none of them is the driver of "
    "the card: whether that runs, the command `nvidia-smi` shows."
)
def test_the_libraries_of_nvidia() -> None:
    named = list(libraries("tensorflow_cpu"))
    count, listed = printed(NAME, "extra").split("\n", 1)
    assert numbers(count) == [0, len(named)]
    assert re.sub(r"\s", "", listed) == ",".join(named)
    for name in named:
        assert re.fullmatch(r"nvidia-[\w-]+-cu12", name)
        assert "driver" not in name


# The log


@says(
    "Here is what TensorFlow logged, installed in five ways, on a machine "
    "that has neither a GPU nor a driver."
)
def test_the_record_is_of_a_machine_without_a_driver() -> None:
    assert LOG["driver"] is None
    assert len(LOG["messages"]) == 5
    said = printed(NAME, "log").splitlines()
    assert [s for s in said if s[0] != " "] == list(LOG["messages"])


@says("`Could not find cuda drivers` is not about the driver.")
@says(
    "It comes where `libcudart` is missing, the library of "
    "`nvidia-cuda-runtime-cu12`, and goes when that is installed, though "
    "this machine still has no driver."
)
@says("So you can meet it while `nvidia-smi` shows a card.")
def test_the_message_on_drivers_goes_with_a_library() -> None:
    assert has(BARE, DRIVERS)
    names = list(LOG["messages"])
    assert f"{names[2]} nvidia-cuda-runtime-cu12" == names[3]
    assert not has(RUNTIME, DRIVERS)
    assert not has(ALL, DRIVERS)
    assert not has(CPU, DRIVERS)
    [path] = LOG["files"]["libcudart.so.12"]
    assert path.startswith("nvidia/cuda_runtime/")


@says(
    "`failed call to cuInit` comes, with the error 303, where the driver is "
    "missing, with the libraries or without."
)
def test_the_message_of_a_missing_driver() -> None:
    for messages in (BARE, RUNTIME, ALL):
        [said] = [m for m in messages if "failed call to cuInit" in m]
        assert "(303)" in said
    assert not has(CPU, "cuInit")


@says(
    "`Unable to register cuDNN factory`, `cuBLAS` and `cuFFT` came with "
    "TensorFlow 2.17 at each import, and the look for a GPU went on after "
    "them."
)
@says("With 2.21 they are gone.")
def test_factories_of_an_older_release() -> None:
    assert next(iter(LOG["messages"])) == "tensorflow==2.17.1"
    for name in ("cuDNN", "cuBLAS", "cuFFT"):
        text = f"Unable to register {name} factory"
        [place] = [n for n, said in enumerate(OLD) if said.startswith(text)]
        assert place < len(OLD) - 1
        assert not any(has(m, text) for m in (BARE, RUNTIME, ALL))


@says(
    "`This TensorFlow binary is optimized to use available CPU instructions` "
    "is said by all."
)
@says("It tells of the processor.")
@says(
    "For the pages of this site it is 3, and no line of the log comes through."
)
def test_what_is_said_of_the_processor(log: str) -> None:
    text = "This TensorFlow binary is optimized to use available CPU instr"
    for messages in (OLD, CPU, BARE, RUNTIME, ALL):
        assert has(messages, text)
    assert text in log
    environment = (ROOT / "engine/run/environment.py").read_text("utf-8")
    assert '"TF_CPP_MIN_LOG_LEVEL": "3"' in environment


@says("The record has looked for them in the libraries of 2.21.")
@says("The files `libdevice.10.bc` and `ptxas` are its own.")
def test_what_the_record_looked_for() -> None:
    rows = printed(NAME, "texts").splitlines()
    there = [
        f"{'yes' if is_there else 'no '} {text}".strip()
        for text, is_there in LOG["texts"].items()
    ]
    assert rows == there
    for name in ("libdevice.10.bc", "ptxas"):
        paths = LOG["files"][name]
        assert paths
        assert all(p.startswith("nvidia/cuda_nvcc/") for p in paths)
    assert "nvidia-cuda-nvcc-cu12" in libraries("tensorflow_cpu")
    assert not LOG["texts"]["DNN library is not found"]
    assert LOG["texts"]["Could not create cudnn handle"]
    assert LOG["texts"]["libdevice not found at"]


# Too late


@says(
    "TensorFlow takes [nearly all memory of a GPU](memory.md#tensorflow-takes"
    "-all-memory-of-the-gpu), so that several programs on one GPU get into "
    "each other's way."
)
def test_the_page_on_memory_says_so() -> None:
    text = plain(below("memory", "### TensorFlow takes all memory"))
    assert "It takes nearly [all of it]" in text
    assert "a second program finds none left" in text


@says("Let memory of GPUs grow; return how many there are.")
@says("On a machine with GPUs it prints their number.")
def test_memory_is_to_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    grown = []
    monkeypatch.setattr(
        tf.config, "list_physical_devices", lambda _: ["one", "two"]
    )
    monkeypatch.setattr(
        tf.config.experimental,
        "set_memory_growth",
        lambda *arguments: grown.append(arguments),
    )
    assert grow() == 2
    assert grown == [("one", True), ("two", True)]


@says("That can be changed as long as nothing was computed.")
@says(
    "After the first tensor it would be too late: `RuntimeError: Physical "
    "devices cannot be modified after being initialized`."
)
@says("With a processor in place of the GPU the same comes as")
@says(
    "and from `set_visible_devices` as `Visible devices cannot be modified`."
)
@pytest.mark.usefixtures("with_gpu")
def test_after_the_first_tensor_it_is_too_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(RuntimeError, match="Physical devices cannot be modif"):
        tf.config.experimental.set_memory_growth(GPU, True)
    with pytest.raises(RuntimeError, match="Visible devices cannot be modif"):
        tf.config.set_visible_devices(GPU, "GPU")
    assert "Virtual devices cannot be modified" in printed(NAME, "too_late")
    monkeypatch.setattr(context.context(), "_context_handle", None)
    tf.config.experimental.set_memory_growth(GPU, True)
    assert context.context()._memory_growth_map.pop(GPU)


@says("The limit is in megabytes.")
@says(
    "For a fixed share hand `set_logical_device_configuration` the GPU and a "
    "list of one, `tf.config.LogicalDeviceConfiguration(memory_limit=2048)`."
)
def test_the_limit_is_in_megabytes() -> None:
    said = tf.config.LogicalDeviceConfiguration.__doc__
    assert said
    assert "memory_limit: (optional) Maximum memory (in MB)" in said
    given = tf.config.LogicalDeviceConfiguration(memory_limit=2048)
    assert given.memory_limit == 2048


# Where it runs


@says('Return "CPU" or "GPU", whichever a tensor or variable is on.')
def test_the_kind_of_a_device() -> None:
    name = "/job:localhost/replica:0/task:0/device:"
    for each in ("CPU", "GPU"):
        assert kind(SimpleNamespace(device=f"{name}{each}:1")) == each
    assert kind(tf.Variable(1.0)) == "CPU"


@says(
    'A tensor has no `.to("cuda")`, as those of PyTorch have: TensorFlow '
    "chooses the device."
)
def test_a_tensor_is_not_sent_anywhere() -> None:
    assert not hasattr(X, "to")
    assert hasattr(X, "device")


@says("What a compiled function does inside, it tells when it is asked to.")
@says("This is a program of its own, in `placed.py`.")
@says("Return the sum of a product of matrices.")
def test_what_a_compiled_function_tells() -> None:
    [block] = [b for b in PAGE.blocks if b.options.get("file") == "placed.py"]
    assert "set_log_device_placement(True)" in block.code
    said = printed(NAME, COMMAND)
    assert re.findall(r"\((\w+)\): .*device:(\w+):0", said) == [
        ("MatMul", "CPU"),
        ("Sum", "CPU"),
    ]
    assert float(compute(X, W)) == 6.0


@says(
    "Of what runs outside of a function the log says `Executing op MatMul in "
    "device`, if its level lets it."
)
def test_what_the_log_says_of_an_operation(log: str) -> None:
    assert "Executing op MatMul in device" in log
    assert "Executing" not in printed(NAME, COMMAND)


# No such device


@says("This is what happens if there is none.")
@says("No error, and no warning: *soft placement* takes another device.")
@says("So `tf.device` does not prove that a GPU is used.")
@says(
    "If it goes on with `no supported kernel for GPU devices is available`, "
    "leave that operation to the processor: soft placement takes another "
    "device."
)
@says("It is on by default, and off in sessions until you say so.")
def test_soft_placement_takes_another_device(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert printed(NAME, "soft") == "CPU"
    monkeypatch.setattr(context.context(), "_soft_device_placement", None)
    assert tf.config.get_soft_device_placement()
    with tf.device("/GPU:0"):
        assert kind(X @ W) == "CPU"
    with pytest.raises(Refused, match="Cannot assign a device"):
        in_session("/GPU:0")
    ran(NAME, "soft_again")
    assert in_session("/GPU:0") == 3.0


def in_session(device: str) -> Any:
    with tf.Graph().as_default():
        with tf.device(device):
            total = tf.constant(1.0) + tf.constant(2.0)
        return tf.compat.v1.Session().run(total)


@says("Without soft placement it does.")
@says("Where the device is there, so is the result.")
@pytest.mark.usefixtures("hard")
def test_without_soft_placement_the_device_has_to_be_there() -> None:
    assert "Could not satisfy device specification" in printed(NAME, "hard")
    with tf.device("/GPU:0"), pytest.raises(Refused):
        X @ W
    with tf.device("/CPU:0"):
        np.testing.assert_array_equal(X @ W, [[3.0], [3.0]])


@says("In a function the words are others")
@says("Return the product, computed on the first GPU.")
def test_the_words_in_a_function() -> None:
    hard = plain(printed(NAME, "hard"))
    inside = plain(printed(NAME, "in_function"))
    assert "Unable to find any devices for spec /device:GPU:0" in inside
    assert "Unable to find" not in hard
    assert "x @ w" in BLOCKS["in_function"].code


@says("And in a session, as programs of TensorFlow 1 have it")
@says(
    "If it says `CUDA is not enabled`, the package is one for processors "
    "alone."
)
def test_the_words_in_a_session(monkeypatch: pytest.MonkeyPatch) -> None:
    said = printed(NAME, "session")
    assert "Cannot assign a device for operation" in said
    # As at the start of a program: another page's test may have set it.
    monkeypatch.setattr(context.context(), "_soft_device_placement", None)
    assert not tf.test.is_built_with_cuda()
    with pytest.raises(Refused, match="CUDA is not enabled"):
        in_session("/GPU:0")


# The work in each operation


@says("Return a compiled step for a network with two hidden layers.")
@says("Return a step's operations, and multiplications in products.")
@says("A product of (n, k) and (k, m) takes n k m multiplications.")
def test_the_work_is_counted() -> None:
    multiply = tf.function(lambda x, y: tf.matmul(x, y, transpose_a=True))
    count, work = count_work(multiply, tf.ones([5, 2]), tf.ones([5, 3]))
    assert work == 2 * 5 * 3
    assert count == 4  # two arguments, the product, what is returned
    step, rows = make_step(4), 3
    x, y = tf.ones([rows, 20]), tf.ones([rows, 1])
    _, work = count_work(step, x, y)
    # There, and back to each weight, and to what the first layer gave.
    assert work == rows * (2 * 20 * 4 + 3 * 4 * 4 + 3 * 4 * 1)
    assert step(x, y) is None


@says(
    "The same {{ operations }} operations for all four, and a hundred times "
    "the work in each with a hundred times the rows."
)
@says("where each step runs, and why a small model is faster on a CPU.")
def test_as_many_operations_whatever_the_size() -> None:
    lines = printed(NAME, "work").replace(",\n", "").splitlines()
    found = [
        [int(n.replace(",", "")) for n in re.findall(r"\d[\d,]*", line)]
        for line in lines
    ]
    assert [row[:2] for row in found] == [
        [16, 32],
        [16, 3200],
        [1024, 32],
        [1024, 3200],
    ]
    assert len({row[2] for row in found}) == 1
    for few, many in (found[:2], found[2:]):
        assert many[3] / few[3] == pytest.approx(100, rel=0.001)


@says(
    "Compile the step, at best by XLA, which makes few operations of many: "
    "[seven ways](how_fast.md#seven-ways-to-take-the-same-steps)."
)
def test_xla_makes_few_operations_of_many() -> None:
    def compute(x: tf.Tensor) -> tf.Tensor:
        return tf.sqrt(tf.exp(2.0 * x + 1.0) - 1.0)

    traced = tf.function(compute).get_concrete_function(X).graph
    compiled = tf.function(compute, jit_compile=True)
    said = compiled.experimental_get_compiler_ir(X)(stage="optimized_hlo")
    entry = said[said.index("ENTRY") :]
    assert len(traced.get_operations()) > 6
    assert len(re.findall(r"fusion\(|call\(", entry)) == 1
    assert "jit_compile" in below("how_fast", "Seven ways to take the same")


@says(
    "If GPU utilization is low though the model is large, see [whether it "
    "waits for its data](how_fast.md#the-model-waits-for-its-data)."
)
@says(
    "[The first step is slow](how_fast.md#the-first-step-is-slow), for it is "
    "traced."
)
@says("The loop itself is on [a page of its own](many_devices.md).")
@says("Too little memory on a GPU: [Memory and leaks](memory.md).")
@says(
    "How fast a step can be made on a processor: [How fast can the loop go?]"
    "(how_fast.md)"
)
def test_what_other_pages_have() -> None:
    waits = below("how_fast", "### The first step is slow")
    assert "That step is traced" in plain(waits)
    data = plain(below("how_fast", "## The model waits for its data"))
    assert "*low GPU utilization*" in data
    assert "tensorflow-takes-all-memory-of-the-gpu" in sections("memory")
    assert "MirroredStrategy" in (DOCS / "many_devices.md").read_text("utf-8")
    speed = (DOCS / "how_fast.md").read_text("utf-8")
    assert "no GPU" in plain(speed)


# LSTM


@says("cuDNN has a fast LSTM, and Keras takes it if it can.")
@says("If it cannot, it takes another without a word, unless you insist.")
@says(
    "Where there is a GPU, the error comes only if an argument is in the "
    "way: another `activation` than `tanh`, another `recurrent_activation` "
    "than `sigmoid`, `unroll=True`, `use_bias=False` or a "
    "`recurrent_dropout`."
)
@says("A `GRU` has `use_cudnn`, too.")
def test_when_cudnn_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    assert printed(NAME, "lstm").splitlines()[0] == "auto"
    assert keras.layers.GRU(2).use_cudnn == "auto"
    x = tf.ones([1, 5, 2])
    layer = keras.layers.LSTM(2, seed=1)
    assert layer(x).shape == (1, 2)
    taken: list[str] = []

    def by_cudnn(*_: Any, **more: Any) -> Any:
        taken.append("cudnn")
        return tf.zeros([1, 2]), tf.zeros([1, 1, 2]), [tf.zeros([1, 2])] * 2

    monkeypatch.setattr(RNN, "_is_gpu_available", lambda: True)
    monkeypatch.setattr(RNN, "_cudnn_lstm", by_cudnn)
    keras.layers.LSTM(2, use_cudnn=True)(x)
    keras.layers.LSTM(2)(x)
    assert taken == ["cudnn"] * 2
    for refused in (
        {"activation": "relu"},
        {"recurrent_activation": "relu"},
        {"unroll": True},
        {"use_bias": False},
        {"recurrent_dropout": 0.5},
    ):
        with pytest.raises(ValueError, match="cuDNN is not supported"):
            keras.layers.LSTM(2, use_cudnn=True, **refused)(x)
        keras.layers.LSTM(2, **refused)(x)
    assert taken == ["cudnn"] * 2


# Several


@says("Without a GPU it is the processor alone.")
@says("With two devices it is 2.")
@says(
    "If training on several GPUs starts and never goes on, hand the strategy "
    "`cross_device_ops=tf.distribute.HierarchicalCopyAllReduce()`, another "
    "way to add up gradients."
)
def test_another_way_to_add_up() -> None:
    count, listed = printed(NAME, "mirrored").splitlines()
    assert count == "1 device"
    assert "CPU:0" in listed
    assert mirrored().num_replicas_in_sync == 2
    other = tf.distribute.MirroredStrategy(
        ["CPU:0", "CPU:1"],
        cross_device_ops=tf.distribute.HierarchicalCopyAllReduce(),
    )
    with other.scope():
        w = tf.Variable(1.0, aggregation=tf.VariableAggregation.SUM)

    @tf.function
    def add() -> None:
        other.run(lambda: w.assign_add(tf.constant(2.0)))

    add()
    assert float(w.numpy()) == 5.0


# The end


@says(
    "All blocks above, in order, as one file, and the files that it reads and "
    "runs."
)
@says("They need TensorFlow.")
def test_what_the_program_needs() -> None:
    standard = {"importlib", "json", "os", "pathlib", "platform", "re"}
    assert imported(PAGE) - standard - {"textwrap", "typing"} == {
        "keras",
        "tensorflow",
    }
    assert "gpu_log.json" in BLOCKS["log"].code
    files = {block.options.get("file") for block in PAGE.blocks} - {None}
    assert files <= {"gpu_log.json", "placed.py"}
    assert "placed.py" in COMMAND


@says("Return how many weights of a Keras model are on CPU and on GPU.")
def test_where_the_weights_are(monkeypatch: pytest.MonkeyPatch) -> None:
    model = keras.Sequential([keras.Input([2]), keras.layers.Dense(3)])
    assert devices(model) == {"CPU": 2}
    kinds = iter(["GPU", "CPU"])
    monkeypatch.setattr(on_a_gpu, "kind", lambda _: next(kinds))
    assert devices(model) == {"CPU": 1, "GPU": 1}


@says(
    "Leave strings to the processor, too: make numbers of them before the "
    "step, by a `StringLookup` in a `map` of the data set."
)
def test_strings_become_numbers_in_the_data_set() -> None:
    lookup = tf.keras.layers.StringLookup(vocabulary=["cat", "dog"])
    words = tf.data.Dataset.from_tensor_slices(["dog", "cat", "cow"])
    found = [int(number) for number in words.map(lookup)]
    assert found == [2, 1, 0]
    assert words.map(lookup).element_spec.dtype == tf.int64
