"""Whether TensorFlow finds a GPU, uses it, and has enough work for it."""

# region setup
import json
import os
import platform
import re
import textwrap
from importlib import metadata
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

# endregion setup


# region libraries
def libraries(package: str) -> dict[str, bool]:
    """Return for each library of package[and-cuda] if it is installed."""
    needed = metadata.requires(package) or []
    extra = [line for line in needed if "and-cuda" in line]
    names = [re.split(r"[^\w-]", line)[0] for line in extra]
    return {name: any(metadata.distributions(name=name)) for name in names}


# endregion libraries


# region look
def look() -> dict[str, Any]:
    """Return what says whether TensorFlow can use a GPU here."""
    packages = sorted(set(metadata.packages_distributions()["tensorflow"]))
    return {
        "system": platform.system(),
        "packages": packages,
        "built with CUDA": tf.test.is_built_with_cuda(),
        "CUDA libraries": sum(libraries(packages[0]).values()),
        "CUDA_VISIBLE_DEVICES": os.environ.get("CUDA_VISIBLE_DEVICES"),
        "GPUs": len(tf.config.list_physical_devices("GPU")),
    }


# endregion look


# region first_cause
def first_cause(found: dict[str, Any]) -> str:
    """Return the first thing that keeps a training from a GPU."""
    if found["GPUs"]:
        return "none: a GPU is found"
    if found["system"] == "Windows":
        return "Windows: use WSL2"
    if len(found["packages"]) > 1:
        return "two packages: remove both, install one"
    if not found["built with CUDA"]:
        return "a package for processors: install tensorflow[and-cuda]"
    if not re.match(r"None|\d|GPU-|MIG-", str(found["CUDA_VISIBLE_DEVICES"])):
        return "CUDA_VISIBLE_DEVICES hides it: unset it"
    if not found["CUDA libraries"]:
        return "no libraries: install tensorflow[and-cuda]"
    return "the driver, or a library: see the log"


# endregion first_cause


# region grow
def grow() -> int:
    """Let memory of GPUs grow; return how many there are."""
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    return len(gpus)


# endregion grow


# region kind
def kind(tensor):
    """Return "CPU" or "GPU", whichever a tensor or variable is on."""
    return tf.DeviceSpec.from_string(tensor.device).device_type


# endregion kind


# region devices
def devices(model) -> dict[str, int]:
    """Return how many weights of a Keras model are on CPU and on GPU."""
    kinds = [kind(weight.value) for weight in model.weights]
    return {each: kinds.count(each) for each in sorted(set(kinds))}


# endregion devices


# region make_step
def make_step(units: int):
    """Return a compiled step for a network with two hidden layers."""
    hidden = [keras.layers.Dense(units, "relu") for _ in range(2)]
    model = keras.Sequential([*hidden, keras.layers.Dense(1)])

    @tf.function
    def step(x, y) -> None:
        with tf.GradientTape() as tape:
            error = model(x) - tf.ensure_shape(y, (None, 1))
            loss = tf.reduce_mean(tf.square(error))
        gradients = tape.gradient(loss, model.weights)
        for gradient, weight in zip(gradients, model.weights, strict=True):
            weight.assign_sub(0.01 * gradient)

    return step


# endregion make_step


# region count_work
def count_work(step, x, y) -> tuple[int, int]:
    """Return a step's operations, and multiplications in products.

    A product of (n, k) and (k, m) takes n k m multiplications.
    """
    operations = step.get_concrete_function(x, y).graph.get_operations()
    work = 0
    for product in operations:
        if product.type == "MatMul":
            turned = product.get_attr("transpose_a")
            k = product.inputs[0].shape[0 if turned else 1]
            work += product.outputs[0].shape.num_elements() * k
    return len(operations), work


# endregion count_work


