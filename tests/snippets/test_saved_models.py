import runpy
import sys
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

from snippets.data import make_data
from snippets.linear_model import LinearModel
from snippets.save_and_resume import new_training, train_until
from snippets.saved_models import (
    Double,
    Line,
    compile_line,
    copy_optimizer,
    fit_epochs,
    my_loss,
)


@pytest.fixture
def x() -> tf.Tensor:
    """The inputs as a column."""
    return make_data()[0][:, tf.newaxis]


@pytest.fixture
def y() -> tf.Tensor:
    """The outputs as a column."""
    return make_data()[1][:, tf.newaxis]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def fitted(x: tf.Tensor, y: tf.Tensor) -> Line:
    """A line after ten epochs of ``fit``."""
    line = Line()
    compile_line(line)
    fit_epochs(0, 10, line, x, y)
    return line


def weights(line: Line) -> list[float]:
    return [float(weight.numpy().item()) for weight in line.weights]


# The model and its fit.


def test_a_line_makes_its_weights_at_the_first_call(x: tf.Tensor) -> None:
    line = Line()
    assert line.weights == []
    np.testing.assert_allclose(line(x), 5 * np.asarray(x), rtol=1e-6)
    assert weights(line) == [5.0, 0.0]


def test_a_line_takes_columns_alone(x: tf.Tensor) -> None:
    with pytest.raises(ValueError, match="ndim"):
        Line()(x[:, 0])


def test_fit_trains_as_the_loop_does(x: tf.Tensor, y: tf.Tensor) -> None:
    line = Line()
    compile_line(line)
    losses = fit_epochs(0, 20, line, x, y)
    training = new_training(LinearModel())
    expected = train_until(20, training, x[:, 0], y[:, 0])
    np.testing.assert_allclose(losses, expected, rtol=1e-4)
    assert weights(line) == pytest.approx(
        [float(training.model.w), float(training.model.b)], abs=1e-4
    )


