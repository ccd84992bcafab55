"""Lines of older tutorials, run today: what becomes of them."""

# ruff: noqa: F401 (the page's other modules use what the first block imports)

# region setup
import re
import warnings

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

BLUE, RED, GREEN = "#0072B2", "#D55E00", "#009E73"
v1, layers = tf.compat.v1, tf.keras.layers
# endregion setup

# region message
SILENCE = "no message"


def message(code: str, names: dict[str, object]) -> str:
    """Run the code; return the first sentence of what it complains of."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", UserWarning)
        try:
            exec(code, names)
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
        else:
            said = f"UserWarning: {warned[0].message}" if warned else SILENCE
    return re.split(r"\.?\n|\. | \(/|\.$", said)[0]


# endregion message


# region kind
def kind(code: str, said: str) -> str:
    """Return in one word what became of the code."""
    error = said.partition(":")[0]
    if said == SILENCE:
        return "works"
    if error == "UserWarning":
        return "warned"
    if error in ("ImportError", "ModuleNotFoundError"):
        return "gone" if "import " in code else "refused"
    missing = re.search(r"AttributeError: .*['`](\w+)['`]", said)
    return "gone" if missing and missing[1] in code else "refused"


# endregion kind


# region fresh_model
def fresh_model() -> tf.keras.Model:
    """Return a compiled line whose start is always the same."""
    start = tf.keras.layers.Dense(1, kernel_initializer="ones")
    model = tf.keras.Sequential([tf.keras.Input((1,)), start])
    optimizer = tf.keras.optimizers.SGD(0.1)
    metrics = ["accuracy"]
    model.compile(optimizer, "mse", metrics=metrics, run_eagerly=True)
    return model


# endregion fresh_model


# region fresh
def fresh() -> dict[str, object]:
    """Return new objects under the names that the lines of code use."""
    x, w = tf.constant([[-1.0], [0.0], [2.0]]), tf.Variable(5.0)
    model, y = fresh_model(), 3 * x + 2
    names = {"tf": tf, "x": x, "y": y, "p": 5 * x, "w": w, "model": model}
    names["optimizer"] = model.optimizer
    names["scaled"] = tf.keras.optimizers.LossScaleOptimizer(model.optimizer)
    names["layer"], names["metric"] = layers.Layer(), tf.keras.metrics.Mean()
    recurrent = [layers.LSTM(1, stateful=True)]
    names["recurrent"] = tf.keras.Sequential(recurrent)
    names["ModelCheckpoint"] = tf.keras.callbacks.ModelCheckpoint
    names["rows"] = tf.data.Dataset.from_tensors((x, y))
    with tf.GradientTape() as tape:
        names["loss"] = w * w
    return names | {"tape": tape, "gradients": [tf.constant(10.0)]}


# endregion fresh


# region tried
def tried(pairs: dict[str, str]) -> tuple[list[str], ...]:
    """Try all; print what came of it; return it with the lines."""
    old, new = list(pairs), list(pairs.values())
    names = fresh()
    msg = [message(code, names) for code in old]
    names = fresh()
    for code in new:
        said = message(code, names)
        assert said == SILENCE, f"{code}: {said}"
    now = [kind(*pair) for pair in zip(old, msg, strict=True)]
    print(", ".join(f"{now.count(word)} {word}" for word in sorted({*now})))
    return now, old, msg, new


# endregion tried