if __name__ == "__main__":
    # region found
    found = look()
    print("GPUs:", found["GPUs"])
    # endregion found

    # region others
    here = {"system": "Linux", "packages": ["tensorflow"], "GPUs": 0}
    built = here | {"built with CUDA": True, "CUDA libraries": 12}
    seen = built | {"CUDA_VISIBLE_DEVICES": None}
    for other in (
        here | {"system": "Windows"},
        here | {"packages": ["tensorflow", "tensorflow_cpu"]},
        here | {"built with CUDA": False},
        built | {"CUDA_VISIBLE_DEVICES": "-1"},
        seen | {"CUDA libraries": 0},
        seen,
        seen | {"GPUs": 1},
    ):
        print(first_cause(other))
    # endregion others

    # region extra
    needed = libraries(found["packages"][0])
    print(f"{sum(needed.values())} of {len(needed)} are installed")
    print(textwrap.fill(", ".join(needed), 76))
    # endregion extra

    # region log
    kept = json.loads(Path("gpu_log.json").read_text())
    for package, messages in kept["messages"].items():
        print(package)
        for message in messages:
            print("   ", textwrap.shorten(message, 72, placeholder=" …"))
    # endregion log

    # region texts
    for text, is_there in kept["texts"].items():
        print("yes" if is_there else "no ", text)
    # endregion texts

    # region growing
    print(grow(), "GPUs, whose memory grows")
    # endregion growing

    # region too_late
    x = tf.ones([2, 3])
    [cpu] = tf.config.list_physical_devices("CPU")
    parts = [tf.config.LogicalDeviceConfiguration()] * 3
    tf.config.set_logical_device_configuration(cpu, parts)
    # endregion too_late

    # region where
    w = tf.Variable(tf.ones([3, 1]))
    y = x @ w
    print(y.device)
    print(f"x {kind(x)}, w {kind(w)}, y {kind(y)}")
    # endregion where

    # region soft
    with tf.device("/GPU:0"):
        y = x @ w
    print(kind(y))
    # endregion soft

    # region hard
    tf.config.set_soft_device_placement(False)
    with tf.device("/GPU:0"):
        y = x @ w
    # endregion hard

    # region in_function
    @tf.function
    def compute(x):
        """Return the product, computed on the first GPU."""
        with tf.device("/GPU:0"):
            return x @ w

    compute(x)
    # endregion in_function

    # region session
    with tf.Graph().as_default(), tf.device("/GPU:0"):
        total = tf.constant(1.0) + tf.constant(2.0)
        session = tf.compat.v1.Session()
    try:
        session.run(total)
    except tf.errors.InvalidArgumentError as error:
        [said] = re.findall(r"Cannot assign .*?\]", str(error))
        print(f"InvalidArgumentError: {said}")
    # endregion session

    # region soft_again
    tf.config.set_soft_device_placement(True)
    # endregion soft_again

    # region work
    for units in (16, 1024):
        for rows in (32, 3200):
            step = make_step(units)
            x, y = tf.ones([rows, 20]), tf.ones([rows, 1])
            operations, work = count_work(step, x, y)
            print(f"{units:4} units, {rows:4} rows: {operations} operations,")
            print(f"    {work / operations:,.0f} multiplications in each")
    # endregion work

    # region lstm
    sequence = tf.ones([1, 5, 2])
    print(keras.layers.LSTM(8).use_cudnn)
    keras.layers.LSTM(8, use_cudnn=True)(sequence)
    # endregion lstm

    # region mirrored
    strategy = tf.distribute.MirroredStrategy()
    print(strategy.num_replicas_in_sync, "device")
    print(strategy.extended.worker_devices)
    # endregion mirrored

    # region exercise_devices
    model = keras.Sequential([keras.Input([20]), keras.layers.Dense(16)])
    print(devices(model))
    # endregion exercise_devices

    # region exercise_rows
    y = tf.ones([32, 1])
    _, small = count_work(make_step(16), tf.ones([32, 20]), y)
    _, large = count_work(make_step(1024), tf.ones([32, 20]), y)
    rows = 32 * large // small
    print(f"about {rows:,} rows")
    # endregion exercise_rows