def test_fit_takes_one_step_for_each_epoch_between_first_and_last(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    line = Line()
    compile_line(line)
    assert len(fit_epochs(3, 7, line, x, y)) == 4
    assert int(line.optimizer.iterations) == 4


# Checkpoints of Keras models.


def test_an_unbuilt_model_is_restored_by_half_and_a_called_one_wholly(
    fitted: Line, x: tf.Tensor, folder: Path
) -> None:
    path = tf.train.Checkpoint(line=fitted.dense).write("line")
    unbuilt = Line()
    status = tf.train.Checkpoint(line=unbuilt.dense).read(path)
    unbuilt(x)
    assert float(unbuilt.dense.bias[0]) == float(fitted.dense.bias[0])
    assert float(unbuilt.dense.kernel[0, 0]) == 5.0
    with pytest.raises(AssertionError, match="kernel"):
        status.assert_consumed()
    status.expect_partial()
    built = Line()
    built(x)
    tf.train.Checkpoint(line=built.dense).read(path).assert_consumed()
    assert weights(built) == weights(fitted)


@pytest.mark.parametrize("stop", [1, 10])
def test_a_called_keras_model_resumes_from_a_checkpoint_to_the_last_bit(
    stop: int, x: tf.Tensor, y: tf.Tensor, folder: Path
) -> None:
    def called() -> Line:
        line = Line()
        line(x)
        return line

    stopped = new_training(called())
    train_until(stop, stopped, x, y)
    path = stopped.write("stopped")
    resumed = new_training(called())
    resumed.read(path).assert_consumed()
    assert train_until(20, resumed, x, y) == train_until(20, stopped, x, y)


# The files of Keras.


@pytest.mark.parametrize("stop", [1, 10])
def test_a_keras_file_resumes_fit_to_the_last_bit(
    stop: int, x: tf.Tensor, y: tf.Tensor, folder: Path
) -> None:
    line = Line()
    compile_line(line)
    fit_epochs(0, stop, line, x, y)
    line.save("line.keras")
    loaded = tf.keras.models.load_model("line.keras")
    assert loaded is not line
    rest = fit_epochs(stop, 20, line, x, y)
    assert fit_epochs(stop, 20, loaded, x, y) == rest


def test_my_loss_is_the_distance_of_each_row() -> None:
    y, y_pred = np.array([[1.0], [2.0]]), np.array([[3.0], [2.5]])
    np.testing.assert_allclose(my_loss(y, y_pred), [2.0, 0.5], rtol=1e-6)


def test_a_line_may_be_compiled_with_a_loss_of_its_own(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    line = Line()
    compile_line(line, my_loss)
    [first] = fit_epochs(0, 1, line, x, y)
    expected = np.abs(np.asarray(y) - 5 * np.asarray(x)).mean()
    assert first == pytest.approx(expected, rel=1e-5)


def test_keras_registers_classes_under_two_names() -> None:
    own = keras.saving.register_keras_serializable
    assert tf.keras.utils.register_keras_serializable is own
    assert keras.saving.get_registered_object("Custom>Line") is Line


def test_a_class_that_is_not_registered_is_not_found(
    x: tf.Tensor, folder: Path
) -> None:
    class Unknown(tf.keras.Model):
        def call(self, x: tf.Tensor) -> tf.Tensor:
            return x

    unknown = Unknown()
    unknown(x)
    unknown.save("unknown.keras")
    with pytest.raises(TypeError, match="Could not locate class 'Unknown'"):
        tf.keras.models.load_model("unknown.keras")


def stored(path: str) -> set[str]:
    groups: set[str] = set()
    with h5py.File(path) as file:
        file.visit(groups.add)
    return groups


def test_a_weights_file_holds_the_optimizer_of_a_compiled_model_alone(
    fitted: Line, x: tf.Tensor, folder: Path
) -> None:
    fitted.save_weights("compiled.weights.h5")
    plain = Line()
    plain(x)
    plain.save_weights("plain.weights.h5")
    assert "optimizer/vars/3" in stored("compiled.weights.h5")
    assert not any("optimizer" in name for name in stored("plain.weights.h5"))


def test_weights_alone_start_alike_and_go_another_way(
    fitted: Line, x: tf.Tensor, y: tf.Tensor, folder: Path
) -> None:
    fitted.save_weights("line.weights.h5")
    light = Line()
    light(x)
    light.load_weights("line.weights.h5")
    assert weights(light) == weights(fitted)
    compile_line(light)
    losses = fit_epochs(10, 20, light, x, y)
    expected = fit_epochs(10, 20, fitted, x, y)
    assert losses[0] == expected[0]
    assert abs(losses[1] - expected[1]) > 0.1


def test_weights_with_a_built_optimizer_resume_to_the_last_bit(
    fitted: Line, x: tf.Tensor, y: tf.Tensor, folder: Path
) -> None:
    fitted.save_weights("line.weights.h5")
    full = Line()
    full(x)
    compile_line(full)
    full.optimizer.build(full.trainable_variables)
    full.load_weights("line.weights.h5")
    losses = fit_epochs(10, 20, full, x, y)
    assert losses == fit_epochs(10, 20, fitted, x, y)


def test_weights_need_a_model_that_was_called(
    fitted: Line, folder: Path
) -> None:
    fitted.save_weights("line.weights.h5")
    with pytest.raises(ValueError, match="not yet been built"):
        Line().load_weights("line.weights.h5")


@pytest.mark.parametrize("shape", [(), (3,), (0, 2), (2, 3, 4)])
def test_a_layer_doubles_what_it_gets(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    np.testing.assert_array_equal(Double()(x), 2 * x)
    assert keras.saving.get_registered_object("Custom>Double") is Double


OPTIMIZERS: list[tuple[str, dict[str, object]]] = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("Adam", {}),
    ("Adam", {"gradient_accumulation_steps": 4}),
    ("Adam", {"use_ema": True, "ema_overwrite_frequency": 4}),
    ("Nadam", {}),
    ("RMSprop", {"centered": True, "momentum": 0.9}),
    ("Adafactor", {}),
]


def moved(
    optimizer: tf.keras.optimizers.Optimizer, start: list[np.ndarray]
) -> list[np.ndarray]:
    """Take six steps down squares, from the start."""
    for variable, value in zip(VARIABLES, start, strict=True):
        variable.assign(value)
    for _ in range(6):
        slopes = [2.0 * tf.convert_to_tensor(v) for v in VARIABLES]
        optimizer.apply(slopes, VARIABLES)
    return [v.numpy() for v in VARIABLES]


VARIABLES = [tf.Variable([1.0, 2.0]), tf.Variable([[3.0]])]
START = [np.array([1.0, 2.0]), np.array([[3.0]])]


@pytest.mark.parametrize(("kind", "options"), OPTIMIZERS)
@pytest.mark.parametrize("falls", [False, True])
def test_a_copied_optimizer_goes_on_as_the_other_does(
    kind: str, options: dict[str, object], falls: bool
) -> None:
    optimizers = tf.keras.optimizers
    rate = optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
    optimizer = getattr(optimizers, kind)(rate if falls else 0.1, **options)
    optimizer.build(VARIABLES)
    middle = moved(optimizer, START)
    copied = copy_optimizer(optimizer, VARIABLES)
    expected = moved(optimizer, middle)
    for one, other in zip(moved(copied, middle), expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert int(copied.iterations) == int(optimizer.iterations)


def test_an_optimizer_is_copied_for_other_variables_of_the_same_shapes() -> (
    None
):
    optimizer = tf.keras.optimizers.Adam(0.1)
    optimizer.build(VARIABLES)
    moved(optimizer, START)
    others = [tf.Variable([7.0, 7.0]), tf.Variable([[7.0]])]
    copied = copy_optimizer(optimizer, others)
    copied.apply([tf.ones(2), tf.ones((1, 1))], others)
    assert (others[0].numpy() < 7).all()
    with pytest.raises(ValueError, match="Unknown variable"):
        copied.apply([tf.ones(2), tf.ones((1, 1))], VARIABLES)
    with pytest.raises(ValueError, match=r"(?i)shape"):
        copy_optimizer(optimizer, [tf.Variable([7.0]), others[1]])


# Layers that draw random numbers.


def noisy_model() -> tf.keras.Model:
    dropout = tf.keras.layers.Dropout(0.5, seed=0)
    return tf.keras.Sequential([tf.keras.Input((32,)), dropout])


def drops(model: tf.keras.Model) -> list[float]:
    """Which of 32 inputs the next call lets through, doubled."""
    dropped: list[float] = model(tf.ones((1, 32)), training=True)[0].numpy()
    return list(dropped)


def seed_of(model: tf.keras.Model) -> tf.Variable:
    return model.layers[0].seed_generator.state


def test_no_file_holds_the_random_state_of_a_layer_unless_it_is_named(
    folder: Path,
) -> None:
    model = noisy_model()
    first = drops(model)
    model.save("noisy.keras")
    model.save_weights("noisy.weights.h5")
    path = tf.train.Checkpoint(model=model).write("model")
    named = tf.train.Checkpoint(model=model, seed=seed_of(model))
    named_path = named.write("named")
    second = drops(model)
    assert second != first

    assert drops(tf.keras.models.load_model("noisy.keras")) == first
    loaded = noisy_model()
    loaded.load_weights("noisy.weights.h5")
    assert drops(loaded) == first
    read = noisy_model()
    tf.train.Checkpoint(model=read).read(path).assert_consumed()
    assert drops(read) == first
    mended = noisy_model()
    whole = tf.train.Checkpoint(model=mended, seed=seed_of(mended))
    whole.read(named_path).assert_consumed()
    assert drops(mended) == second


# Models without their code.


def test_a_module_without_a_traced_function_cannot_be_called(
    folder: Path,
) -> None:
    tf.saved_model.save(LinearModel(), "plain")
    plain = tf.saved_model.load("plain")
    assert float(plain.w) == 5.0
    with pytest.raises(TypeError, match="not callable"):
        plain(tf.constant([1.0]))


def test_the_reader_predicts_as_the_models_that_were_saved(
    fitted: Line, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    served = tf.Module()
    served.line = LinearModel()
    served.predict = tf.function(
        served.line, input_signature=[tf.TensorSpec([None], tf.float32)]
    )
    tf.saved_model.save(served, "served")
    fitted.export("exported", verbose=False)
    capsys.readouterr()
    runpy.run_module("snippets.reader", run_name="__main__")
    w, b = weights(fitted)
    assert capsys.readouterr().out == (
        f"served:   10.0000\nits w:    5.0000\nexported: {2 * w + b:.4f}\n"
    )
    loaded = tf.saved_model.load("served")
    for x in ([1.0], [1.0, -2.0, 3.0]):
        np.testing.assert_allclose(loaded.predict(x), np.multiply(5, x))
    with pytest.raises(TypeError, match="Can not cast"):
        loaded.predict(tf.ones((2, 1)))


# The module as a script.


def test_the_module_as_a_script(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delitem(sys.modules, "snippets.saved_models")
    names = runpy.run_module("snippets.saved_models", run_name="__main__")
    printed, complained = capsys.readouterr()
    assert complained == ""
    lines = printed.splitlines()
    saved, read = (line.split(":")[1].strip() for line in lines[:2])
    assert saved != read
    assert saved.split(",")[1] == read.split(",")[1]
    assert 'full_name: "line/kernel"' in "\n".join(lines[2:12])
    at = lines.index(f"read:  {saved}")
    assert lines[at + 1 : at + 15] == [
        "same losses: True",
        lines[at + 2],
        "same losses: True",
        "same losses: True",
        lines[at + 5],
        "largest difference: 0.0000",
        "same first loss: True",
        "same losses: False",
        "same losses: True",
        lines[at + 10],
        "the model's own:  20 iterations",
        "the copied model: 20 iterations",
        "copied by itself: 0 iterations",
        "same losses: True",
    ]
    assert "Could not locate function 'my_loss'" in lines[at + 2]
    assert "whose `function` is a Python lambda" in lines[at + 5]
    assert lines[at + 10].startswith("Skipping variable loading for optimi")
    del lines[at + 10 : at + 15]
    del lines[at + 2 : at + 7]
    for rest in ("fitted_rest", "loaded_rest", "light_rest", "full_rest"):
        assert len(names[rest]) == 10, rest
    assert lines[at + 5 : at + 7] == [
        "_CHECKPOINTABLE_OBJECT_GRAPH []",
        "seed/.ATTRIBUTES/VARIABLE_VALUE [2]",
    ]
    on, reloaded, resumed = (
        line.split(":")[1].strip() for line in lines[at + 7 : at + 10]
    )
    assert on == resumed != reloaded
    assert names["noisy"].input_shape == (None, 8)
    model = names["resumed"].model
    assert lines[at + 10 : at + 12] == [
        f"w: {float(model.w):.4f}",
        "'_UserObject' object is not callable",
    ]
    served, exported = lines[at + 12 :]
    assert served == f"served:   {float(2 * model.w + model.b):.4f}"
    w, b = weights(names["fitted"])
    assert exported == f"exported: {2 * w + b:.4f}"
